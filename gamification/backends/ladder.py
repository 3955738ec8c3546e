"""How many people reached which score: what ranks are counted from on boards that are too large to count.

Counts kept in the transaction of each award would be exact at once, but every award of everybody would write the same
few rows, one after the other, and one more thing would have to be kept true (about 50 us on SQLite and 100 us on
PostgreSQL for each award). A ladder costs awards nothing, is built with the snapshot in one walk along the index, and
leaves a rank about as cheap as looking up the score; moves of others show when the snapshot does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

#: The users with the least and the greatest id at a score.
Ends = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A score, as it is counted from the top: ``tied`` have it, ``between`` are above it and below the last step.

    Everybody is counted, hidden or not.
    """

    score: int
    between: int
    tied: int
    ends: Ends | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps down a board, in ascending ``scores``; so many visible people have ``reached`` each, of ``total`` in all.

    Where it ``is_complete``, every score that somebody has is a step. Else those between two steps are few and are
    counted when they are asked for; ``hidden`` then holds the scores of hidden people, ascending, to be left out.
    ``ends`` names somebody at each score, on boards where nothing else finds neighbours quickly.
    """

    scores: tuple[int, ...]
    reached: tuple[int, ...]
    total: int
    hidden: tuple[int, ...] = ()
    is_complete: bool = False
    ends: tuple[Ends, ...] = ()

    def above(self, score: int) -> tuple[int, int | None]:
        """Return how many reached the next step above ``score``, and that step; 0 and None above the last."""
        index = bisect_right(self.scores, score)
        return (self.reached[index], self.scores[index]) if index < len(self.scores) else (0, None)

    def index(self, score: int) -> int:
        """Return the index of ``score`` among the steps, or of the next step above it."""
        return bisect_left(self.scores, score)

    def reached_at(self, score: int) -> int | None:
        """Return how many reached ``score``, where it is a step."""
        index = self.index(score)
        return self.reached[index] if index < len(self.scores) and self.scores[index] == score else None

    def hidden_between(self, low: int, high: int | None) -> int:
        """Return how many hidden people have a score above ``low`` and below ``high``."""
        end = len(self.hidden) if high is None else bisect_left(self.hidden, high)
        return max(0, end - bisect_right(self.hidden, low))

    def is_hidden(self, score: int) -> bool:
        """Tell whether a hidden person has ``score``."""
        return bisect_left(self.hidden, score) < bisect_right(self.hidden, score)


def build(steps: Sequence[Step], hidden: Iterable[int], *, is_complete: bool, below: int = 0) -> Ladder:
    """Return the ladder of ``steps`` from the top, without the people whose scores are ``hidden``.

    ``below`` counts everybody under the last step.
    """
    unseen = sorted(hidden)
    everybody = list(accumulate(step.between + step.tied for step in steps))
    kept: list[tuple[Step, int]] = []
    for step, number in zip(steps, everybody, strict=True):
        first, after = bisect_left(unseen, step.score), bisect_right(unseen, step.score)
        if step.tied > after - first:  # nobody is seen on a step that only hidden people have
            kept.append((step, number - (len(unseen) - first)))
    kept.reverse()
    return Ladder(
        scores=tuple(step.score for step, _ in kept),
        reached=tuple(number for _, number in kept),
        total=(everybody[-1] if everybody else 0) + below - len(unseen),
        hidden=() if is_complete else tuple(unseen),
        is_complete=is_complete,
        ends=tuple(step.ends for step, _ in kept if step.ends is not None),
    )


def encode(ladder: Ladder) -> dict[str, Any]:
    """Return a ladder as JSON; differences, because they are short."""
    return {
        "scores": _differences(ladder.scores),
        "reached": _differences(ladder.reached),
        "total": ladder.total,
        "hidden": _differences(ladder.hidden),
        "is_complete": ladder.is_complete,
        "ends": [[plain_key(pk) for pk in pair] for pair in ladder.ends],
    }


def decode(data: dict[str, Any], to_key: Any) -> Ladder:
    """Return the ladder that was encoded; ``to_key`` makes a user's primary key of what JSON has."""
    return Ladder(
        scores=tuple(accumulate(data["scores"])),
        reached=tuple(accumulate(data["reached"])),
        total=data["total"],
        hidden=tuple(accumulate(data["hidden"])),
        is_complete=data["is_complete"],
        ends=tuple((to_key(first), to_key(last)) for first, last in data["ends"]),
    )


def plain_key(pk: Any) -> Any:
    """Return a user's primary key as JSON has it."""
    return pk if isinstance(pk, int) else str(pk)


def _differences(numbers: Sequence[int]) -> list[int]:
    return [number - before for number, before in zip(numbers, (0, *numbers), strict=False)]

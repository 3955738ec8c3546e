"""Where somebody stands right now: own scores are live, and all ranks of one answer follow from the first of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from gamification.backends import recipes, scores
from gamification.backends.base import BoardName, Entry, Position, Snapshot
from gamification.backends.ladder import Ladder
from gamification.backends.recipes import Mark, mark
from gamification.models import UserXP

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: A user's id and score.
Row = tuple[Any, int]
Querysets = Callable[[], "list[QuerySet[Any, Any]]"]

SCORE = Mark.SCORE.value


@dataclass(frozen=True)
class Places:
    """A board as it is now, with the ``snapshot`` that tells who is excluded and, of a large board, the ladder.

    Without a ladder everybody is counted. With one, moves of others show when the snapshot does; whoever lost points
    is counted among those above until then.
    """

    board: BoardName
    now: datetime
    snapshot: Snapshot
    ladder: Ladder | None

    @property
    def key(self) -> Hashable:
        """Return what recipes are remembered by; None for boards that are seldom the same."""
        if self.board.members is not None or self.snapshot.excluded:
            return None
        day = self.now.astimezone(UTC).date() if self.board.metric in scores.WINDOWS else None
        return self.board.metric, day, scores.has_active_flag()

    def everybody(self, *, above: int | None = None) -> QuerySet[Any, Any]:
        """Return the rows of everybody; those of streaks at a moment that is still to be put in."""
        is_window = self.board.metric in scores.WINDOWS
        return scores.scores(self.board.metric, self.now if is_window else mark(Mark.NOW), above=above)

    def visible(self, *, above: int | None = None) -> QuerySet[Any, Any]:
        """Return the rows of those who are shown."""
        return scores.visible(self.everybody(above=above), self.board, self.snapshot.excluded)

    def of(self, user_id: Any, *, neighbours: int = 0) -> Position:
        """Return the place of a user with up to ``neighbours`` on each side."""
        own = self._rows("own", lambda: [self.everybody(above=0).filter(user_id=mark(Mark.USER))], user_id=user_id)
        mine = own[0][1] if own else 0
        if not mine:
            return Position(0, None)
        above, below, is_visible = self._around(mine, user_id, neighbours) if neighbours else ([], [], True)
        me = (user_id, mine)
        ranks, nearest = self.ranks([*above, me, *below], without=None if is_visible else user_id)
        higher = [score for _, score in above if score > mine]
        return Position(
            score=mine,
            rank=ranks[mine],
            above=tuple(Entry(ranks[score], pk, score) for pk, score in above),
            below=tuple(Entry(ranks[score], pk, score) for pk, score in below),
            next_score=min(higher) if higher else nearest,
        )

    def after(self, score: int, user_id: Any, limit: int) -> list[Entry]:
        """Return up to ``limit`` visible people behind (score, user id)."""
        behind = scores.behind(score, user_id)
        page = self._rows("after", lambda: [_in_order(self.visible(above=0).filter(behind))[:limit]], is_kept=False)
        ranks = self.ranks(page)[0] if page else {}
        return [Entry(ranks[score], pk, score) for pk, score in page]

    def ranks(self, rows: list[Row], *, without: Any = None) -> tuple[dict[int, int], int | None]:
        """Return the rank of each score in ``rows``, which follow each other on the board, and the next score up.

        Only the first is counted, the others follow from it, so that they agree whatever happens meanwhile. The user
        ``without`` stands among the rows but is seen by nobody.
        """
        current = rows[0][1]
        greater, nearest = self._greater(current)
        ranks, shown, is_first = {current: 1 + greater}, 0, True
        for pk, score in rows:
            if score != current:
                ranks[score] = self._rank_behind(current, ranks[current], shown, score, is_whole=not is_first)
                current, shown, is_first = score, 0, False
            shown += pk != without
        return ranks, nearest

    def _rank_behind(self, score: int, rank: int, shown: int, next_score: int, *, is_whole: bool) -> int:
        """Return the rank of ``next_score``, the next after ``score`` with its ``rank``.

        ``shown`` have that score; not the ``is_whole`` group, when some of them may stand further up.
        """
        if self.ladder and self.ladder.is_complete:
            return max(rank + shown, 1 + self.ladder.above(next_score)[0])
        if is_whole:
            return rank + shown
        reached = self.ladder.reached_at(score) if self.ladder else None
        if reached is not None:
            return max(rank + shown, 1 + reached)
        return rank + max(shown, self._count("tied", lambda: self.visible().filter(score=SCORE), score)[0])

    def _greater(self, score: int) -> tuple[int, int | None]:
        """Return how many visible people have a greater score, and the least of those scores."""
        if self.ladder is None:
            return self._count("greater", lambda: self.visible(above=SCORE), score)
        reached, step = self.ladder.above(score)
        if self.ladder.is_complete:
            return reached, step
        if step is None:
            number, nearest = self._count("over", lambda: self.everybody(above=SCORE), score)
        else:
            between = lambda: self.everybody(above=SCORE).filter(score__lt=mark(Mark.STEP))  # noqa: E731
            number, nearest = self._count("between", between, score, step)
        number -= self.ladder.hidden_between(score, step)
        if number <= 0:
            return reached, step
        if nearest is not None and self.ladder.is_hidden(nearest):
            first = self._rows("next", lambda: [self.visible(above=SCORE).order_by("score")[:1]], score=score)
            nearest = first[0][1] if first else step
        return reached + number, nearest

    def _around(self, score: int, user_id: Any, number: int) -> tuple[list[Row], list[Row], bool]:
        """Return the rows above and below, in the board's order, and whether the user is among the visible ones.

        Those who are tied are looked up apart, so that however many there are, only the nearest are read.
        """
        if self.ladder and self.ladder.ends:
            return self._around_by_ladder(score, user_id, number)

        def make() -> list[QuerySet[Any, Any]]:
            tied, me = self.visible().filter(score=SCORE), mark(Mark.USER)
            return [
                self.visible(above=SCORE).order_by("score", "-user_id")[:number],
                tied.filter(user_id__lt=me).order_by("-user_id")[:number],
                tied.filter(user_id__gte=me).order_by("user_id")[: number + 1],
                _in_order(self.visible(above=0).filter(score__lt=SCORE))[:number],
            ]

        found = self._rows(("around", number), make, score=score, user_id=user_id)
        above = [row for row in found if place(row) < (-score, user_id)]
        below = [row for row in found if place(row) > (-score, user_id)]
        is_visible = len(above) + len(below) < len(found)
        return sorted(above, key=place)[-number:], sorted(below, key=place)[:number], is_visible

    def _around_by_ladder(self, score: int, user_id: Any, number: int) -> tuple[list[Row], list[Row], bool]:
        """Return people who were around a score when the snapshot was built: no index knows who they are."""
        rows = [row for row in self._known(score, number) if row[0] != user_id]
        above = [row for row in rows if place(row) < (-score, user_id)][-number:]
        below = [row for row in rows if place(row) > (-score, user_id)][:number]
        own = scores.visible(
            UserXP.objects.filter(user_id=user_id).values("user_id"), self.board, self.snapshot.excluded
        )
        return above, below, own.exists()

    def _known(self, score: int, number: int) -> list[Row]:
        """Return those near a score whom the snapshot names, in order: the top, or the ends of each group of ties."""
        entries = self.snapshot.entries
        if len(entries) > number and score > entries[-1 - number].score:
            return [(entry.user_id, entry.score) for entry in entries]
        found = {pk: near for near, ends in self._groups(score, number) for pk in ends}
        return sorted(found.items(), key=place)

    def _rows(
        self, name: Hashable, make: Querysets, *, score: int = 0, user_id: Any = None, is_kept: bool = True
    ) -> list[Row]:
        key = (self.key, name) if self.key is not None and is_kept else None
        values = {Mark.NOW: self.now, Mark.SCORE: score}
        return recipes.rows(key, make, values if user_id is None else {**values, Mark.USER: user_id})

    def _count(
        self, name: str, make: Callable[[], QuerySet[Any, Any]], score: int, step: int | None = None
    ) -> tuple[int, int | None]:
        key = (self.key, name) if self.key is not None else None
        return recipes.count(key, make, {Mark.NOW: self.now, Mark.SCORE: score, Mark.STEP: step})

    def _groups(self, score: int, number: int) -> Iterator[tuple[int, tuple[Any, Any]]]:
        if self.ladder:
            middle = self.ladder.index(score)
            first, last = max(0, middle - number - 1), middle + number + 2
            yield from islice(zip(self.ladder.scores, self.ladder.ends, strict=True), first, last)


def in_order(rows: Iterable[Row], rank: int = 1) -> list[Entry]:
    """Return the first rows of a board with their ranks, the first of them with ``rank``."""
    entries: list[Entry] = []
    for place, (pk, score) in enumerate(rows, rank):
        entries.append(Entry(entries[-1].rank if entries and entries[-1].score == score else place, pk, score))
    return entries


def top(visible: QuerySet[Any, Any], depth: int) -> list[Entry]:
    """Return the first ``depth`` of a board."""
    return in_order([(row["user_id"], int(row["score"])) for row in _in_order(visible)[:depth]])


def _in_order(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    return rows.order_by("-score", "user_id")


def place(row: Row) -> tuple[int, Any]:
    """Return what rows are sorted by on a board."""
    return -row[1], row[0]

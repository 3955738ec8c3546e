"""Where somebody stands right now: own scores are live, and all ranks of one answer follow from the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Min

from gamification.backends import scores
from gamification.backends.base import BoardName, Entry, Position, Snapshot
from gamification.backends.ladder import Ladder
from gamification.models import UserXP

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: A user's id and score.
Row = tuple[Any, int]


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

    @cached_property
    def everybody(self) -> QuerySet[Any, Any]:
        return scores.scores(self.board.metric, self.now)

    @cached_property
    def visible(self) -> QuerySet[Any, Any]:
        return scores.visible(self.everybody, self.board, self.snapshot.excluded)

    def of(self, user_id: Any, *, neighbours: int = 0) -> Position:
        """Return the place of a user with up to ``neighbours`` on each side."""
        mine = next(iter(self.everybody.filter(user_id=user_id).values_list("score", flat=True)), 0)
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
        page = _rows(_in_order(self.visible.filter(scores.behind(score, user_id)))[:limit])
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
        tied = reached - rank + 1 if reached is not None else self.visible.filter(score=score).count()
        return rank + max(shown, tied)

    def _greater(self, score: int) -> tuple[int, int | None]:
        """Return how many visible people have a greater score, and the least of those scores."""
        if self.ladder is None:
            return _count(self.visible.filter(score__gt=score))
        reached, step = self.ladder.above(score)
        if self.ladder.is_complete:
            return reached, step
        between = self.everybody.filter(score__gt=score)
        number, nearest = _count(between.filter(score__lt=step) if step is not None else between)
        number -= self.ladder.hidden_between(score, step)
        if number <= 0:
            return reached, step
        if nearest is not None and self.ladder.is_hidden(nearest):
            nearest = self.visible.filter(score__gt=score).order_by("score").values_list("score", flat=True)[0]
        return reached + number, nearest

    def _around(self, score: int, user_id: Any, number: int) -> tuple[list[Row], list[Row], bool]:
        """Return the rows above and below, in the board's order, and whether the user is among the visible ones."""
        if self.ladder and self.ladder.ends:
            return self._around_by_ladder(score, user_id, number)
        ahead, at_or_behind = scores.ahead_of(score, user_id), scores.at_or_behind(score, user_id)
        above = _rows(self.visible.filter(ahead).order_by("score", "-user_id")[:number])[::-1]
        below = _rows(_in_order(self.visible.filter(at_or_behind))[: number + 1])
        is_visible = bool(below) and below[0][0] == user_id
        return above, below[1:] if is_visible else below[:number], is_visible

    def _around_by_ladder(self, score: int, user_id: Any, number: int) -> tuple[list[Row], list[Row], bool]:
        """Return people who were around a score when the snapshot was built: no index knows who they are."""
        me, rows = _place(score, user_id), [row for row in self._known(score, number) if row[0] != user_id]
        above = [row for row in rows if _place(row[1], row[0]) < me][-number:]
        below = [row for row in rows if _place(row[1], row[0]) > me][:number]
        own = scores.visible(UserXP.objects.filter(user_id=user_id).values("user_id"), self.board, self.snapshot.excluded)
        return above, below, own.exists()

    def _known(self, score: int, number: int) -> list[Row]:
        """Return those near a score whom the snapshot names, in order: the top, or the ends of each group of ties."""
        entries = self.snapshot.entries
        if len(entries) > number and score > entries[-1 - number].score:
            return [(entry.user_id, entry.score) for entry in entries]
        found = {pk: near for near, ends in self._groups(score, number) for pk in ends}
        return sorted(found.items(), key=lambda row: _place(row[1], row[0]))

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
    return in_order(_rows(_in_order(visible)[:depth]))


def _rows(rows: QuerySet[Any, Any]) -> list[Row]:
    return [(row["user_id"], int(row["score"])) for row in rows]


def _in_order(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    return rows.order_by("-score", "user_id")


def _place(score: int, user_id: Any) -> tuple[int, Any]:
    """Return what people are sorted by on a board."""
    return -score, user_id


def _count(rows: QuerySet[Any, Any]) -> tuple[int, int | None]:
    found = rows.aggregate(number=Count("user_id"), nearest=Min("score"))
    return found["number"], found["nearest"]

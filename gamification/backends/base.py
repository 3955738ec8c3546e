"""The contract of a leaderboard backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gamification.backends.ladder import Ladder

if TYPE_CHECKING:
    from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class BoardName:
    """A board: its metric, and the group it is narrowed to. ``members`` are the users of that group, None for all."""

    metric: str
    scope: str = ""
    members: QuerySet[Any] | None = None

    def __str__(self) -> str:
        return f"{self.metric}@{self.scope}" if self.scope else self.metric


@dataclass(frozen=True, slots=True)
class Entry:
    """A place on a board: ``rank`` from 1, equal for equal scores."""

    rank: int
    user_id: Any
    score: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The top of a board at ``cached_at``, in order of score and then of user id.

    ``total`` counts the visible users with a score. ``excluded`` are the ids that the project's hook hides. A board
    that is deeper than its snapshot may have a ``ladder``, to count ranks from.
    """

    entries: tuple[Entry, ...]
    total: int
    excluded: frozenset[Any]
    cached_at: datetime
    expires_at: datetime
    ladder: Ladder | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A user's live place: ``rank`` is None at score 0; ``above`` and ``below`` are the nearest neighbours."""

    score: int
    rank: int | None
    above: tuple[Entry, ...] = ()
    below: tuple[Entry, ...] = ()
    next_score: int | None = None


@dataclass(frozen=True, slots=True)
class UserScores:
    """What one commit left of a user's scores, in absolute numbers.

    ``version`` is that of ``UserXP``: it grows by 1 with every write for the user, so whoever sees it jump has missed
    one. ``counters`` and ``xp_by_day`` (by local date) hold only those that the commit changed.
    """

    user_id: Any
    version: int
    is_visible: bool
    total_xp: int
    current_streak: int
    longest_streak: int
    expires_at: datetime | None
    counters: Mapping[str, int]
    xp_by_day: Mapping[date, int]


@runtime_checkable
class KeepsScores(Protocol):
    """A backend that keeps scores outside of the database, which can be built anew and compared."""

    def rebuild(self, now: datetime, report: Callable[[int], object]) -> None:
        """Build everything anew while others write; ``report`` is told how many users are done."""

    def differences(self, now: datetime) -> Iterator[str]:
        """Yield a line for each fact that is not what the database says."""


class LeaderboardBackend(ABC):
    """Ranks by competition ranking: 1 + the number of visible users with a greater score."""

    @classmethod
    def problems(cls) -> list[str]:
        """Return what is wrong with the options in the settings, for ``manage.py check``."""
        return []

    @abstractmethod
    def snapshot(self, board: BoardName, now: datetime) -> Snapshot:
        """Return the snapshot to show at ``now``: fresh, or a little stale while another reader rebuilds it."""

    @abstractmethod
    def earlier_snapshot(self, board: BoardName, cached_at: datetime) -> Snapshot | None:
        """Return the snapshot that a page was begun on, while it is kept."""

    @abstractmethod
    def after(self, board: BoardName, score: int, user_id: Any, limit: int, now: datetime) -> list[Entry]:
        """Return up to ``limit`` live entries behind (score, user id), for pages past the snapshot's depth."""

    @abstractmethod
    def position(
        self, board: BoardName, user_id: Any, now: datetime, *, neighbours: int = 0, snapshot: Snapshot | None = None
    ) -> Position:
        """Return the live place of a user, also of one who is hidden, with up to ``neighbours`` on each side.

        Whoever has just read the ``snapshot`` of ``now`` may pass it on, so that it is not looked up again.
        """

    @abstractmethod
    def changed(self, scores: Sequence[UserScores]) -> None:
        """Take in the scores that a commit has changed; called after it, for one user or for many."""

    @abstractmethod
    def forget(self, user_id: Any) -> None:
        """Drop every snapshot and what else is kept of a user who is being erased; called before the commit."""

    @abstractmethod
    def refresh(self, board: BoardName, now: datetime) -> Snapshot:
        """Rebuild the snapshot of a board now and return it."""

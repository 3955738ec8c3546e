"""Snapshots as they are kept in the database, and those that this process has read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import router

from gamification.backends import ladder, recipes
from gamification.backends.base import BoardName, Entry, Snapshot
from gamification.backends.forks import Lock
from gamification.models import LeaderboardCache

if TYPE_CHECKING:
    from django.db.models import QuerySet

REMEMBERED = 32
HEAD = ("pk", "revision", "stale_at", "claim")


@dataclass(frozen=True, slots=True)
class Head:
    """What a row tells of its snapshot before that is read; ``is_stale``: something changed since it was begun."""

    board: str
    pk: int
    revision: int
    is_stale: bool


def head(board: BoardName) -> Head | None:
    """Return what there is of a board; None without a row."""
    name = str(board)
    for pk, revision, stale_at, claim in recipes.plain("head", _heads, [name], router.db_for_read(LeaderboardCache)):
        return Head(name, pk, revision, stale_at is not None or claim != "")
    return None


def _heads() -> QuerySet[LeaderboardCache, Any]:
    return LeaderboardCache.objects.filter(metric="").values_list(*HEAD)


class Memory:
    """The snapshots that were read last, by board, so that each is decoded once and not for every reader."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._kept: dict[str, tuple[int, Snapshot]] = {}
        self._lock = Lock()

    def current(self, head: Head | None) -> Snapshot | None:
        """Return the current snapshot of a board, which is read only when it is not remembered."""
        if head is None:
            return None
        found = self._kept.get(head.board)
        if found is not None and found[0] == head.revision:
            return found[1]
        kept = LeaderboardCache.objects.filter(pk=head.pk).values_list("revision", "data").first()
        snapshot = decode(kept[1].get("current")) if kept else None
        if kept and snapshot:
            self._remember(head.board, kept[0], snapshot)
        return snapshot

    def _remember(self, board: str, revision: int, snapshot: Snapshot) -> None:
        with self._lock:
            self._kept.pop(board, None)
            while len(self._kept) >= self._limit:
                del self._kept[next(iter(self._kept))]
            self._kept[board] = (revision, snapshot)


def encode(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as JSON."""
    return {
        "entries": [[entry.rank, ladder.plain_key(entry.user_id), entry.score] for entry in snapshot.entries],
        "total": snapshot.total,
        "excluded": [ladder.plain_key(pk) for pk in snapshot.excluded],
        "cached_at": snapshot.cached_at.isoformat(),
        "expires_at": snapshot.expires_at.isoformat(),
        "ladder": ladder.encode(snapshot.ladder) if snapshot.ladder else None,
    }


def decode(data: dict[str, Any] | None) -> Snapshot | None:
    """Return the snapshot that was encoded; None where there is none."""
    if not data:
        return None
    to_key = get_user_model()._meta.pk.to_python
    return Snapshot(
        entries=tuple(Entry(rank, to_key(pk), score) for rank, pk, score in data["entries"]),
        total=data["total"],
        excluded=frozenset(to_key(pk) for pk in data["excluded"]),
        cached_at=datetime.fromisoformat(data["cached_at"]),
        expires_at=datetime.fromisoformat(data["expires_at"]),
        ladder=ladder.decode(data["ladder"], to_key) if data.get("ladder") else None,
    )

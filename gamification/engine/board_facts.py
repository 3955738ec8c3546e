"""Kept snapshots of leaderboards, held against the scores that they were built from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gamification.backends import get_backend, snapshots
from gamification.backends.base import BoardName
from gamification.backends.database import DatabaseBackend
from gamification.backends.scores import scores as board_scores
from gamification.models import LeaderboardCache, UserXP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

#: How long after its commit a score may take to mark the snapshots that lack it, in seconds.
MARKED_WITHIN = 0.5


def differing(now: datetime) -> Iterator[str]:
    """Yield the names of the boards whose kept snapshot gives somebody another score than the tables do.

    Left out are boards of groups, and snapshots that are marked as stale or have expired: they are built anew anyway.
    Who is on one may differ, because people are banned and hidden from one moment to the next.
    """
    backend = get_backend()
    if not isinstance(backend, DatabaseBackend):
        return
    for row in _in_force(now).exclude(metric__contains="@").order_by("metric"):
        kept = snapshots.decode(row.data.get("current"))
        scores = {entry.user_id: entry.score for entry in kept.entries} if kept else {}
        built = backend.build(BoardName(row.metric), now).entries
        gone = scores.keys() - {entry.user_id for entry in built}
        is_other = any(scores.get(entry.user_id, entry.score) != entry.score for entry in built)
        if is_other or _have_fallen(row.metric, gone, now):
            time.sleep(MARKED_WITHIN)
            if _in_force(now).filter(pk=row.pk, revision=row.revision).exists():
                yield row.metric


def _have_fallen(metric: str, ids: Collection[Any], now: datetime) -> bool:
    """Tell whether some of those who take part have no score any more, and are not only hidden."""
    have_score = board_scores(metric, now).filter(user_id__in=ids).count()
    return have_score < UserXP.objects.filter(user_id__in=ids).count()


def rebuild(metric: str, now: datetime) -> None:
    """Build the snapshot of a board anew."""
    get_backend().refresh(BoardName(metric), now)


def _in_force(now: datetime) -> QuerySet[LeaderboardCache]:
    fresh = LeaderboardCache.objects.filter(stale_at__isnull=True, claim="")
    return fresh.filter(cached_at__lte=now, expires_at__gt=now)

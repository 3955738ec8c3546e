"""How many people have each achievement: counted now and then, and kept in the cache for everybody."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from gamification.models import UserAchievement, UserXP

KEY, CLAIM = "gamification.holders", "gamification.holders.claim"
#: In seconds: how long a count stands at least, how long an old one is kept, how long a claim to count holds.
FRESH, KEPT, CLAIMED = 60, 7 * 24 * 60 * 60, 300
#: A count stands a thousand times as long as it took, so that it never costs more than a thousandth of the time.
PATIENCE = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holders:
    """The number of players, and of those who have each achievement, by its id; it stands until ``fresh_until``."""

    players: int
    counts: dict[str, int]
    fresh_until: float

    def share(self, achievement_id: str) -> float:
        """Return how many percent of all players have it."""
        return 100 * self.counts.get(achievement_id, 0) / self.players if self.players else 0.0


def holders() -> Holders | None:
    """Return the latest count; None while the first is being made elsewhere, or where no cache keeps it.

    Of all processes that share the cache one counts anew, while the others are given the old count.
    """
    try:
        kept: Holders | None = cache.get(KEY)
        is_fresh = kept is not None and time.time() < kept.fresh_until
        if is_fresh or not cache.add(CLAIM, 1, CLAIMED) or cache.get(CLAIM) is None:
            return kept
    except Exception as error:  # noqa: BLE001 -- each backend has errors of its own
        logger.warning("The cache does not tell how many people have each achievement: %r", error)
        return None
    kept = count()
    try:
        cache.set(KEY, kept, KEPT)
        cache.delete(CLAIM)
    except Exception as error:  # noqa: BLE001
        logger.warning("The cache does not keep how many people have each achievement: %r", error)
    return kept


def count(achievement_id: str | None = None) -> Holders:
    """Count who has each achievement, or that one, through an index alone."""
    began = time.perf_counter()
    rows = UserAchievement.objects.unlocked().order_by()
    if achievement_id is not None:
        rows = rows.filter(achievement_id=achievement_id)
    counts = dict(rows.values_list("achievement_id").annotate(number=Count("*")))
    players = UserXP.objects.count()
    lasts = max(FRESH, PATIENCE * (time.perf_counter() - began))
    return Holders(players, counts, time.time() + lasts)

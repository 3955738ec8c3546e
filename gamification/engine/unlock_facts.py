"""Facts about what a user has unlocked: the unlocks, what they paid, and how far the others are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from gamification.conf import STATE_METRICS, get_settings
from gamification.domain.activity_types import ACHIEVEMENTS_UNLOCKED
from gamification.engine import facts, ledger, unlocking
from gamification.engine.facts import Fact
from gamification.engine.ledger import Booking
from gamification.engine.records import Records
from gamification.models import Achievement, UserAchievement, XPTransaction
from gamification.models.xp import Source

if TYPE_CHECKING:
    from gamification.engine.players import Player
    from gamification.engine.rules import Rulebook


def unlocks(player: Player, records: Records) -> Iterator[Fact]:
    """Yield the unlocks that only the ledger still knows of, and the progress of what is unlocked."""
    for name, grants in records.grants.items():
        row = player.unlocks.get(name) or UserAchievement()
        if row.is_unlocked and f"{name}:{row.grants}" in records.live_rewards:
            continue
        live = max(
            (int(key.rpartition(":")[2]) for key in records.live_rewards if key.startswith(f"{name}:")), default=0
        )
        # Of what is unlocked the one that was paid counts; of the rest the last, so that the next has a key of its own.
        derived = (live or row.grants) if row.is_unlocked else max(grants, row.grants)
        yield Fact(f"grants of {name}", row.grants, derived, partial(_restore, player, name, derived))
        if live and row.unlocked_at is None and row.revoked_at is None:
            yield Fact(f"unlock of {name}", False, True, partial(_restore, player, name, derived, f"{name}:{live}"))
    for name, row in player.unlocks.items():
        if row.is_unlocked:
            yield Fact(f"progress of {name}", row.progress, 100, partial(_set_progress, player, name, 100))


def _restore(player: Player, name: str, grants: int, key: str = "") -> None:
    """Write the row of an achievement again, unless its definition is gone; the reward ``key`` says that it is held."""
    if Achievement.objects.filter(achievement_id=name).exists():
        rows = XPTransaction.objects.filter(user_id=player.user.pk, source=Source.ACHIEVEMENT)
        unlocking.restore(player, name, grants, rows.get(key=key) if key else None)


def _set_progress(player: Player, name: str, percent: int) -> None:
    player.unlock_row(name).progress = percent


def progress(player: Player, records: Records, rules: Rulebook) -> Iterator[Fact]:
    """Yield the stored progress of what is still open.

    It never falls, so it is at least what the rule in force makes of the values as they are, and at most what it makes
    of the best that they ever were. What was never stored is left alone: a rule may be new.
    """
    rows = {name: row for name, row in player.unlocks.items() if row.unlocked_at is None and row.revoked_at is None}
    streak, level = facts.streak_of(player, records), facts.highest_level_of(player, records)
    state = (streak.current, streak.longest, streak.total_active_days, records.total_xp_earned, level)
    values = facts.counters_of(player, records) | dict(zip(STATE_METRICS, state, strict=True))
    best = values | {
        ACHIEVEMENTS_UNLOCKED: sum(row.grants > 0 for row in player.unlocks.values()),
        "current_streak": streak.longest,
        "total_xp_earned": records.xp_ever,
    }
    for name in rows.keys() & rules.positions.keys():
        rule = rules.rules[rules.positions[name]]
        if rule.metrics & get_settings().METRICS.keys():
            continue  # what the project computes is in no record
        least, most = (rule.condition.percent(each) for each in (values, best))
        derived = min(max(rows[name].progress, least), max(least, most))
        yield Fact(f"progress of {name}", rows[name].progress, derived, partial(_set_progress, player, name, derived))


def rewards(player: Player, records: Records, now: datetime) -> Iterator[Fact]:
    """Yield, for each achievement, which grant of it should have paid and which has."""
    due = {name: f"{name}:{row.grants}" for name, row in player.unlocks.items() if _pays(row)}
    for key in sorted({*due.values(), *records.live_rewards}):
        is_due, is_paid = key in due.values(), key in records.live_rewards
        yield Fact(f"reward {key}", is_paid, is_due, partial(_pay, player, key, now, is_due=is_due))


def _pays(row: UserAchievement) -> bool:
    return row.is_unlocked and bool(row.unlock_metadata.get("xp"))


def _pay(player: Player, key: str, now: datetime, *, is_due: bool) -> None:
    """Book the reward that is missing, or take back the one too many."""
    name = key.rpartition(":")[0]
    if is_due:
        xp = player.unlocks[name].unlock_metadata["xp"]
        missing = Booking(xp, Source.ACHIEVEMENT, "achievement_unlocked", key, reference_id=name)
        ledger.book(player, missing, now)
    else:
        paid = XPTransaction.objects.get(user_id=player.user.pk, source=Source.ACHIEVEMENT, key=key)
        ledger.book(player, ledger.opposite(paid, "repair"), now)

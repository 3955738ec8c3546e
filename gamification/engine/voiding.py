"""Voiding: taking back what one activity has brought, step by step as it was recorded. The user must be locked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from gamification.domain import calendar
from gamification.engine import counters, ledger, limiting, players, refolding, unlocking
from gamification.models import Activity, XPTransaction
from gamification.models.xp import Source

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.domain.streaks import Policy
    from gamification.engine.players import Player
    from gamification.engine.rules import Rule, Rulebook


def take_back(player: Player, activity: Activity, policy: Policy, *, reason: str, now: datetime, **by: Any) -> None:
    """Take back what an activity that is not voided yet has brought; ``by`` is the ``actor``, or None.

    The streak bonus of its day goes too, unless another activity on that day is as good a reason for it; bonuses of
    other days are not computed anew.

    Raises:
        InsufficientXP: the total would fall below 0.
    """
    day = player.day(activity.local_date)
    day.activities = max(0, day.activities - 1)  # a day that has drifted is no reason to refuse
    limiting.give_back(player, activity)
    counters.uncount(player, activity.counters, *_untold(activity))
    is_bonus_due = not activity.is_in_streak or refolding.refold_without(player, activity, policy)
    paid = Q(source=Source.ACTIVITY, key=str(activity.pk))
    if not is_bonus_due:
        paid |= Q(source=Source.STREAK, earned_on=activity.local_date)
    for row in XPTransaction.objects.filter(paid, user_id=player.user.pk, reversed_by__isnull=True).order_by("pk"):
        ledger.book(player, ledger.opposite(row, reason, **by), now)


def standing(player: Player, rules: Rulebook) -> list[Rule]:
    """Return the rules whose achievement the player has, by its condition and as it holds now; not those granted.

    A streak that has ended still counts: what it reached was reached.
    """
    players.load_unlocks([player])
    mine = [rule for rule in rules.rules if _has_earned(player, rule)]
    values = _best_values(player, mine)
    return [rule for rule in mine if rule.condition.is_met(values)]


def revoke_fallen(
    player: Player,
    stood: list[Rule],
    rules: Rulebook,
    *,
    reason: str,
    now: datetime,
    actor: AbstractBaseUser | None = None,
) -> list[str]:
    """Revoke those that ``stood`` and do not any more, and in turn those that stood on them; return their ids.

    Raises:
        InsufficientXP: the total would fall below 0.
    """
    revoked: list[str] = []
    while True:
        still = {rule.achievement_id for rule in standing(player, rules)}
        fallen = [rule.achievement_id for rule in stood if rule.achievement_id not in {*still, *revoked}]
        if not fallen:
            return revoked
        for achievement_id in fallen:
            unlocking.revoke(player, achievement_id, reason, now=now, actor=actor)
        revoked += fallen


def percents(player: Player, rules: Rulebook) -> dict[str, int]:
    """Return what the rules that are open and begun make of the values, in percent; a streak that has ended counts."""
    begun = [rule for rule in rules.rules if player.progress(rule.achievement_id)]
    values = _best_values(player, begun)
    return {rule.achievement_id: rule.condition.percent(values) for rule in begun}


def follow_progress(player: Player, rules: Rulebook, before: Mapping[str, int]) -> None:
    """Let progress follow where the void changed it from ``before``: down, or up where days were joined."""
    for name, percent in percents(player, rules).items():
        if percent < before.get(name, 0) or percent > player.progress(name):
            player.set_progress(name, percent)


def _best_values(player: Player, rules: list[Rule]) -> dict[str, int]:
    values = unlocking.values_for(player, frozenset().union(*(rule.metrics for rule in rules)))
    return values | {"current_streak": player.streak.longest_streak}


def _has_earned(player: Player, rule: Rule) -> bool:
    row = player.unlocks.get(rule.achievement_id)
    return row is not None and row.is_unlocked and "reason" not in row.unlock_metadata


def _untold(activity: Activity) -> tuple[date | None, date | None]:
    """Return the dates of the early morning and of the night of an activity, where no other one tells of them."""
    zone = ZoneInfo(activity.timezone)
    early = activity.local_date if calendar.is_early(activity.occurred_at, zone) else None
    night = calendar.night_of(activity.occurred_at, zone)
    if early is None and night is None:
        return None, None
    dates = [on for on in (early, night) if on is not None]
    others = Activity.objects.unvoided().filter(
        user_id=activity.user_id, local_date__range=(min(dates), max(dates) + calendar.DAY)
    )
    for at, name, day in others.exclude(pk=activity.pk).values_list("occurred_at", "timezone", "local_date"):
        other = ZoneInfo(name)
        if day == early and calendar.is_early(at, other):
            early = None
        if calendar.night_of(at, other) == night:
            night = None
    return early, night

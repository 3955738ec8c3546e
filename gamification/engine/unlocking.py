"""Unlocking: which rules a change has met, what they pay, and how far the others are. The user must be locked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gamification import signals
from gamification.conf import get_settings
from gamification.domain.activity_types import ACHIEVEMENTS_UNLOCKED
from gamification.engine import ledger
from gamification.engine.ledger import Booking
from gamification.engine.rules import Rule, Rulebook
from gamification.models import Notice, XPTransaction
from gamification.models.notices import NoticeKind
from gamification.models.xp import Source

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player


def unlock_met(
    player: Player,
    rulebook: Rulebook,
    changed: Collection[str],
    *,
    at: datetime,
    now: datetime,
    earned_on: date | None,
    via: Mapping[str, Any],
) -> tuple[str, ...]:
    """Unlock what the ``changed`` metrics have met, and what its XP meets in turn, and return the ids in that order.

    ``at`` becomes ``unlocked_at``; ``earned_on`` is the date of the XP, if any; ``via`` says how, for the row's
    metadata.
    """
    unlocked: list[str] = []
    touched = set(changed)
    pending = set(changed)
    while pending:
        rules = rulebook.within_reach(pending, values_for(player, pending), but=_closed(player, rulebook))
        values = values_for(player, _asked_by(rules)) if rules else {}
        pending = set()
        for rule in rules:
            if rule.condition.is_met(values):
                if not grant(player, rule.achievement_id, rule.xp_reward, at=at, now=now, earned_on=earned_on, via=via):
                    continue
                unlocked.append(rule.achievement_id)
                pending |= {ACHIEVEMENTS_UNLOCKED} | (ledger.XP_METRICS if rule.xp_reward else set())
        touched |= pending
    _note_progress(player, rulebook.depending_on(touched, but=_closed(player, rulebook)))
    return tuple(unlocked)


def grant(
    player: Player,
    achievement_id: str,
    xp_reward: int,
    *,
    at: datetime,
    now: datetime,
    earned_on: date | None,
    via: Mapping[str, Any],
    actor: AbstractBaseUser | None = None,
) -> bool:
    """Give an achievement and book its XP, keyed by the achievement and which grant it is; tell whether it was new.

    Where only the ledger still knows of it, because its row was lost, the row comes back, and nothing is paid twice.
    """
    granted, live = _lost(player, achievement_id)
    if live is not None:
        restore(player, achievement_id, granted, live)
        return False
    row = player.close(achievement_id)
    row.grants = max(row.grants, granted)
    row.unlocked_at = at
    row.revoked_at = None
    row.progress = 100
    row.grants += 1
    row.unlock_metadata = {**via, "xp": xp_reward}
    player.raise_counter(ACHIEVEMENTS_UNLOCKED, 1)
    if xp_reward:
        paid = Booking(
            xp_reward,
            Source.ACHIEVEMENT,
            "achievement_unlocked",
            f"{achievement_id}:{row.grants}",
            earned_on=earned_on,
            reference_id=achievement_id,
            metadata={"reason": via["reason"]} if via.get("reason") else {},
            actor=actor,
        )
        ledger.book(player, paid, now)
    player.announce(signals.achievement_unlocked, user_achievement=row)
    player.notices.append((NoticeKind.ACHIEVEMENT.value, achievement_id, xp_reward))
    return True


def restore(player: Player, achievement_id: str, grants: int, paid: XPTransaction | None = None) -> None:
    """Write again what the ledger says of an achievement: how often it was granted, and ``paid`` that it is held."""
    row = player.unlock_row(achievement_id)
    row.grants = grants
    if paid is not None:
        player.close(achievement_id)
        row.unlocked_at, row.revoked_at, row.progress = paid.created_at, None, 100
        row.unlock_metadata = {"by": "repair", "xp": paid.xp_amount}


def _lost(player: Player, achievement_id: str) -> tuple[int, XPTransaction | None]:
    """Return how often the ledger knows of an achievement that has no row, and the reward that nobody took back."""
    is_kept = achievement_id in player.open or achievement_id in player.closed or achievement_id in player.unlocks
    if is_kept or not player.xp.version:
        return 0, None
    paid = XPTransaction.objects.filter(
        user_id=player.user.pk, source=Source.ACHIEVEMENT, key__startswith=f"{achievement_id}:"
    )
    rows = {row.key.rpartition(":")[2]: row for row in paid.select_related("reversed_by")}
    grants = sorted((int(number), row) for number, row in rows.items() if number.isdecimal())
    live = [row for _, row in grants if not hasattr(row, "reversed_by")]
    return (grants[-1][0] if grants else 0), (live[-1] if live else None)


def revoke(
    player: Player, achievement_id: str, reason: str, *, now: datetime, actor: AbstractBaseUser | None = None
) -> None:
    """Take an unlocked achievement back, with the XP that it paid and still has; it is not unlocked again by itself.

    Raises:
        InsufficientXP: the total would fall below 0.
    """
    row = player.unlock_row(achievement_id)
    paid = XPTransaction.objects.filter(
        user_id=player.user.pk,
        source=Source.ACHIEVEMENT,
        key=f"{achievement_id}:{row.grants}",
        reversed_by__isnull=True,
    ).first()
    if paid is not None:
        ledger.book(player, ledger.opposite(paid, reason, actor=actor), now)
    row.revoked_at = now
    player.announce(signals.achievement_revoked, user_achievement=row)
    player.raise_counter(ACHIEVEMENTS_UNLOCKED, -1)
    Notice.objects.filter(user_id=player.user.pk, kind=NoticeKind.ACHIEVEMENT, subject=achievement_id).delete()


def values_for(player: Player, metrics: Collection[str]) -> dict[str, int]:
    """Return the player's values, with those of the project's own ``metrics``."""
    values, settings = player.values(), get_settings()
    for name in sorted(settings.METRICS.keys() & metrics) if settings.METRICS else ():
        values[name] = int(settings.metric(name)(player.user))
    return values


def _closed(player: Player, rulebook: Rulebook) -> int:
    """Return the set of rules whose achievement the player has, or lost by revocation."""
    if player.closed_rules is None:
        player.closed_rules = rulebook.set_of(player.closed)
    return player.closed_rules


def _asked_by(rules: Collection[Rule]) -> frozenset[str]:
    return frozenset().union(*(rule.metrics for rule in rules))


def _note_progress(player: Player, rules: list[Rule]) -> None:
    """Store the whole percent of what is not unlocked yet, where it has grown."""
    values = values_for(player, _asked_by(rules))
    for rule in rules:
        percent = rule.condition.percent(values)
        if percent > player.progress(rule.achievement_id):
            player.set_progress(rule.achievement_id, percent)

"""Achievements: the catalogue, what somebody has of it, and unlocking."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from gamification.domain import calendar
from gamification.domain.activity_types import ACHIEVEMENTS_UNLOCKED
from gamification.domain.catalogue import CATALOGUE, Definition
from gamification.engine import announcing, inputs, ledger, players, saving, shares, unlocking
from gamification.engine.catalogue import states
from gamification.engine.clock import moment
from gamification.engine.results import AchievementState, Seeded
from gamification.engine.rules import rulebook
from gamification.exceptions import NotUnlocked, UnknownAchievement
from gamification.models import Achievement
from gamification.models.achievements import AchievementQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player

SHIPPED_FIELDS = ("name", "description", "category", "rarity", "xp_reward", "icon", "conditions")


def initialize(*, overwrite: bool = False) -> Seeded:
    """Create the shipped definitions that are missing; what staff edited stays unless ``overwrite`` is given."""
    with transaction.atomic():
        existing = {row.achievement_id: row for row in Achievement.objects.select_for_update()}
        missing = [
            _shipped(definition, order)
            for order, definition in enumerate(CATALOGUE)
            if definition.achievement_id not in existing
        ]
        Achievement.objects.bulk_create(missing, ignore_conflicts=True)
        edited = [
            definition for definition in CATALOGUE if _differs(existing.get(definition.achievement_id), definition)
        ]
        for definition in edited if overwrite else ():
            row = existing[definition.achievement_id]
            for name in SHIPPED_FIELDS:
                setattr(row, name, getattr(definition, name))
            row.save()
    updated = len(edited) if overwrite else 0
    return Seeded(created=len(missing), updated=updated, unchanged=len(CATALOGUE) - len(missing) - updated)


def catalogue(viewer: AbstractBaseUser) -> list[AchievementState]:
    """Return all definitions that ``viewer`` may know of, in order; hidden ones that are still locked are masked."""
    return states(viewer, Achievement.objects.listed_for(viewer))


def for_user(user: AbstractBaseUser) -> list[AchievementState]:
    """Return what ``user`` has unlocked."""
    return [state for state in states(user, Achievement.objects.unlocked_by(user)) if state.unlocked]


def progress(user: AbstractBaseUser) -> list[AchievementState]:
    """Return how far ``user`` is with every definition that is no secret."""
    return [state for state in catalogue(user) if not state.is_masked]


def get(achievement_id: str, viewer: AbstractBaseUser) -> AchievementState:
    """Return one definition as ``viewer`` sees it.

    Raises:
        UnknownAchievement: there is none, or it is hidden until ``viewer`` unlocks it.
    """
    rows = Achievement.objects.listed_for(viewer).visible_to(viewer)
    found = states(viewer, _named(rows, achievement_id))
    if not found:
        raise UnknownAchievement("There is no such achievement.", field="achievement_id")
    return found[0]


def share_of_holders(achievement_id: str) -> float:
    """Return how many percent of all players have it, to one decimal; counted at most once a minute."""
    if not inputs.is_storable(achievement_id):
        return 0.0
    holders = shares.holders() or shares.count(achievement_id)
    return round(holders.share(achievement_id), 1)


def shares_of_holders() -> dict[str, float]:
    """Return how many percent of all players have each achievement that somebody has, by its id.

    It is empty where that is not known: never counted on the way to a page, but now and then for everybody.
    """
    holders = shares.holders()
    return {name: holders.share(name) for name in holders.counts} if holders else {}


def check(user: AbstractBaseUser, *, now: datetime | None = None) -> tuple[str, ...]:
    """Unlock whatever ``user`` has met by now and return the ids; asked again, none."""
    at = moment(now)
    with transaction.atomic():
        player = _locked(user, at)
        book = rulebook()
        today = calendar.local_date(at, player.zone)
        highest = player.xp.highest_level
        unlocked = unlocking.unlock_met(
            player, book, book.ladders.keys(), at=at, now=at, earned_on=today, via={"by": "check"}
        )
        if player.changed_unlocks or player.changed_progress:
            ledger.announce_level(player, highest)
            saving.save({user.pk: player})
            announcing.after_commit([player])
    return unlocked


def unlock(
    user: AbstractBaseUser,
    achievement_id: str,
    *,
    actor: AbstractBaseUser | None = None,
    reason: str = "",
    now: datetime | None = None,
) -> bool:
    """Grant an achievement with its XP, whether or not its condition is met; tell whether it was new.

    Raises:
        UnknownAchievement: there is no such definition.
    """
    at = moment(now)
    reason = inputs.clean_text(reason, "reason", required=False)
    definition = _named(Achievement.objects.all(), achievement_id).first()
    if definition is None:
        raise UnknownAchievement("There is no such achievement.", field="achievement_id")
    with transaction.atomic():
        player = _locked(user, at)
        players.load_unlocks([player])
        row = player.unlocks.get(achievement_id)
        if row is not None and row.is_unlocked:
            return False
        today = calendar.local_date(at, player.zone)
        highest = player.xp.highest_level
        via = {"by": "grant", "reason": reason}
        is_new = unlocking.grant(
            player, achievement_id, definition.xp_reward, at=at, now=at, earned_on=today, via=via, actor=actor
        )
        changed = {ACHIEVEMENTS_UNLOCKED, *ledger.XP_METRICS}
        unlocking.unlock_met(player, rulebook(), changed, at=at, now=at, earned_on=today, via={"by": "grant"})
        ledger.announce_level(player, highest)
        saving.save({user.pk: player})
        announcing.after_commit([player])
    return is_new


def revoke(
    user: AbstractBaseUser,
    achievement_id: str,
    *,
    actor: AbstractBaseUser | None = None,
    reason: str = "",
    now: datetime | None = None,
) -> None:
    """Take an achievement back, with the XP that it paid; it is not unlocked again by itself.

    Raises:
        NotUnlocked: the user does not have it.
        InsufficientXP: the total would fall below 0.
    """
    at = moment(now)
    reason = inputs.clean_text(reason, "reason", required=False)
    with transaction.atomic():
        player = _locked(user, at)
        players.load_unlocks([player])
        row = player.unlocks.get(achievement_id)
        if row is None or not row.is_unlocked:
            raise NotUnlocked(field="achievement_id")
        unlocking.revoke(player, achievement_id, reason or "achievement_revoked", now=at, actor=actor)
        saving.save({user.pk: player})
        announcing.after_commit([player])


def _named(rows: AchievementQuerySet, achievement_id: str) -> AchievementQuerySet:
    """Keep the definition of that id; what no database can store is the id of none."""
    return rows.filter(achievement_id=achievement_id) if inputs.is_storable(achievement_id) else rows.none()


def _locked(user: AbstractBaseUser, at: datetime) -> Player:
    return players.lock([user], calendar.earliest_date(at))[user.pk]


def _shipped(definition: Definition, order: int) -> Achievement:
    fields = {name: getattr(definition, name) for name in SHIPPED_FIELDS}
    return Achievement(achievement_id=definition.achievement_id, order=order, **fields)


def _differs(row: Achievement | None, definition: Definition) -> bool:
    return row is not None and any(getattr(row, name) != getattr(definition, name) for name in SHIPPED_FIELDS)

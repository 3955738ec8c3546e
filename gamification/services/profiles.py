"""Public profiles: what somebody chose to show to everybody, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gamification.conf import get_settings
from gamification.engine import days, faces, inputs, ledger, names, players
from gamification.engine.clock import moment
from gamification.engine.results import CalendarDay, LevelInfo
from gamification.exceptions import InvalidInput
from gamification.models import Achievement, PublicProfile
from gamification.models.profiles import SHOWCASE_MAX, new_slug

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a person decided; ``slug`` is empty before the first decision, ``showcase`` holds ids of achievements."""

    is_public: bool = False
    slug: str = ""
    showcase: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What everybody may see of a person. ``days`` are the last 365 of the UTC calendar, which tells no zone."""

    slug: str
    name: str
    level: LevelInfo
    showcase: tuple[Achievement, ...]
    days: tuple[CalendarDay, ...]


def sharing(user: AbstractBaseUser) -> Sharing:
    """Return what ``user`` decided so far; what was taken back is no longer in the showcase."""
    row = PublicProfile.objects.filter(user_id=user.pk).first()
    return _decided(row, user) if row else Sharing()


def share(user: AbstractBaseUser, *, is_public: bool, showcase: Sequence[str] = ()) -> Sharing:
    """Show the page of ``user`` with these achievements, or take it away at once; its address stays.

    Raises:
        InvalidInput: more than three are to be shown, one twice, or one that ``user`` does not have or that is a
            secret to others.
    """
    chosen = list(showcase)
    if len(chosen) > SHOWCASE_MAX:
        raise InvalidInput(f"At most {SHOWCASE_MAX} achievements can be shown.", field="showcase")
    if len(set(chosen)) < len(chosen):
        raise InvalidInput("An achievement can be shown once.", field="showcase")
    if len(_shown(user, chosen)) < len(chosen):
        raise InvalidInput("Only achievements that were unlocked, and are no secret, can be shown.", field="showcase")
    row, _is_new = PublicProfile.objects.update_or_create(
        user_id=user.pk, defaults={"is_public": is_public, "showcase": chosen}
    )
    return _decided(row, user)


def renew(user: AbstractBaseUser) -> Sharing:
    """Give the page of ``user`` another address; from now on the old one leads nowhere."""
    row, _is_new = PublicProfile.objects.update_or_create(user_id=user.pk, defaults={"slug": new_slug()})
    return _decided(row, user)


def find(slug: str, *, now: datetime | None = None) -> Profile | None:
    """Return the public profile at ``slug``; None when there is none, it is switched off, or its owner is banned.

    Being on no leaderboard is another decision: it hides nobody's profile.
    """
    if not inputs.is_storable(slug):
        return None
    row = PublicProfile.objects.select_related("user").filter(slug=slug, is_public=True).first()
    if row is None or not faces.may_appear(row.user):
        return None
    user = row.user
    today = moment(now).astimezone(UTC).date()
    return Profile(
        slug=row.slug,
        name=names.public_name(user, get_settings().hook("DISPLAY_NAME")),
        level=ledger.level_of(players.glance([user])[user.pk].xp),
        showcase=_shown(user, row.showcase),
        days=days.calendar_days(user, today),
    )


def _decided(row: PublicProfile, user: AbstractBaseUser) -> Sharing:
    shown = tuple(definition.achievement_id for definition in _shown(user, row.showcase))
    return Sharing(row.is_public, row.slug, shown)


def _shown(user: AbstractBaseUser, wanted: Sequence[object]) -> tuple[Achievement, ...]:
    """Return those of ``wanted`` that ``user`` has by now, in that order; of secrets others must learn nothing."""
    storable = [name for name in wanted if isinstance(name, str) and inputs.is_storable(name)]
    if not storable:
        return ()
    rows = Achievement.objects.unlocked_by(user).filter(achievement_id__in=storable, is_hidden=False)
    found = {row.achievement_id: row for row in rows}
    return tuple(found[name] for name in storable if name in found)

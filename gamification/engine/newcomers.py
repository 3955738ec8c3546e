"""What people have before they did anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gamification.conf import get_settings
from gamification.domain import calendar
from gamification.models import UserStreak, UserXP

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def xp_of(user_id: Any) -> UserXP:
    """Return the row of somebody without XP."""
    info = get_settings().levels.describe(0)
    return UserXP(user_id=user_id, xp_to_next_level=info.xp_to_next_level, title=info.title)


def streak_of(user: AbstractBaseUser) -> UserStreak:
    """Return the row of somebody without a day, with the freezes and the zone that the project gives."""
    settings = get_settings()
    hook = settings.hook("USER_TIMEZONE")
    zone = hook(user) if hook else None
    if zone not in calendar.timezone_names():
        zone = settings.DEFAULT_TIMEZONE
    freezes = settings.STREAK_FREEZES
    return UserStreak(user_id=user.pk, streak_freezes_available=freezes, starting_freezes=freezes, timezone=str(zone))


def zone_of(user: AbstractBaseUser) -> ZoneInfo:
    """Return the zone in which the days of ``user`` are counted, without locking."""
    name = UserStreak.objects.filter(user_id=user.pk).values_list("timezone", flat=True).first()
    return ZoneInfo(name or streak_of(user).timezone)

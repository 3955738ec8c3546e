"""People as the sorted sets know them: names of members, moments as numbers, scores read from the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from gamification.backends import scores
from gamification.backends.base import UserScores
from gamification.conf import get_settings
from gamification.models import UserCounter, UserDay, UserStreak, UserXP

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINDOW_DAYS = max(scores.WINDOWS.values())
#: Why somebody is not shown, as the scripts know it.
SHOWN, OPTED_OUT, INACTIVE, EXCLUDED = "", "o", "i", "e"


@dataclass(frozen=True)
class Person:
    """All scores of a user, and why they are not shown."""

    scores: UserScores
    hidden: str


def member_of(user_id: Any) -> str:
    """Return the member that stands for a user; as texts, members are in the order of the ids."""
    return f"{user_id:019d}" if isinstance(user_id, int) else str(user_id)


def id_of(member: str) -> Any:
    """Return the user that a member stands for."""
    return get_user_model()._meta.pk.to_python(member)


def micros(moment: datetime) -> int:
    """Return the microseconds since 1970; up to the year 2255 a double holds them exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def day_number(on: date) -> int:
    """Return the days since 1970."""
    return (on - EPOCH.date()).days


def today(now: datetime) -> int:
    """Return the number of the date in UTC."""
    return day_number(now.astimezone(UTC).date())


def known() -> QuerySet[UserXP]:
    """Return the rows of everybody for whom something was ever written; being locked makes blank ones."""
    return UserXP.objects.exclude(version=0, total_xp=0)


def read(ids: Iterable[Any], day: int) -> dict[Any, Person]:
    """Return all scores of those of ``ids`` who have any, for windows that end with ``day``.

    The version is read first: what is read after it may be newer, and then the write that it belongs to sets it again.
    """
    first = EPOCH.date() + timedelta(days=day - WINDOW_DAYS + 1)
    rows = known().filter(user_id__in=list(ids)).select_related("user").in_bulk()
    streaks = UserStreak.objects.in_bulk(list(rows))
    counters: dict[Any, dict[str, int]] = {pk: {} for pk in rows}
    for pk, name, value in UserCounter.objects.filter(user_id__in=rows, name__in=scores.metrics()).values_list(
        "user_id", "name", "value"
    ):
        counters[pk][name] = value
    days: dict[Any, dict[date, int]] = {pk: {} for pk in rows}
    for pk, on, xp in UserDay.objects.filter(user_id__in=rows, date__gte=first).values_list("user_id", "date", "xp"):
        days[pk][on] = xp
    return {
        pk: _person(row, streaks.get(pk) or UserStreak(user_id=pk), counters[pk], days[pk]) for pk, row in rows.items()
    }


def _person(xp: UserXP, streak: UserStreak, counters: Mapping[str, int], days: Mapping[date, int]) -> Person:
    found = UserScores(
        user_id=xp.user_id,
        version=xp.version,
        is_visible=xp.is_shown,
        total_xp=xp.total_xp,
        current_streak=streak.current_streak,
        longest_streak=streak.longest_streak,
        expires_at=streak.expires_at,
        counters=counters,
        xp_by_day=days,
    )
    return Person(found, hidden_by_host(xp.user) or (SHOWN if xp.is_shown else OPTED_OUT))


def hidden_by_host(user: Any) -> str:
    """Return why the host hides ``user``, or an empty text."""
    if scores.has_active_flag() and not user.is_active:
        return INACTIVE
    is_excluded = get_settings().hook("IS_EXCLUDED")
    return EXCLUDED if is_excluded and is_excluded(user) else SHOWN


def hideable() -> QuerySet[Any]:
    """Return the users whom the host may hide: all where a hook decides, else those who are inactive."""
    users = get_user_model()._default_manager.order_by("pk")
    if get_settings().IS_EXCLUDED:
        return users.all()
    return users.filter(is_active=False) if scores.has_active_flag() else users.none()


def arguments(
    found: UserScores, flag: str, boards: Sequence[str], *, epoch: str = "", is_whole: bool
) -> list[str | int]:
    """Return what the scripts take; without ``is_whole`` what is left out stays as it is."""
    known: dict[str, str | int] = {"xp_all_time": found.total_xp, "streak_longest": found.longest_streak}
    known |= {**found.counters, **dict.fromkeys([*scores.WINDOWS, scores.STREAK_CURRENT], "")}  # days and expiry say
    missing = 0 if is_whole else ""
    days = [part for on, xp in found.xp_by_day.items() for part in (day_number(on), xp)]
    expires_at: str | int = micros(found.expires_at) if found.expires_at else ""
    head = (member_of(found.user_id), found.version, flag, found.current_streak, expires_at, epoch)
    return [*head, *(known.get(board, missing) for board in boards), *days]

"""Local days: which date an instant belongs to, when a date ends, which dates never were."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = timedelta(days=1)
EARLY_HOURS = (time(5), time(8))
NIGHT_STARTS, NIGHT_ENDS = time(22), time(2)


@lru_cache(maxsize=1)
def timezone_names() -> frozenset[str]:
    """Return the IANA names that this machine knows; asked once per process, because it costs milliseconds."""
    return frozenset(available_timezones() - {"localtime", "posixrules"})


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """Return the date of ``at`` in ``zone``; 00:00:00 belongs to the new day."""
    return at.astimezone(zone).date()


def earliest_date(at: datetime) -> date:
    """Return a date before which no zone's clock can be at ``at``, nor the night have begun that it is in.

    Where it is still yesterday it is past noon there.
    """
    return at.astimezone(UTC).date() - DAY


def starts_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of ``day`` in ``zone``, in UTC, also where its midnight is skipped."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def ends_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which ``day`` is over in ``zone``, in UTC."""
    return starts_at(day + DAY, zone)


@lru_cache(maxsize=4096)
def dates_that_never_were(year: int, zone: ZoneInfo) -> frozenset[date]:
    """Return the dates of ``year`` that a jump over the date line left out (Apia had no 2011-12-30)."""
    first = date(year, 1, 1)
    days = (first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1))
    return frozenset(day for day in days if _noon_falls_elsewhere(day, zone))


def _noon_falls_elsewhere(day: date, zone: ZoneInfo) -> bool:
    noon = datetime.combine(day, time(12), zone)
    return noon.astimezone(UTC).astimezone(zone).date() != day


def has_existed(day: date, zone: ZoneInfo) -> bool:
    """Tell whether ``day`` occurs in the calendar of ``zone``."""
    return day not in dates_that_never_were(day.year, zone)


def days_after(day: date) -> Iterator[date]:
    """Yield the dates after ``day``, nearest first, without end."""
    while True:
        day += DAY
        yield day


def days_between(after: date, before: date) -> Iterator[date]:
    """Yield the dates strictly between the two, oldest first."""
    for offset in range(1, (before - after).days):
        yield after + timedelta(days=offset)


def is_early(at: datetime, zone: ZoneInfo) -> bool:
    """Tell whether ``at`` is in [05:00, 08:00) on the user's clock."""
    return EARLY_HOURS[0] <= at.astimezone(zone).time() < EARLY_HOURS[1]


def night_of(at: datetime, zone: ZoneInfo) -> date | None:
    """Return the date on which the night of ``at`` began, or None outside [22:00, 02:00)."""
    local = at.astimezone(zone)
    if local.time() >= NIGHT_STARTS:
        return local.date()
    if local.time() < NIGHT_ENDS:
        return local.date() - DAY
    return None

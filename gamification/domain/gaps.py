"""The dates between two days of a streak: which of them were missed, and which nobody can miss."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from gamification.domain import calendar
from gamification.domain.days import DayMark, DayReason, DayStatus

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@dataclass(slots=True)
class Gap:
    """The dates between two days: ``missed`` oldest first, ``skipped`` with the reason of each."""

    missed: list[date] = field(default_factory=list)
    skipped: list[DayMark] = field(default_factory=list)

    def covered(self, number: int) -> list[DayMark]:
        """Return the oldest ``number`` missed days as frozen, a token each."""
        return [DayMark(day, DayStatus.FROZEN, DayReason.AUTOMATIC, used=1) for day in self.missed[:number]]


def between(
    last_day: date, day: date, last_at: datetime | None, at: datetime, zone: ZoneInfo, excused: Collection[date]
) -> Gap:
    """Part the dates strictly between ``last_day`` and ``day`` into missed ones and those that nobody can miss.

    At most one day is missed for every 24 real hours from ``last_at`` to ``at``; the oldest are the missed ones.
    """
    gap = Gap()
    hours_allow = max(0, (at - (last_at or at)) // timedelta(hours=24))
    for on in calendar.days_between(last_day, day):
        reason = uncounted(on, zone, excused)
        if not reason and len(gap.missed) < hours_allow:
            gap.missed.append(on)
        else:
            gap.skipped.append(DayMark(on, DayStatus.SKIPPED, reason or DayReason.GUARANTEE))
    return gap


def uncounted(day: date, zone: ZoneInfo, excused: Collection[date]) -> str:
    """Return why nobody can miss ``day``, or the empty text."""
    if day in excused:
        return DayReason.EXCUSED
    return "" if calendar.has_existed(day, zone) else DayReason.NEVER_WAS


def bridges_beside(
    day: date, zone: ZoneInfo, excused: Collection[date], statuses: Mapping[date, str]
) -> Iterator[DayMark]:
    """Yield the dates next to ``day`` that nobody can miss and that have no status yet."""
    for step in (calendar.DAY, -calendar.DAY):
        neighbour = day + step
        while not statuses.get(neighbour) and (reason := uncounted(neighbour, zone, excused)):
            yield DayMark(neighbour, DayStatus.SKIPPED, reason)
            neighbour += step

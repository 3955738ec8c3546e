"""What a day is to a streak, and the runs that days form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gamification.domain import calendar


class DayStatus(StrEnum):
    """What a day is to a streak; a day that is only a place for XP has no status (the empty text)."""

    ACTIVE = "active"
    FROZEN = "frozen"
    SKIPPED = "skipped"


class DayReason(StrEnum):
    """Why a day is frozen or skipped."""

    AUTOMATIC = "automatic"
    REQUESTED = "requested"
    NEVER_WAS = "date_never_was"
    GUARANTEE = "24_hour_guarantee"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class DayMark:
    """A change to one day; the freezes are tokens, 0 or more, that this change earned, used or gave back."""

    date: date
    status: DayStatus
    reason: str = ""
    earned: int = 0
    used: int = 0
    returned: int = 0


def run_lengths(statuses: Mapping[date, str]) -> list[tuple[date, int]]:
    """Return each unbroken run of days with a status as its last date and its number of active days, oldest first."""
    runs: list[tuple[date, int]] = []
    for day in sorted(day for day, status in statuses.items() if status):
        active = int(statuses[day] == DayStatus.ACTIVE)
        if runs and runs[-1][0] + calendar.DAY == day:
            runs[-1] = (day, runs[-1][1] + active)
        else:
            runs.append((day, active))
    return runs

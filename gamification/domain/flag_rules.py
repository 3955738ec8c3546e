"""What staff are shown as improbable: rules as data, each with a limit that a date of somebody may not pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

XP_A_DAY = "xp_a_day"
XP_OVER_USUAL = "xp_over_usual"
ACTIVITIES_A_DAY = "activities_a_day"
SELF_REPORTED_AN_HOUR = "self_reported_an_hour"
MINUTES_A_DAY = "minutes_a_day"
ZONES_A_DAY = "zones_a_day"
ZONES_A_WEEK = "zones_a_week"
#: By rule, the most that is expected; the project changes them, or turns them off with None.
DEFAULT_LIMITS: Mapping[str, int | None] = {
    XP_A_DAY: 5_000,
    XP_OVER_USUAL: 10,
    ACTIVITIES_A_DAY: 300,
    SELF_REPORTED_AN_HOUR: 60,
    MINUTES_A_DAY: 1_440,
    ZONES_A_DAY: 2,
    ZONES_A_WEEK: 4,
}
#: Days with less XP than this are never unusual, and fewer days than that tell nothing of what is usual.
UNUSUAL_XP_MIN = 500
USUAL_DAYS_MIN = 5
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reported:
    """What a flag needs to know of an activity; ``minutes`` are those that it says it took."""

    at: datetime
    zone: str
    minutes: int = 0
    is_self_reported: bool = False


@dataclass(frozen=True, slots=True)
class DayOfSomebody:
    """A date of somebody: its XP and activities, the XP of earlier days, the zones of the week up to it."""

    xp: int
    activities: int
    xp_before: Sequence[int] = ()
    reported: Sequence[Reported] = ()
    zones_of_week: int = 0


def problems(limits: Mapping[str, object]) -> list[str]:
    """Return what is wrong with the limits that a project gives."""
    return [
        f"{name!r} is no rule; there are {', '.join(DEFAULT_LIMITS)}"
        if name not in DEFAULT_LIMITS
        else f"{name!r} must be a whole number from 1, or None"
        for name, limit in limits.items()
        if name not in DEFAULT_LIMITS or not (limit is None or (type(limit) is int and limit >= 1))
    ]


def passed(day: DayOfSomebody, limits: Mapping[str, int | None]) -> dict[str, tuple[int, int]]:
    """Return, by rule that ``day`` passes, what it came to and the most that was expected, in the rule's unit."""
    expected = {name: limit for name, limit in limits.items() if limit is not None}
    if XP_OVER_USUAL in expected:
        usual = median(day.xp_before) if len(day.xp_before) >= USUAL_DAYS_MIN else None
        expected[XP_OVER_USUAL] = max(UNUSUAL_XP_MIN, int(expected[XP_OVER_USUAL] * usual)) if usual else day.xp
    figures = {
        XP_A_DAY: day.xp,
        XP_OVER_USUAL: day.xp,
        ACTIVITIES_A_DAY: day.activities,
        SELF_REPORTED_AN_HOUR: most_in_an_hour(each.at for each in day.reported if each.is_self_reported),
        MINUTES_A_DAY: sum(each.minutes for each in day.reported),
        ZONES_A_DAY: len({each.zone for each in day.reported}),
        ZONES_A_WEEK: day.zones_of_week,
    }
    return {name: (figures[name], limit) for name, limit in expected.items() if figures[name] > limit}


def most_in_an_hour(moments: Iterable[datetime]) -> int:
    """Return the most of ``moments`` that lie within any 60 minutes."""
    ordered = sorted(moments)
    most = first = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= HOUR:
            first += 1
        most = max(most, last - first + 1)
    return most

"""The streak machine: what an activity, a freeze or a look at the clock makes of somebody's days.

A streak is described by its last row and a few totals (:class:`Streak`), so that the usual case needs no history.
Only a late activity, which can join two runs, is handed the statuses of the other days.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from gamification.domain import calendar
from gamification.domain.days import DayMark, DayReason, DayStatus, run_lengths
from gamification.domain.gaps import Gap, between, bridges_beside, uncounted
from gamification.exceptions import AlreadyActiveToday, NoActiveStreak, NoFreezesLeft

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

BROKEN, FROZEN, STARTED, INCREASED, MAINTAINED = "broken", "frozen", "started", "increased", "maintained"
#: ``action`` is the first of these that a change went through.
ACTIONS = (BROKEN, FROZEN, STARTED, INCREASED, MAINTAINED)


class StreakState(StrEnum):
    """How a streak reads at some moment."""

    ACTIVE = "active"
    AT_RISK = "at_risk"
    FROZEN = "frozen"
    BROKEN = "broken"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Policy:
    """The project's choices: tokens used by themselves, the most one may hold, active days per token earned back."""

    auto_freeze: bool = True
    freezes_max: int = 3
    earned_every: int = 7
    excused: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Streak:
    """The stored state. ``last_day`` is the last day with a status, ``last_at`` the latest activity in UTC."""

    current: int = 0
    longest: int = 0
    freezes: int = 0
    total_active_days: int = 0
    last_day: date | None = None
    last_activity_date: date | None = None
    last_at: datetime | None = None

    @property
    def is_last_day_active(self) -> bool:
        return self.last_day is not None and self.last_day == self.last_activity_date


@dataclass(frozen=True, slots=True)
class Change:
    """The state after an event, the days it wrote and the steps it went through. Nothing happened: no ``action``."""

    streak: Streak
    days: tuple[DayMark, ...] = ()
    transitions: tuple[str, ...] = ()

    @property
    def action(self) -> str | None:
        return next((action for action in ACTIONS if action in self.transitions), None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody sees at some moment, without anything being written; ``expires_at`` is in UTC."""

    current: int
    longest: int
    freezes: int
    status: StreakState
    expires_at: datetime | None


def is_late(streak: Streak, day: date) -> bool:
    """Tell whether an activity on ``day`` comes before the last row, so that the other days are needed to fold it."""
    return streak.last_day is not None and day < streak.last_day


def act(
    streak: Streak, day: date, at: datetime, zone: ZoneInfo, policy: Policy, days: Mapping[date, str] | None = None
) -> Change:
    """Return what an activity on the local ``day`` makes of the streak.

    ``days`` maps every day with a status to that status; it is read only when the activity is late (:func:`is_late`).
    """
    after = replace(streak, last_at=max(at, streak.last_at) if streak.last_at else at)
    if streak.last_day is None:
        return _arrive(after, day, policy, current=1, transitions=(STARTED,))
    if day < streak.last_day:
        return _act_late(after, day, zone, policy, days or {})
    if day > streak.last_day:
        return _act_next(after, day, between(streak.last_day, day, streak.last_at, at, zone, policy.excused), policy)
    if streak.is_last_day_active:
        return Change(after, transitions=(MAINTAINED,))
    return _arrive(after, day, policy, current=streak.current + 1, transitions=(INCREASED,), returned=1)


def freeze(streak: Streak, now: datetime, zone: ZoneInfo, policy: Policy) -> Change:
    """Return what freezing today makes of the streak; asked again, or on an excused date, it changes nothing.

    Raises:
        AlreadyActiveToday: today counts already.
        NoActiveStreak: the streak reads 0.
        NoFreezesLeft: no token is left once the lapsed days are covered.
    """
    today = calendar.local_date(now, zone)
    reading = read(streak, now, zone, policy)
    if reading.status == StreakState.ACTIVE:
        raise AlreadyActiveToday
    if streak.last_day is None or not reading.current:
        raise NoActiveStreak
    if today <= streak.last_day or today in policy.excused:
        return Change(streak)
    if not reading.freezes:
        raise NoFreezesLeft
    gap = between(streak.last_day, today, streak.last_at, now, zone, policy.excused)
    marks = [*gap.covered(len(gap.missed)), *gap.skipped, DayMark(today, DayStatus.FROZEN, DayReason.REQUESTED, used=1)]
    after = replace(streak, freezes=reading.freezes - 1, last_day=today)
    return Change(after, tuple(marks), (FROZEN,) * (len(gap.missed) + 1))


def read(streak: Streak, now: datetime, zone: ZoneInfo, policy: Policy) -> Reading:
    """Return how the streak reads at ``now``."""
    deadline = expires_at(streak, zone, policy)
    if streak.last_day is None or deadline is None:
        return Reading(0, streak.longest, streak.freezes, StreakState.NONE, None)
    today = calendar.local_date(now, zone)
    stands = Reading(streak.current, streak.longest, streak.freezes, StreakState.AT_RISK, deadline)
    if today <= streak.last_day:
        return replace(stands, status=StreakState.ACTIVE if streak.is_last_day_active else StreakState.FROZEN)
    if now >= deadline:
        freezes = 0 if policy.auto_freeze else streak.freezes
        return replace(stands, current=0, freezes=freezes, status=StreakState.BROKEN)
    missed = len(between(streak.last_day, today, streak.last_at, now, zone, policy.excused).missed)
    if not missed:
        return stands
    return replace(stands, freezes=streak.freezes - missed, status=StreakState.FROZEN)


def covered_so_far(streak: Streak, now: datetime, zone: ZoneInfo, policy: Policy) -> tuple[DayMark, ...]:
    """Return the lapsed days that tokens cover as things stand; they are written with the next activity only."""
    if streak.last_day is None or read(streak, now, zone, policy).status != StreakState.FROZEN:
        return ()
    gap = between(streak.last_day, calendar.local_date(now, zone), streak.last_at, now, zone, policy.excused)
    return (*gap.covered(len(gap.missed)), *gap.skipped)


@lru_cache(maxsize=1024)
def expires_at(streak: Streak, zone: ZoneInfo, policy: Policy) -> datetime | None:
    """Return the instant, in UTC, at which the streak breaks unless something is done; None without any day."""
    if streak.last_day is None or streak.last_at is None:
        return None
    spare = _usable(streak, policy)
    countable = (day for day in calendar.days_after(streak.last_day) if not uncounted(day, zone, policy.excused))
    deadline = next(islice(countable, spare, None))
    return max(calendar.ends_at(deadline, zone), streak.last_at + timedelta(hours=24) * (spare + 1))


def _act_next(streak: Streak, day: date, gap: Gap, policy: Policy) -> Change:
    """Go on after the last row: use a token for each missed day, or start anew when there are too few."""
    missed, usable = len(gap.missed), _usable(streak, policy)
    used = min(missed, usable)
    marks = (*gap.covered(used), *gap.skipped)
    streak = replace(streak, freezes=streak.freezes - used)
    frozen = (FROZEN,) * used
    if missed > usable:
        return _arrive(streak, day, policy, current=1, transitions=(*frozen, BROKEN, STARTED), marks=marks)
    return _arrive(streak, day, policy, current=streak.current + 1, transitions=(*frozen, INCREASED), marks=marks)


def _act_late(streak: Streak, day: date, zone: ZoneInfo, policy: Policy, days: Mapping[date, str]) -> Change:
    """Turn a day before the last row into an active one and join the runs on both sides of it."""
    if days.get(day) == DayStatus.ACTIVE:
        return Change(streak, transitions=(MAINTAINED,))
    bridges = tuple(bridges_beside(day, zone, policy.excused, days))
    before = [length for _, length in run_lengths(days)]
    after = [
        length
        for _, length in run_lengths({**days, **{mark.date: mark.status for mark in bridges}, day: DayStatus.ACTIVE})
    ]
    return _arrive(
        replace(streak, longest=max(streak.longest, *after)),
        day,
        policy,
        current=after[-1],
        transitions=(INCREASED,) if after[-1] > streak.current else (),
        marks=bridges,
        earned=_multiples(after, policy) - _multiples(before, policy),
        returned=int(days.get(day) == DayStatus.FROZEN),
    )


def _arrive(
    streak: Streak,
    day: date,
    policy: Policy,
    *,
    current: int,
    transitions: tuple[str, ...],
    marks: tuple[DayMark, ...] = (),
    earned: int | None = None,
    returned: int = 0,
) -> Change:
    """Make ``day`` active. Tokens past the maximum are lost; without ``earned``, those of one more day in a run."""
    if earned is None:
        earned = _multiples([current], policy) - _multiples([current - 1], policy)
    room = max(0, policy.freezes_max - streak.freezes)
    returned = min(returned, room)
    earned = min(earned, room - returned)
    streak = replace(
        streak,
        current=current,
        longest=max(streak.longest, current),
        freezes=streak.freezes + returned + earned,
        total_active_days=streak.total_active_days + 1,
        last_day=max(streak.last_day or day, day),
        last_activity_date=max(streak.last_activity_date or day, day),
    )
    mark = DayMark(day, DayStatus.ACTIVE, earned=earned, returned=returned)
    return Change(streak, (*marks, mark), transitions)


def _multiples(runs: Collection[int], policy: Policy) -> int:
    """Return how many tokens runs of these lengths are worth: one for every full multiple in each run."""
    return sum(length // policy.earned_every for length in runs) if policy.earned_every else 0


def _usable(streak: Streak, policy: Policy) -> int:
    return streak.freezes if policy.auto_freeze else 0

"""A streak folded once more from some event on: what was done and asked for, in the order in which it was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gamification.domain import calendar, streaks
from gamification.domain.days import DayReason, DayStatus, run_lengths
from gamification.domain.streaks import Change, Policy, Streak
from gamification.exceptions import AlreadyActiveToday, NoActiveStreak, NoFreezesLeft

if TYPE_CHECKING:
    from gamification.domain.days import DayMark

FROZEN_BY = frozenset({DayReason.AUTOMATIC.value, DayReason.REQUESTED.value})
#: On a clock of these zones it is any date that it can be anywhere; none of them ever jumped over a date.
EVERYWHERE = tuple(map(ZoneInfo, ("UTC", "Etc/GMT-14", "Etc/GMT+12")))


@dataclass(frozen=True, slots=True)
class Told:
    """Something that counted for a streak: an activity on a local day, by its id, or a freeze that was asked for."""

    day: date
    at: datetime
    zone: ZoneInfo
    is_freeze: bool = False
    activity: int | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """What a day is to a streak, with the tokens that were earned, used and given back on it."""

    status: str = ""
    reason: str = ""
    earned: int = 0
    used: int = 0
    returned: int = 0

    @property
    def balance(self) -> int:
        return self.earned + self.returned - self.used

    def marked(self, mark: DayMark) -> Day:
        return Day(
            mark.status.value,
            str(mark.reason) or self.reason,
            self.earned + mark.earned,
            self.used + mark.used,
            self.returned + mark.returned,
        )

    def remembering(self, before: Day) -> Day:
        """Return the day with no fewer tokens used than there were: those too many count as given back."""
        extra = max(0, before.used - self.used)
        return replace(self, used=self.used + extra, returned=self.returned + extra)


def first_affected(events: Sequence[Told], on: date) -> int | None:
    """Return the position of the first event that reads otherwise once ``on`` is excused or no longer so.

    None says that there is none: the first to reach the date was an activity on it, so that nobody ever missed it.
    """
    for position, event in enumerate(events):
        if event.day >= on:
            return None if event.day == on and not event.is_freeze else position
    return None


def before(
    days: Mapping[date, Day], events: Sequence[Told], position: int, starting: int
) -> tuple[Streak, dict[date, Day]]:
    """Return the streak as it was before the event at ``position``, and the days that it had.

    Of the ``days`` as they are now, those that were acted on only later are as they were, and those behind the last
    one are left out: they follow from the later events. ``starting`` is the number of tokens at the very beginning.
    """
    past, later = events[:position], {event.day for event in events[position:]}
    acted = {event.day for event in past if not event.is_freeze}
    late = later - acted
    was = {on: _before_late(day) if on in late else day for on, day in days.items()}
    # The log may begin later than the days: one that no event tells of is as old as that.
    reached = acted | {on for on, day in was.items() if day.status == DayStatus.ACTIVE and on not in later}
    reached |= {event.day for event in past if event.is_freeze and was.get(event.day, Day()).status == DayStatus.FROZEN}
    last_day = max(reached, default=date.min)
    known = {on: day for on, day in was.items() if on <= last_day}
    runs = run_lengths({on: day.status for on, day in known.items()})
    streak = Streak(
        current=runs[-1][1] if runs else 0,
        longest=max((length for _, length in runs), default=0),
        freezes=starting + sum(day.balance for day in known.values()),
        last_day=last_day if reached else None,
        last_activity_date=max(acted, default=None),
        last_at=max((event.at for event in past if not event.is_freeze), default=None),
    )
    return streak, known


def replay(
    streak: Streak, known: Mapping[date, Day], events: Iterable[Told], policy: Policy
) -> tuple[Streak, dict[date, Day]]:
    """Return what ``events`` make of a streak whose days are ``known``, and all days then."""
    days = dict(known)
    for event in events:
        statuses = {on: day.status for on, day in days.items()} if streaks.is_late(streak, event.day) else None
        change = _frozen(streak, event, policy) if event.is_freeze else _acted(streak, event, policy, statuses)
        streak = change.streak
        for mark in change.days:
            days[mark.date] = days.get(mark.date, Day()).marked(mark)
    return streak, days


def without(
    kept: Mapping[date, Day], events: Sequence[Told], position: int, starting: int, policy: Policy
) -> tuple[Streak, dict[date, Day]]:
    """Return the streak as if the event at ``position`` had not been, and all days then; ``kept`` are those as it was.

    Tokens that were used stay used: those that cover the days right after the last one go on covering them, the others
    are gone, as far as any are left.
    """
    streak, known = before(kept, events, position, starting)
    streak, days = replay(streak, known, events[position + 1 :], policy)
    streak = _still_covered(streak, days, kept)
    spent = sum(map(_spent, kept.values())) - sum(map(_spent, days.values()))
    staying = left = max(0, min(spent, streak.freezes))
    for on in sorted(kept):
        day = days.get(on, Day())
        if (stays := min(left, _spent(kept[on]) - _spent(day))) > 0:
            days[on] = replace(day, used=day.used + stays)
            left -= stays
    return replace(streak, freezes=streak.freezes - staying), days


def begins_on_time(events: Iterable[Told], day: date) -> bool:
    """Tell whether the first activity on ``day`` was told before anything later; not so where there is none."""
    for event in events:
        if event.day > day:
            return False
        if event.day == day and not event.is_freeze:
            return True
    return False


def _spent(day: Day) -> int:
    return day.used - day.returned


def _still_covered(streak: Streak, days: dict[date, Day], kept: Mapping[date, Day]) -> Streak:
    """Keep the days right behind the last one that tokens cover, as far as there are tokens; return the streak then."""
    if streak.last_day is None:
        return streak
    left, behind = streak.freezes, {}
    for on in calendar.days_after(streak.last_day):
        was = kept.get(on, Day())
        is_covered = was.status == DayStatus.FROZEN and _spent(was) > 0
        if not (is_covered and left) and was.status != DayStatus.SKIPPED:
            return streak
        behind[on] = Day(was.status, was.reason, used=int(is_covered))
        if is_covered:
            left -= 1
            days |= behind
            streak = replace(streak, freezes=left, last_day=on)
    return streak


def _before_late(day: Day) -> Day:
    """Return a day as it was before somebody acted on it late; the reason still tells what it was."""
    if day.status != DayStatus.ACTIVE:
        return day
    if day.reason in FROZEN_BY:
        return Day(DayStatus.FROZEN.value, day.reason, used=1)
    return Day(DayStatus.SKIPPED.value, day.reason) if day.reason else Day()


def _acted(streak: Streak, event: Told, policy: Policy, statuses: Mapping[date, str] | None) -> Change:
    return streaks.act(streak, event.day, event.at, event.zone, policy, statuses)


def _frozen(streak: Streak, event: Told, policy: Policy) -> Change:
    """Return what a freeze makes of the streak; one that would have been refused makes nothing."""
    zones = (zone for zone in (event.zone, *EVERYWHERE) if calendar.local_date(event.at, zone) == event.day)
    try:
        return streaks.freeze(streak, event.at, next(zones, event.zone), policy)
    except (AlreadyActiveToday, NoActiveStreak, NoFreezesLeft):
        return Change(streak)

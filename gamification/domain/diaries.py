"""What each date came to for somebody's streak, and when and why the last one ended: an account for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from gamification.domain import calendar
from gamification.domain.days import DayMark


class What(StrEnum):
    """What happened on a date: the statuses of days, and three ways of having none."""

    ACTIVE = "active"
    FROZEN = "frozen"
    SKIPPED = "skipped"
    LOST = "lost"
    IDLE = "idle"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Entry:
    """A date, or dates up to ``until`` that were alike, and the freezes ``left`` after it.

    A streak of ``length`` active days is ``lost`` on the first date that was missed and not covered; what follows
    without anything done is ``idle``. What is not ``is_written`` will be, with the next activity.
    """

    on: date
    what: What
    left: int
    until: date | None = None
    reason: str = ""
    activities: int = 0
    xp: int = 0
    earned: int = 0
    used: int = 0
    returned: int = 0
    length: int = 0
    is_written: bool = True

    @property
    def is_range(self) -> bool:
        return self.until is not None and self.until > self.on


@dataclass(frozen=True, slots=True)
class Loss:
    """How a streak of ``length`` active days ended: nothing was done from ``on`` to ``until``, both included.

    ``last_freeze`` is the last date before that a freeze covered, ``left`` how many there were still.
    """

    length: int
    on: date
    until: date
    last_freeze: date | None
    left: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day as it is stored."""

    status: str
    reason: str = ""
    activities: int = 0
    xp: int = 0
    earned: int = 0
    used: int = 0
    returned: int = 0


def entries(
    days: Mapping[date, DayRow], coming: Iterable[DayMark], freezes: int, today: date, noted: Collection[date]
) -> list[Entry]:
    """Return what every date came to from the first of ``days`` up to ``today``, oldest first.

    ``coming`` is what the next activity would write of the days before it, ``freezes`` how many there are before that.
    Dates that are ``noted``, as excused ones, have an entry of their own outside a streak too.
    """
    if not days:
        return []
    unwritten = {mark.date: mark for mark in coming}
    left = freezes - sum(day.earned + day.returned - day.used for day in days.values())
    told: list[Entry] = []
    run, is_open = 0, False
    for on in _dates(min(days), max(today, *days)):
        row, is_written = days.get(on, DayRow("")), True
        if on in unwritten and not row.status:
            mark, is_written = unwritten[on], False
            row = replace(row, status=mark.status.value, reason=str(mark.reason), used=row.used + mark.used)
        left += row.earned + row.returned - row.used
        what = _what(row, on, today, run)
        is_plain = what == What.IDLE and not (row.activities or row.xp or on in noted)
        entry = Entry(
            on,
            what,
            left,
            reason=row.reason,
            activities=row.activities,
            xp=row.xp,
            earned=row.earned,
            used=row.used,
            returned=row.returned,
            length=run if what == What.LOST else 0,
            is_written=is_written,
        )
        run = 0 if what == What.LOST else run + (what == What.ACTIVE)
        if is_plain and is_open:
            told[-1] = replace(told[-1], until=on)
        else:
            told.append(entry)
        is_open = is_plain
    return told


def last_loss(told: Iterable[Entry]) -> Loss | None:
    """Return how the last streak that ended did so; None if none ever did."""
    loss: Loss | None = None
    last_freeze: date | None = None
    for entry in told:
        if entry.what == What.FROZEN:
            last_freeze = entry.on
        elif entry.what == What.LOST:
            loss = Loss(entry.length, entry.on, entry.on, last_freeze, entry.left)
        elif entry.what == What.IDLE and loss is not None and entry.on == loss.until + calendar.DAY:
            loss = replace(loss, until=entry.until or entry.on)
    return loss


def _dates(first: date, last: date) -> Iterator[date]:
    yield first
    yield from calendar.days_between(first, last + calendar.DAY)


def _what(row: DayRow, on: date, today: date, run: int) -> What:
    if row.status:
        return What(row.status)
    if on >= today:
        return What.PENDING
    return What.LOST if run else What.IDLE

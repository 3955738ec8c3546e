"""The year's calendar: weeks as columns, days as cells, and a text for each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.formats import date_format, get_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gamification.domain.days import DayStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DAYS = 365
#: A month's name needs this many columns; a month that is cut off at the edge goes without.
LABEL_WEEKS = 3


class Day(Protocol):
    """What the calendar has to know of a day; ``xp`` is in points."""

    @property
    def date(self) -> date: ...
    @property
    def status(self) -> str: ...
    @property
    def activities(self) -> int: ...
    @property
    def xp(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the calendar; ``step`` is 0 (nothing) to 4 (a lot, for this person)."""

    step: int
    status: str
    text: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A heading over ``weeks`` columns; without a ``label`` where that is too narrow for one."""

    label: str
    weeks: int


@dataclass(frozen=True, slots=True)
class Row:
    """One weekday through all weeks; None stands outside the year."""

    label: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """The calendar as a table, with how many of its days were active and frozen."""

    months: tuple[Month, ...]
    rows: tuple[Row, ...]
    active: int
    frozen: int


def build(days: Iterable[Day], today: date, *, is_public: bool = False) -> Year:
    """Return the calendar of the 365 days that end with ``today``; days that are not given were quiet.

    Its weeks begin with the day with which those of the active language do.

    For the public it tells how busy a day was, and neither what was done nor what was frozen.
    """
    first = today - timedelta(days=DAYS - 1)
    known = {day.date: day for day in days if first <= day.date <= today}
    bounds = _bounds([day.xp for day in known.values() if _is_busy(day)])
    # Django counts the days of a week from Sunday, Python from Monday.
    opening = (get_format("FIRST_DAY_OF_WEEK") - 1) % 7
    start = first - timedelta(days=(first.weekday() - opening) % 7)
    weeks = [start + timedelta(weeks=number) for number in range((today - start).days // 7 + 1)]
    cell = _public_cell if is_public else _cell
    rows = tuple(
        Row(
            str(WEEKDAYS_ABBR[(opening + weekday) % 7]),
            tuple(
                cell(on, known.get(on), bounds, today) if first <= on <= today else None
                for on in (week + timedelta(days=weekday) for week in weeks)
            ),
        )
        for weekday in range(7)
    )
    statuses = [day.status for day in known.values()]
    frozen = 0 if is_public else statuses.count(DayStatus.FROZEN)
    return Year(_months(weeks), rows, statuses.count(DayStatus.ACTIVE), frozen)


def _cell(on: date, day: Day | None, bounds: Sequence[int], today: date) -> Cell:
    return Cell(_step(day, bounds), day.status if day else "", _text(on, _what(day)), on == today)


def _public_cell(on: date, day: Day | None, bounds: Sequence[int], _today: date) -> Cell:
    step = _step(day, bounds)
    words = (_("no activity"), _("a little"), _("some"), _("much"), _("a lot"))
    return Cell(step, "", _text(on, words[step]), is_today=False)


def _step(day: Day | None, bounds: Sequence[int]) -> int:
    return 1 + sum(day.xp > bound for bound in bounds) if day is not None and _is_busy(day) else 0


def _text(on: date, what: str) -> str:
    return _("%(date)s: %(what)s") % {"date": date_format(on, "DATE_FORMAT"), "what": what}


def _what(day: Day | None) -> str:
    if day is None:
        return _("no activity")
    parts = []
    if day.activities:
        parts.append(
            ngettext("%(count)s activity", "%(count)s activities", day.activities)
            % {"count": number_format(day.activities, force_grouping=True)}
        )
    if day.xp:
        parts.append(_("%(xp)s XP") % {"xp": number_format(day.xp, force_grouping=True)})
    if day.status == DayStatus.FROZEN:
        parts.append(_("frozen"))
    if day.status == DayStatus.SKIPPED:
        parts.append(_("excused"))
    if day.status == DayStatus.ACTIVE and not parts:
        parts.append(_("active"))
    return ", ".join(parts) or _("no activity")


def _is_busy(day: Day) -> bool:
    return day.status == DayStatus.ACTIVE or day.activities > 0 or day.xp > 0


def _bounds(amounts: list[int]) -> tuple[int, ...]:
    """Return the XP at the quarters of the busy days, so that one great day does not pale all the others."""
    amounts.sort()
    return tuple(amounts[len(amounts) * quarter // 4] for quarter in (1, 2, 3)) if amounts else ()


def _months(weeks: Iterable[date]) -> tuple[Month, ...]:
    months = []
    for (_year, number), group in groupby(weeks, key=lambda week: (week.year, week.month)):
        length = sum(1 for _week in group)
        months.append(Month(str(MONTHS_3[number]).capitalize() if length >= LABEL_WEEKS else "", length))
    return tuple(months)

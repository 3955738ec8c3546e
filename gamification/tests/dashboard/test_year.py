"""The year's calendar: 365 days in weeks, whatever the weekday."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import translation

from gamification.dashboard import year
from gamification.engine.results import CalendarDay

TODAY = date(2026, 6, 10)  # a Wednesday


def cells(calendar: year.Year) -> list[year.Cell]:
    """Return the days in their order: column by column."""
    return [cell for week in zip(*(row.cells for row in calendar.rows), strict=True) for cell in week if cell]


@pytest.mark.parametrize("offset", range(7))
def test_it_has_365_days_and_ends_with_today(offset):
    calendar = year.build([], TODAY + timedelta(days=offset))

    days = cells(calendar)
    assert len(days) == 365
    assert [day.is_today for day in days] == [False] * 364 + [True]
    assert sum(month.weeks for month in calendar.months) == len(calendar.rows[0].cells)


@pytest.mark.parametrize(
    ("language", "weekdays", "in_the_last_week"),
    [
        ("en", ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"], 4),
        ("en-gb", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], 3),
        ("de", ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"], 3),
    ],
)
def test_weeks_begin_as_they_do_in_the_language(language, weekdays, in_the_last_week):
    with translation.override(language):
        calendar = year.build([], TODAY)

    assert [row.label for row in calendar.rows] == weekdays
    known = [row.cells[-1] is not None for row in calendar.rows]
    assert known == [True] * in_the_last_week + [False] * (7 - in_the_last_week)


def test_a_leap_day_has_its_place():
    texts = [cell.text for cell in cells(year.build([], date(2028, 6, 10)))]

    assert "Feb. 29, 2028: no activity" in texts


@pytest.mark.parametrize(
    ("day", "text", "step"),
    [
        (CalendarDay(TODAY), "no activity", 0),
        (CalendarDay(TODAY, "active", 1, 0), "1 activity", 1),
        (CalendarDay(TODAY, "active", 2, 1250), "2 activities, 1,250 XP", 1),
        (CalendarDay(TODAY, "active", 0, 0), "active", 1),
        (CalendarDay(TODAY, "frozen"), "frozen", 0),
        (CalendarDay(TODAY, "skipped"), "excused", 0),
        (CalendarDay(TODAY, "", 0, 50), "50 XP", 1),
    ],
)
def test_every_day_is_told_in_words(day, text, step):
    cell = cells(year.build([day], TODAY))[-1]

    assert cell.text == f"June 10, 2026: {text}"
    assert cell.step == step


def test_the_shades_follow_the_quarters_of_the_busy_days():
    days = [CalendarDay(TODAY - timedelta(days=back), "active", 1, 100 - back) for back in range(8)]

    steps = [cell.step for cell in cells(year.build(days, TODAY))[-8:]]

    assert steps == sorted(steps)
    assert set(steps) == {1, 2, 3, 4}


def test_one_great_day_does_not_pale_the_others():
    days = [
        CalendarDay(TODAY - timedelta(days=back), "active", 1, xp) for back, xp in enumerate([5000, 40, 30, 20, 10])
    ]

    steps = [cell.step for cell in cells(year.build(days, TODAY))[-5:]]

    assert steps == [1, 1, 2, 3, 4]


def test_days_outside_the_year_are_left_out():
    calendar = year.build([CalendarDay(TODAY - timedelta(days=365), "active", 1, 9)], TODAY)

    assert calendar.active == 0


def test_it_counts_active_and_frozen_days():
    days = [
        CalendarDay(TODAY - timedelta(days=back), status) for back, status in enumerate(["active", "frozen", "active"])
    ]

    calendar = year.build(days, TODAY)

    assert (calendar.active, calendar.frozen) == (2, 1)


def test_a_month_that_is_cut_off_goes_without_its_name():
    calendar = year.build([], TODAY)

    assert calendar.months[0].label == "Jun"
    assert calendar.months[-1] == year.Month("", 1)

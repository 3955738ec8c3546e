from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gamification.domain import flag_rules
from gamification.domain.flag_rules import DEFAULT_LIMITS, DayOfSomebody, Reported

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (DayOfSomebody(xp=5_000, activities=300, zones_of_week=4), {}),
        (DayOfSomebody(xp=5_001, activities=300), {"xp_a_day": (5_001, 5_000)}),
        (DayOfSomebody(xp=0, activities=301), {"activities_a_day": (301, 300)}),
        (DayOfSomebody(xp=0, activities=0, zones_of_week=5), {"zones_a_week": (5, 4)}),
        (DayOfSomebody(xp=1_001, activities=0, xp_before=[100] * 5), {"xp_over_usual": (1_001, 1_000)}),
        (DayOfSomebody(xp=1_000, activities=0, xp_before=[100] * 5), {}),
        (DayOfSomebody(xp=4_999, activities=0, xp_before=[100] * 4), {}),
        (DayOfSomebody(xp=500, activities=0, xp_before=[1] * 9), {}),
        (DayOfSomebody(xp=501, activities=0, xp_before=[1] * 9), {"xp_over_usual": (501, 500)}),
    ],
)
def test_a_day_is_told_by_each_rule_that_it_passes_and_by_no_other(day, expected):
    assert flag_rules.passed(day, DEFAULT_LIMITS) == expected


def test_activities_are_looked_at_one_by_one():
    reported = [
        Reported(NOON, "UTC", minutes=800),
        Reported(NOON, "Asia/Tokyo", minutes=641),
        Reported(NOON, "Europe/Berlin"),
    ]

    told = flag_rules.passed(DayOfSomebody(xp=0, activities=3, reported=reported), DEFAULT_LIMITS)

    assert told == {"minutes_a_day": (1_441, 1_440), "zones_a_day": (3, 2)}


def test_only_what_people_report_of_themselves_has_a_human_pace():
    hour = [Reported(NOON + timedelta(seconds=59 * turn), "UTC", is_self_reported=True) for turn in range(61)]
    trusted = [Reported(each.at, "UTC") for each in hour]

    assert flag_rules.passed(DayOfSomebody(0, 61, reported=trusted), DEFAULT_LIMITS) == {}
    assert flag_rules.passed(DayOfSomebody(0, 61, reported=hour), DEFAULT_LIMITS) == {"self_reported_an_hour": (61, 60)}


@pytest.mark.parametrize(("seconds", "most"), [([], 0), ([0], 1), ([0, 3599], 2), ([3600, 0], 1), ([0, 1800, 3600], 2)])
def test_the_most_within_any_hour(seconds, most):
    assert flag_rules.most_in_an_hour(NOON + timedelta(seconds=each) for each in seconds) == most


def test_a_rule_that_is_turned_off_tells_nothing():
    assert flag_rules.passed(DayOfSomebody(xp=10**9, activities=10**9), dict.fromkeys(DEFAULT_LIMITS)) == {}

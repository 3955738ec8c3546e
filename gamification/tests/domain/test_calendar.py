from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamification.domain import calendar

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "Africa/Cairo",
    "America/Nuuk",
    "America/Havana",
    "Asia/Beirut",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2026-06-01T14:59:59+00:00", "Asia/Tokyo", "2026-06-01"),
        ("2026-06-01T15:00:00+00:00", "Asia/Tokyo", "2026-06-02"),
        ("2026-06-01T18:29:59.999999+00:00", "Asia/Kolkata", "2026-06-01"),
        ("2026-06-01T18:30:00+00:00", "Asia/Kolkata", "2026-06-02"),
        ("2026-06-01T18:14:59+00:00", "Asia/Kathmandu", "2026-06-01"),
        ("2026-06-01T18:15:00+00:00", "Asia/Kathmandu", "2026-06-02"),
        ("2026-06-01T09:59:59+00:00", "Pacific/Kiritimati", "2026-06-01"),
        ("2026-06-01T10:00:00+00:00", "Pacific/Kiritimati", "2026-06-02"),
        ("2026-03-28T22:59:59+00:00", "Europe/Berlin", "2026-03-28"),
        ("2026-03-29T21:59:59+00:00", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T22:00:00+00:00", "Europe/Berlin", "2026-03-30"),
        ("2026-04-23T21:59:59+00:00", "Africa/Cairo", "2026-04-23"),
        ("2026-04-23T22:00:00+00:00", "Africa/Cairo", "2026-04-24"),
        ("2026-06-01T23:30:00-10:00", "Pacific/Honolulu", "2026-06-01"),
    ],
)
def test_midnight_belongs_to_the_new_local_day(moment, zone, day):
    assert calendar.local_date(at(moment), ZoneInfo(zone)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        ("2026-03-28", "Europe/Berlin", "2026-03-28T23:00:00+00:00"),
        ("2026-03-29", "Europe/Berlin", "2026-03-29T22:00:00+00:00"),
        ("2026-10-25", "Europe/Berlin", "2026-10-25T23:00:00+00:00"),
        ("2026-04-23", "Africa/Cairo", "2026-04-23T22:00:00+00:00"),
        ("2026-04-24", "Africa/Cairo", "2026-04-24T21:00:00+00:00"),
        ("2011-12-29", "Pacific/Apia", "2011-12-30T10:00:00+00:00"),
        ("2011-12-31", "Pacific/Apia", "2011-12-31T10:00:00+00:00"),
        ("2026-06-01", "Asia/Kathmandu", "2026-06-01T18:15:00+00:00"),
        ("2026-10-03", "Australia/Lord_Howe", "2026-10-03T13:30:00+00:00"),
        ("2026-10-04", "Australia/Lord_Howe", "2026-10-04T13:00:00+00:00"),
    ],
)
def test_a_day_ends_at_the_local_midnight_even_where_that_is_skipped(day, zone, end):
    assert calendar.ends_at(date.fromisoformat(day), ZoneInfo(zone)) == at(end)


@given(st.dates(date(2008, 1, 1), date(2030, 12, 31)), st.sampled_from(ZONES))
def test_a_day_that_exists_holds_its_first_instant_and_not_the_one_before(day, zone_name):
    zone = ZoneInfo(zone_name)
    start = calendar.starts_at(day, zone)

    if calendar.has_existed(day, zone):
        assert calendar.local_date(start, zone) == day
        assert calendar.local_date(start - timedelta(microseconds=1), zone) < day


@pytest.mark.parametrize(
    ("day", "zone"),
    [
        ("2011-12-30", "Pacific/Apia"),
        ("2011-12-30", "Pacific/Fakaofo"),
        ("1993-08-21", "Pacific/Kwajalein"),
        ("1994-12-31", "Pacific/Kiritimati"),
    ],
)
def test_a_date_that_the_date_line_swallowed_never_was(day, zone):
    assert not calendar.has_existed(date.fromisoformat(day), ZoneInfo(zone))


@pytest.mark.parametrize("zone", ZONES)
def test_the_calendar_of_this_year_is_whole_everywhere(zone):
    assert calendar.dates_that_never_were(2026, ZoneInfo(zone)) == frozenset()


@given(st.dates(date(2011, 12, 1), date(2012, 1, 31)), st.sampled_from(ZONES))
def test_a_date_exists_exactly_when_some_minute_of_some_clock_shows_it(day, zone_name):
    zone = ZoneInfo(zone_name)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

    shown = {calendar.local_date(noon + timedelta(minutes=30 * step), zone) for step in range(-60, 61)}

    assert (day in shown) is calendar.has_existed(day, zone)


def test_the_dates_between_two_dates_leave_both_out():
    between = list(calendar.days_between(date(2028, 2, 27), date(2028, 3, 2)))

    assert between == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    assert list(calendar.days_between(date(2028, 3, 2), date(2028, 3, 2))) == []
    assert list(calendar.days_between(date(2028, 3, 2), date(2028, 2, 1))) == []


@pytest.mark.parametrize(
    ("clock", "is_early"),
    [("04:59:59.999999", False), ("05:00:00", True), ("07:59:59.999999", True), ("08:00:00", False)],
)
def test_early_is_from_five_up_to_eight_on_the_users_clock(clock, is_early):
    moment = datetime.fromisoformat(f"2026-06-01T{clock}").replace(tzinfo=ZoneInfo("Asia/Kathmandu"))

    assert calendar.is_early(moment.astimezone(UTC), ZoneInfo("Asia/Kathmandu")) is is_early


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        ("2026-06-01T21:59:59.999999", None),
        ("2026-06-01T22:00:00", "2026-06-01"),
        ("2026-06-01T23:59:59", "2026-06-01"),
        ("2026-06-02T00:00:00", "2026-06-01"),
        ("2026-06-02T01:59:59.999999", "2026-06-01"),
        ("2026-06-02T02:00:00", None),
        ("2026-01-01T00:30:00", "2025-12-31"),
    ],
)
def test_a_night_belongs_to_the_date_on_which_it_began(moment, night):
    zone = ZoneInfo("Europe/Berlin")
    instant = datetime.fromisoformat(moment).replace(tzinfo=zone).astimezone(UTC)

    assert calendar.night_of(instant, zone) == (night and date.fromisoformat(night))


@pytest.mark.parametrize("hour_in_utc", [23, 24, 25])
def test_the_night_of_the_summer_time_change_is_one_night(hour_in_utc):
    zone = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 3, 28, tzinfo=UTC) + timedelta(hours=hour_in_utc)

    shown = night.astimezone(zone).hour
    expected = date(2026, 3, 28) if shown < 2 else None  # 00:00 and 01:00, and then 03:00

    assert calendar.night_of(night, zone) == expected


def test_the_names_of_zones_are_asked_for_once():
    assert calendar.timezone_names() is calendar.timezone_names()
    assert {"Europe/Berlin", "Asia/Kathmandu", "UTC"} <= calendar.timezone_names()
    assert not calendar.timezone_names() & {"localtime", "posixrules"}

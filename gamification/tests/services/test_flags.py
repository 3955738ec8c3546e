"""Flags: improbable gains of recent dates, found once each, decided on by staff."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from gamification.engine import flagging
from gamification.exceptions import InvalidInput
from gamification.models import Flag
from gamification.services import activities, flags, privacy, xp
from gamification.services.activities import Event
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at, noon

pytestmark = pytest.mark.django_db

NOW = noon(10)


@pytest.fixture
def ada():
    return UserFactory(username="ada")


@pytest.fixture
def grace():
    return UserFactory(username="grace")


def words(user, number, *, first=NOW - timedelta(hours=2), every=timedelta(seconds=30), **columns):
    events = [
        Event(user, "words_learned", f"{first} {turn}", occurred_at=first + turn * every, **columns)
        for turn in range(number)
    ]
    return activities.record_many(events, now=NOW)


def told():
    return sorted(Flag.objects.values_list("user__username", "rule", "date", "figure", "expected"))


def test_an_ordinary_day_is_not_flagged(ada):
    activities.record(ada, "study_session", key="a", data={"minutes": 300}, now=NOW)
    words(ada, 20)

    assert flags.refresh(now=NOW) == flags.Flagged(looked_at=1, found=0)


def test_xp_over_the_limit_is_flagged_once_and_follows_the_figure(ada):
    xp.award(ada, 5_001, reason="a test", key="a", now=NOW)
    first = flags.refresh(now=NOW)
    xp.award(ada, 99, reason="a test", key="b", now=NOW)

    again = flags.refresh(now=NOW)

    assert (first.found, again.found) == (1, 0)
    assert told() == [("ada", "xp_a_day", NOW.date(), 5_100, 5_000)]


def test_a_day_far_over_ones_own_is_flagged(ada, grace):
    for day in range(1, 10):
        xp.award(ada, 60, reason="a test", key=f"{day}", now=noon(day))
        xp.award(grace, 400, reason="a test", key=f"{day}", now=noon(day))
    for user in (ada, grace):
        xp.award(user, 1_000, reason="a test", key="today", now=NOW)

    flags.refresh(now=NOW)

    assert told() == [("ada", "xp_over_usual", NOW.date(), 1_000, 600)]


def test_pace_minutes_and_zones_are_flagged(ada, grace, settings):
    settings.GAMIFICATION = {"SELF_REPORTED_KINDS": ["words_learned"]}
    words(ada, 61)
    for number, zone in enumerate(["UTC", "Asia/Tokyo", "America/Lima"]):
        data = {"minutes": 500}
        activities.record(grace, "study_session", key=f"{number}", data=data, timezone=zone, now=NOW)

    flags.refresh(now=NOW)

    assert told() == [
        ("ada", "self_reported_an_hour", NOW.date(), 61, 60),
        ("grace", "minutes_a_day", NOW.date(), 1_500, 1_440),
        ("grace", "zones_a_day", NOW.date(), 3, 2),
    ]


def test_one_activity_is_enough(ada, grace):
    activities.record(ada, "study_session", key="a", quantity=50, data={"minutes": 1_440}, now=NOW)
    for day, zone in enumerate(["UTC", "Asia/Tokyo", "America/Lima", "Europe/Berlin", "Africa/Cairo"], start=6):
        words(grace, 1, first=noon(day) - timedelta(minutes=5), timezone=zone)

    flags.refresh(now=NOW)

    assert told() == [
        ("ada", "minutes_a_day", NOW.date(), 72_000, 1_440),
        ("grace", "zones_a_week", NOW.date(), 5, 4),
    ]


def test_what_was_voided_flags_nobody(ada):
    words(ada, 1)
    fake = activities.record(ada, "study_session", key="a", quantity=50, data={"minutes": 1_440}, now=NOW)
    zones = [
        activities.record(ada, "words_learned", key=zone, timezone=zone, occurred_at=noon(9), now=NOW)
        for zone in ["Asia/Tokyo", "America/Lima", "Europe/Berlin", "Africa/Cairo"]
    ]
    for each in (fake, *zones):
        activities.void(each.activity, reason="a fake", now=NOW)

    flags.refresh(now=NOW)

    assert told() == []


def test_zones_add_up_over_a_week(ada):
    zones = ["UTC", "Asia/Tokyo", "America/Lima", "Europe/Berlin", "Africa/Cairo"]
    for number, zone in enumerate(zones):
        words(ada, 2, first=noon(6 + number) - timedelta(minutes=5), every=timedelta(0), timezone=zone)

    flags.refresh(now=NOW)

    assert told() == [("ada", "zones_a_week", NOW.date(), 5, 4)]


def test_only_recent_dates_are_looked_at_and_the_one_that_has_begun_in_the_east(ada):
    for day in (7, 8, 9):
        xp.award(ada, 6_000, reason="a test", key=f"{day}", now=noon(day))
    east = UserFactory(username="east")
    now = at("2026-06-10T13:00")
    activities.record(east, "words_learned", key="a", timezone="Pacific/Kiritimati", now=now)

    done = flags.refresh(days=2, now=now)

    assert (done.looked_at, [row[2].day for row in told()]) == (2, [9])


def test_a_decision_stays_when_the_date_is_looked_at_again(ada, grace):
    xp.award(ada, 6_000, reason="a test", key="a", now=NOW)
    flags.refresh(now=NOW)

    flags.decide(Flag.objects.get(), "dismissed", note="a prize", actor=grace, now=NOW)
    flags.refresh(now=NOW)

    row = Flag.objects.get()
    assert (row.state, row.note, row.decided_by, row.decided_at) == ("dismissed", "a prize", grace, NOW)


@pytest.mark.parametrize(("state", "note"), [("gone", "why"), ("dismissed", ""), ("dismissed", "\x00")])
def test_a_decision_needs_a_known_state_and_a_note(ada, state, note):
    flag = Flag.objects.create(user=ada, rule="xp_a_day", date=NOW.date(), figure=2, expected=1, found_at=NOW)

    with pytest.raises(InvalidInput):
        flags.decide(flag, state, note=note)

    assert Flag.objects.get().state == "open"


def test_flags_are_in_the_export_and_go_with_the_person(ada, grace):
    flag = Flag.objects.create(user=ada, rule="xp_a_day", date=NOW.date(), figure=2, expected=1, found_at=NOW)
    flags.decide(flag, "confirmed", note="a script", actor=grace)

    (row,) = privacy.export(ada)["flags"]
    privacy.erase(grace)
    erased = privacy.erase(ada)

    assert (row["rule"], row["figure"], row["note"]) == ("xp_a_day", 2, "a script")
    assert "decided_by" not in row
    assert (erased["flags"], Flag.objects.count()) == (1, 0)


def test_the_work_grows_with_hundreds_of_people_and_not_with_each(django_assert_max_num_queries):
    for number in range(3):
        words(UserFactory(username=f"u{number}"), 3)

    with django_assert_max_num_queries(8):
        flags.refresh(now=NOW)


def test_the_command_says_what_it_found(capsys):
    xp.award(UserFactory(), 6_000, reason="a test", key="a")

    call_command("refresh_flags")

    assert capsys.readouterr().out == "Days of people looked at: 1; new flags: 1.\n"
    with pytest.raises(CommandError, match="--days"):
        call_command("refresh_flags", days=0)


def test_no_number_that_is_reported_stops_the_others(ada, grace, settings):
    settings.GAMIFICATION = {"ACTIVITY_TYPES": {"walk": {}}}
    for turn, minutes in enumerate([2**63 - 1, 2**63 - 1, -5]):
        activities.record(ada, "walk", key=f"{turn}", data={"minutes": minutes}, now=NOW)
    xp.award(grace, 5_001, reason="a test", key="a", now=NOW)

    flags.refresh(now=NOW)

    assert [(name, rule) for name, rule, *_ in told()] == [("ada", "minutes_a_day"), ("grace", "xp_a_day")]


def test_whoever_is_erased_while_flags_are_looked_for_gets_none(ada, monkeypatch):
    xp.award(ada, 5_001, reason="a test", key="a", now=NOW)
    keep = flagging._keep

    def erase_first(*args):
        privacy.erase(ada)
        return keep(*args)

    monkeypatch.setattr(flagging, "_keep", erase_first)

    assert (flags.refresh(now=NOW).found, told()) == (0, [])

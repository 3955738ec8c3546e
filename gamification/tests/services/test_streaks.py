from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from gamification.exceptions import (
    AlreadyActiveToday,
    GamificationError,
    IdempotencyConflict,
    NoActiveStreak,
    NoFreezesLeft,
    TimezoneChangedRecently,
    TimezoneTooFar,
    UnknownTimezone,
)
from gamification.models import Activity, UserDay, UserStreak, XPTransaction
from gamification.services import activities, integrity, streaks
from gamification.services.streaks import StreakStatus
from gamification.tests.domain.vectors import NOT_GIVEN, Step, cases
from gamification.tests.factories import ExcusedDateFactory, UserFactory
from gamification.tests.helpers import at, listening, noon, snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return UserFactory()


def days_of(user: Any) -> dict[int, str]:
    return {day.date.day: day.status for day in UserDay.objects.filter(user=user)}


def visit(user: Any, *days: int) -> None:
    for day in days:
        streaks.touch(user, now=noon(day))


def seen(status: StreakStatus) -> tuple[str, int, int, int]:
    return status.status, status.current, status.longest, status.freezes


# The worked cases


def take(user: Any, number: int, step: Step) -> dict[str, Any]:
    """Take a step through the services and return what was answered, in the words of the worked cases."""
    try:
        told = _answer(user, number, step)
    except GamificationError as refused:
        told = {"code": refused.code, "status_code": refused.status_code}
    status = streaks.status(user, now=step.now)
    now = {"current": status.current, "longest": status.longest, "freezes": status.freezes, "status": status.status}
    assert {name: told[name] for name in now if name in told} in ({}, now)
    return {**now, **told}


def _answer(user: Any, number: int, step: Step) -> dict[str, Any]:
    if step.op == "act":
        moment, trusted = step.occurred_at, step.is_trusted
        receipt = activities.record(
            user, "words_learned", key=f"{number}", occurred_at=moment, now=step.now, trusted=trusted
        )
        change = receipt.streak
        reason = {"reason": change.reason} if change.reason else {}
        transitions = {"transitions": list(change.transitions)} if change.action else {}
        return {"action": change.action, **reason, **transitions, **_figures(change)}
    if step.op == "freeze":
        change = streaks.freeze(user, now=step.now)
        told = {"action": change.action, "transitions": list(change.transitions), "replayed": change.is_replay}
        return {**told, **_figures(change)}
    status = (
        streaks.set_timezone(user, step.zone, now=step.now) if step.op == "tz" else streaks.status(user, now=step.now)
    )
    return _figures(status)


def _figures(status: StreakStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in ("current", "longest", "freezes", "status")}


@pytest.mark.parametrize("case", cases())
def test_a_worked_case_is_answered_step_by_step(ada, case):
    with override_settings(GAMIFICATION=case.settings):
        for number, step in enumerate(case.steps):
            told = take(ada, number, step)

            assert told == step.expect, f"step {number}: {step.op} at {step.now}"
            row = UserStreak.objects.filter(user=ada).first()
            stored = row.expires_at if row else None
            assert streaks.status(ada, now=step.now).expires_at == stored
            if step.expires is not NOT_GIVEN:
                assert stored == step.expires

        assert not list(integrity.verify(users=[ada], now=case.steps[-1].now))


# Reading


def test_a_lapsed_streak_reads_zero_before_anyone_writes(ada):
    streaks.touch(ada, now=noon("2026-06-01"))

    status = streaks.status(ada, now=noon("2026-06-09"))

    assert (status.current, status.longest, status.status) == (0, 1, "broken")


def test_reading_writes_nothing(ada):
    visit(ada, 1)
    before = snapshot()

    for day in (1, 2, 3, 9):
        streaks.status(ada, now=noon(day))
        streaks.week(ada, now=noon(day))
    streaks.timezone(ada)
    streaks.freeze_history(ada)
    streaks.days_between(ada, since=date(2026, 1, 1), until=date(2026, 12, 31))
    streaks.status(UserFactory())

    assert snapshot() == before


def test_somebody_new_reads_as_nothing_yet(ada):
    status = streaks.status(ada)

    assert seen(status) == ("none", 0, 0, 3)
    assert (status.expires_at, status.last_activity_date, status.total_active_days) == (None, None, 0)
    assert streaks.timezone(ada) == "UTC"


def test_initializing_gives_the_rows_once(ada):
    assert seen(streaks.initialize(ada)) == ("none", 0, 0, 3)
    visit(ada, 1)
    streaks.initialize(ada)

    assert UserStreak.objects.get().current_streak == 1


@override_settings(GAMIFICATION={"DEFAULT_TIMEZONE": "Asia/Tokyo", "STREAK_FREEZES": 1, "STREAK_FREEZES_MAX": 2})
def test_a_newcomer_gets_what_the_settings_say(ada):
    streaks.initialize(ada)

    assert (streaks.timezone(ada), streaks.status(ada).freezes) == ("Asia/Tokyo", 1)


def zone_by_name(user: Any) -> str | None:
    return "Asia/Kathmandu" if user.username == "nepali" else None


@override_settings(GAMIFICATION={"USER_TIMEZONE": f"{__name__}.zone_by_name", "DEFAULT_TIMEZONE": "Europe/Berlin"})
def test_the_project_can_say_which_zone_a_newcomer_has():
    assert streaks.timezone(UserFactory(username="nepali")) == "Asia/Kathmandu"
    assert streaks.timezone(UserFactory()) == "Europe/Berlin"


# Visits


def test_a_visit_is_an_activity_of_the_local_day(ada):
    streaks.set_timezone(ada, "Asia/Tokyo", now=noon(1))

    change = streaks.touch(ada, now=at("2026-06-01T15:30"))

    row = Activity.objects.get()
    assert (row.kind, row.key, row.local_date) == ("daily_visit", "visit:2026-06-02", date(2026, 6, 2))
    assert (change.action, change.transitions, change.xp_awarded) == ("started", ("started",), 5)
    assert XPTransaction.objects.get().xp_amount == 5


def test_a_second_visit_of_the_day_maintains(ada):
    visit(ada, 1)
    before = snapshot()

    change = streaks.touch(ada, now=at("2026-06-01T23:59:59"))

    assert (change.action, change.transitions, change.xp_awarded) == ("maintained", ("maintained",), 0)
    assert (change.current, change.status) == (1, "active")
    assert snapshot() == before


def test_a_visit_after_another_activity_of_the_day_maintains_and_pays_nothing(ada):
    activities.record(ada, "words_learned", key="w", now=noon(1))

    change = streaks.touch(ada, now=at("2026-06-01T13:00"))

    assert (change.action, change.xp_awarded) == ("maintained", 0)


def test_a_visit_never_fails_because_of_a_key_that_a_client_chose(ada):
    activities.record(ada, "daily_visit", key="visit:2026-06-01", now=noon(1))

    assert streaks.touch(ada, now=noon(1)).action == "maintained"


def test_the_key_of_a_visit_is_taken_when_a_client_used_it_for_something_else(ada):
    activities.record(ada, "words_learned", key="visit:2026-06-01", now=noon(1))

    with pytest.raises(IdempotencyConflict):
        streaks.touch(ada, now=noon(1))


# Freezing


def test_freezing_keeps_its_date_and_reason(ada):
    visit(ada, 1, 2)

    change = streaks.freeze(ada, now=at("2026-06-03T09:00"))

    assert (change.action, change.transitions, change.is_replay) == ("frozen", ("frozen",), False)
    assert seen(change) == ("frozen", 2, 2, 2)
    row = UserDay.objects.get(date="2026-06-03")
    assert (row.status, row.reason, row.freezes_used, row.frozen_at) == (
        *("frozen", "requested", 1),
        at("2026-06-03T09:00"),
    )
    assert UserStreak.objects.get().last_at == noon(2)


def test_freezing_twice_uses_one_token(ada):
    visit(ada, 1)
    first = streaks.freeze(ada, now=noon(2))
    before = snapshot()

    again = streaks.freeze(ada, now=at("2026-06-02T15:00"))

    assert (again.action, again.transitions, again.is_replay) == ("frozen", (), True)
    assert seen(again) == seen(first)
    assert snapshot() == before


@pytest.mark.parametrize(
    ("days", "tokens", "today", "error", "code"),
    [
        ((1,), 3, 1, AlreadyActiveToday, "already_active_today"),
        ((), 3, 1, NoActiveStreak, "no_active_streak"),
        ((1,), 3, 9, NoActiveStreak, "no_active_streak"),
        ((1,), 0, 2, NoFreezesLeft, "no_freezes_left"),
        ((1,), 2, 4, NoFreezesLeft, "no_freezes_left"),
    ],
)
def test_a_refused_freeze_changes_nothing(ada, days, tokens, today, error, code):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": tokens}):
        visit(ada, *days)
        before = snapshot()

        with pytest.raises(error) as refused:
            streaks.freeze(ada, now=noon(today))

    assert (refused.value.code, refused.value.status_code) == (code, 409)
    assert snapshot() == before


def test_freezing_covers_lapsed_days_and_today(ada):
    visit(ada, 1)

    change = streaks.freeze(ada, now=noon(3))

    assert seen(change) == ("frozen", 1, 1, 1)
    assert days_of(ada) == {1: "active", 2: "frozen", 3: "frozen"}
    assert [(day.date.day, day.reason) for day in streaks.freeze_history(ada)] == [(3, "requested"), (2, "automatic")]


def test_a_frozen_day_that_became_active_is_still_told_in_the_history(ada):
    visit(ada, 1)
    streaks.freeze(ada, now=at("2026-06-02T09:00"))
    visit(ada, 2)

    (row,) = streaks.freeze_history(ada)

    assert (row.date.day, row.status, row.freezes_used, row.freezes_returned) == (2, "active", 1, 1)
    assert UserStreak.objects.get().streak_freezes_available == 3


def test_a_freeze_is_announced_once(ada, django_capture_on_commit_callbacks):
    visit(ada, 1)

    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        streaks.freeze(ada, now=noon(2))
        streaks.freeze(ada, now=noon(2))

    assert heard.names == ["freeze_used", "streak_changed"]
    assert heard[0][1]["date"] == date(2026, 6, 2)
    assert heard[1][1]["change"].action == "frozen"


def test_every_grant_and_every_use_is_kept(ada):
    visit(ada, *range(1, 4))
    visit(ada, *range(6, 10))  # the 4th and the 5th are frozen; the seventh active day earns one back

    rows = {day.date.day: (day.freezes_used, day.freezes_earned) for day in UserDay.objects.all()}
    assert (rows[4], rows[5], rows[9]) == ((1, 0), (1, 0), (0, 1))
    row = UserStreak.objects.get()
    used, earned = (sum(column) for column in zip(*rows.values(), strict=True))
    assert row.streak_freezes_available == row.starting_freezes - used + earned == 2


# Time zones


def test_moving_leaves_past_days_as_they_were_and_moves_the_expiry(ada):
    visit(ada, 1)
    days_before = list(UserDay.objects.values())

    status = streaks.set_timezone(ada, "Pacific/Honolulu", now=noon(1))

    row = UserStreak.objects.get()
    assert (row.timezone, row.timezone_changed_at) == ("Pacific/Honolulu", noon(1))
    assert row.expires_at == status.expires_at == at("2026-06-06T10:00")
    assert list(UserDay.objects.values()) == days_before


@pytest.mark.parametrize("name", ["", "+01:00", "Mars/Olympus", "europe/berlin", None, 5, "../x", "a\x00"])
def test_an_unknown_zone_is_refused(ada, name):
    visit(ada, 1)
    before = snapshot()

    with pytest.raises(UnknownTimezone) as refused:
        streaks.set_timezone(ada, name)

    assert (refused.value.code, refused.value.status_code) == ("unknown_timezone", 422)
    assert snapshot() == before


def test_a_user_may_move_once_in_24_hours_and_the_first_time_is_free(ada):
    streaks.set_timezone(ada, "Europe/Berlin", now=noon(1), by_staff=False)
    before = snapshot()

    with pytest.raises(TimezoneChangedRecently) as refused:
        streaks.set_timezone(ada, "Asia/Tokyo", now=noon(2) - timedelta(seconds=1), by_staff=False)

    assert (refused.value.code, refused.value.status_code) == ("timezone_changed_recently", 429)
    assert snapshot() == before
    streaks.set_timezone(ada, "Asia/Tokyo", now=noon(2), by_staff=False)
    assert streaks.timezone(ada) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("first", "then", "is_refused"),
    [
        ("Pacific/Pago_Pago", "Pacific/Kiritimati", True),
        ("Pacific/Kiritimati", "Etc/GMT+12", True),
        ("Pacific/Chatham", "Pacific/Niue", True),
        ("Pacific/Honolulu", "Pacific/Kiritimati", False),
        ("Pacific/Pago_Pago", "Pacific/Apia", False),
        ("Asia/Tokyo", "America/Los_Angeles", False),
    ],
)
def test_nobody_moves_by_themselves_between_the_ends_of_the_world(ada, first, then, is_refused):
    streaks.set_timezone(ada, first, now=noon(1), by_staff=False)
    visit(ada, 1)
    streaks.set_timezone(ada, "UTC", now=noon(2), by_staff=False)
    before = snapshot()

    if is_refused:
        with pytest.raises(TimezoneTooFar) as refused:
            streaks.set_timezone(ada, then, now=noon(3), by_staff=False)
        assert (refused.value.code, refused.value.status_code) == ("timezone_too_far", 422)
        assert snapshot() == before
        streaks.set_timezone(ada, then, now=noon(3))
    else:
        streaks.set_timezone(ada, then, now=noon(3), by_staff=False)

    assert streaks.timezone(ada) == then


def test_staff_may_move_somebody_at_any_time(ada):
    for zone in ("Europe/Berlin", "Asia/Tokyo", "UTC"):
        streaks.set_timezone(ada, zone, now=noon(1))

    assert streaks.timezone(ada) == "UTC"


def test_setting_the_zone_that_one_has_is_always_allowed(ada):
    streaks.set_timezone(ada, "Europe/Berlin", now=noon(1), by_staff=False)
    before = snapshot()

    streaks.set_timezone(ada, "Europe/Berlin", now=noon(1), by_staff=False)

    assert snapshot() == before


def test_hopping_zones_gains_no_more_than_a_day(ada):
    moment = at("2026-06-01T11:00")
    streaks.touch(ada, now=moment)
    with pytest.raises(TimezoneChangedRecently):
        for zone in ("Pacific/Kiritimati", "Pacific/Honolulu", "Pacific/Kiritimati"):
            streaks.set_timezone(ada, zone, now=moment, by_staff=False)
            streaks.touch(ada, now=moment)

    assert streaks.status(ada, now=moment).current <= 2


# Excused dates


def test_an_excused_date_is_skipped_for_everybody(ada):
    visit(ada, 1)
    ExcusedDateFactory(date=date(2026, 6, 2))

    change = streaks.touch(ada, now=noon(3))

    assert (change.action, change.freezes) == ("increased", 3)
    assert UserDay.objects.get(date="2026-06-02").reason == "excused"


def test_excused_dates_count_when_reading_too(ada):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        visit(ada, 1)
        assert streaks.status(ada, now=noon(3)).status == "broken"

        ExcusedDateFactory(date=date(2026, 6, 2))

        assert streaks.status(ada, now=noon(3)).status == "at_risk"


# The days behind


def test_the_week_goes_from_monday_to_sunday_of_the_local_week(ada):
    streaks.set_timezone(ada, "Asia/Tokyo", now=noon(1))
    streaks.touch(ada, now=at("2026-06-07T15:30"))  # Monday the 8th in Tokyo

    week = streaks.week(ada, now=at("2026-06-08T15:30"))  # Tuesday

    assert [day.date.day for day in week] == list(range(8, 15))
    assert [day.status for day in week] == ["active", "", "", "", "", "", ""]
    assert [day.is_today for day in week] == [False, True, False, False, False, False, False]
    assert [day.is_future for day in week] == [False, False, True, True, True, True, True]


def test_the_week_shows_freezes_and_skipped_days(ada):
    ExcusedDateFactory(date=date(2026, 6, 9))
    visit(ada, 8, 11)

    assert [day.status for day in streaks.week(ada, now=noon(11))][:4] == ["active", "skipped", "frozen", "active"]


def test_the_days_between_two_dates_hold_both(ada):
    visit(ada, 1, 2, 4)
    visit(UserFactory(), 2)

    days = streaks.days_between(ada, since=date(2026, 6, 2), until=date(2026, 6, 4))

    assert [(day.date.day, day.status) for day in days] == [(2, "active"), (3, "frozen"), (4, "active")]


# Around midnight and the clock changes


@pytest.mark.parametrize(
    ("zone", "first", "second", "action"),
    [
        ("Asia/Kolkata", "2026-06-01T23:59:59", "2026-06-02T00:00:00", "increased"),
        ("Asia/Kathmandu", "2026-06-02T00:00:00", "2026-06-02T23:59:59", "maintained"),
        ("Australia/Lord_Howe", "2026-04-04T23:30:00", "2026-04-05T00:15:00", "increased"),
        ("Europe/Berlin", "2026-03-28T23:59:00", "2026-03-30T00:01:00", "increased"),
        ("Europe/Berlin", "2026-10-24T00:01:00", "2026-10-25T23:59:00", "increased"),
        ("America/Nuuk", "2026-03-28T21:59:00", "2026-03-29T00:30:00", "increased"),
        ("Pacific/Kiritimati", "2026-06-01T23:59:00", "2026-06-02T00:01:00", "increased"),
    ],
)
def test_a_day_is_a_day_on_the_users_own_clock(ada, zone, first, second, action):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0, "DEFAULT_TIMEZONE": zone}):
        streaks.touch(ada, now=at(first).replace(tzinfo=ZoneInfo(zone)))

        assert streaks.touch(ada, now=at(second).replace(tzinfo=ZoneInfo(zone))).action == action


def test_a_moment_without_an_offset_is_no_now(ada):
    for service in (streaks.status, streaks.touch, streaks.freeze):
        with pytest.raises(GamificationError) as refused:
            service(ada, now=noon(1).replace(tzinfo=None))
        assert refused.value.field == "now"

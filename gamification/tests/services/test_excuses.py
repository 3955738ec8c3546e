"""Excused dates: streaks follow, in both directions, as if the date had always been what it is now."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from gamification.engine import excusing
from gamification.exceptions import AlreadyExcused, GamificationError, InvalidInput, NotExcused
from gamification.models import ExcusedDate, UserAchievement, UserDay, UserStreak
from gamification.services import achievements, activities, excuses, integrity, leaderboards, streaks
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at, listening, noon, snapshot
from gamification.tests.properties import DATABASE

pytestmark = pytest.mark.django_db

NOW = noon(30)
OUTAGE = date(2026, 6, 6)


@pytest.fixture(autouse=True)
def run_tasks_at_once(monkeypatch):
    """Let streaks follow at once: a test's transaction never commits."""
    monkeypatch.setattr("gamification.tasks.follow_excused_date_after_commit", lambda pk: excusing.follow(pk, NOW))


@pytest.fixture
def ada():
    return UserFactory(username="ada")


def act(user: Any, *days: int) -> None:
    for day in days:
        activities.record(user, "daily_visit", key=f"{day}", occurred_at=noon(day), now=noon(day))


def told(user: Any) -> dict[str, Any]:
    """Return what an excuse may change: the days' statuses and the streak, without the longest ever."""
    row = UserStreak.objects.get(user=user)
    days = UserDay.objects.filter(user=user).exclude(status="").order_by("date").values_list("date", "status")
    return {
        "days": list(days),
        "current": row.current_streak,
        "freezes": row.streak_freezes_available,
        "active days": row.total_active_days,
        "last": (row.last_day, row.last_activity_date, row.last_at),
        "expires": row.expires_at,
    }


def drifts(*users: Any) -> list[str]:
    return [str(drift) for drift in integrity.verify(users=users, now=NOW)]


# What follows


def test_a_streak_that_broke_over_the_date_is_joined(ada):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        act(ada, 1, 2, 3, 4, 5, 7, 8)
        broken = streaks.status(ada, now=noon(8))

        excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

        joined = streaks.status(ada, now=noon(8))
    assert (broken.current, joined.current, joined.longest, joined.freezes) == (2, 7, 7, 1)
    assert UserDay.objects.get(user=ada, date=OUTAGE).reason == "excused"
    assert drifts(ada) == []


def test_the_token_that_covered_the_date_is_given_back(ada):
    act(ada, 4, 5, 7)
    before = streaks.status(ada, now=noon(7)).freezes

    excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

    day = UserDay.objects.get(user=ada, date=OUTAGE)
    assert (before, streaks.status(ada, now=noon(7)).freezes) == (2, 3)
    assert (day.status, day.freezes_used, day.freezes_returned) == ("skipped", 1, 1)


def test_a_token_that_was_saved_covers_a_later_day(ada):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 1, "STREAK_FREEZES_MAX": 1}):
        act(ada, 4, 5, 7, 8, 10)
        broken = streaks.status(ada, now=noon(10)).current

        excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

        assert (broken, streaks.status(ada, now=noon(10)).current) == (1, 5)
    assert drifts(ada) == []


def test_a_freeze_asked_for_on_the_date_is_given_back_and_used_again_when_it_is_undone(ada):
    act(ada, 4, 5)
    streaks.freeze(ada, now=noon(6))
    act(ada, 7)

    excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
    given_back = streaks.status(ada, now=noon(7)).freezes
    excuses.unexcuse_date(OUTAGE, reason="there was none", now=NOW)

    assert given_back == 3
    assert streaks.status(ada, now=noon(7)).freezes == 2
    assert UserDay.objects.get(user=ada, date=OUTAGE).reason == "requested"


def test_whoever_has_not_come_back_yet_has_a_day_more(ada):
    act(ada, 4, 5)
    before = UserStreak.objects.get(user=ada).expires_at

    excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

    assert UserStreak.objects.get(user=ada).expires_at == before + timedelta(days=1)
    assert drifts(ada) == []


def test_an_excused_day_cannot_be_frozen_and_costs_no_token(ada):
    excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
    act(ada, 5)

    told = streaks.freeze(ada, now=noon(6))

    assert (told.freezes, told.is_replay) == (3, True)


def test_the_board_of_current_streaks_follows(ada):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0, "LEADERBOARD_TTL": 0}):
        act(ada, 1, 2, 3, 4, 5, 7)
        excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

        assert leaderboards.rank(ada, "streak_current", now=noon(7)).score == 6


def test_an_achievement_that_the_joined_streak_reaches_is_unlocked_and_stays(ada):
    achievements.initialize()
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        act(ada, 1, 2, 3, 4, 5, 7, 8)
        before = UserAchievement.objects.of(ada).unlocked().filter(achievement="week_warrior").exists()

        with listening(["achievement_unlocked"]):
            excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
        excuses.unexcuse_date(OUTAGE, reason="there was none", now=NOW)

    unlocked = UserAchievement.objects.of(ada).unlocked().get(achievement="week_warrior")
    assert not before
    assert (unlocked.unlocked_at, unlocked.unlock_metadata["by"]) == (NOW, "excused_date")
    assert drifts(ada) == []


def test_taking_it_back_breaks_the_streak_again_and_keeps_the_longest(ada):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        act(ada, 1, 2, 3, 4, 5, 7, 8)
        before = told(ada)

        excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
        excuses.unexcuse_date(OUTAGE, reason="there was none", now=NOW)

        assert told(ada) == before
        assert streaks.status(ada, now=noon(8)).longest == 7
    assert drifts(ada) == []


def test_what_was_recorded_meanwhile_counts_when_it_is_taken_back(ada):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
        act(ada, 4, 5, 7, 8)
        excuses.unexcuse_date(OUTAGE, reason="there was none", now=NOW)

        assert streaks.status(ada, now=noon(8)).current == 2
    assert UserDay.objects.get(user=ada, date=OUTAGE).status == ""
    assert drifts(ada) == []


def test_a_log_that_was_cut_off_leaves_the_days_as_they_are(ada):
    act(ada, 1, 2, 7)
    UserDay.objects.create(user=ada, date=date(2026, 6, 8), status="active")
    before = told(ada)

    excuses.excuse_date(date(2026, 6, 3), reason="an outage", now=NOW)

    assert told(ada) == before


@pytest.mark.parametrize("days", [(1, 2, 3), (6, 7, 8), (4, 5, 6, 7)], ids=["long gone", "begun on it", "was there"])
def test_whom_it_does_not_concern_it_does_not_touch(ada, days):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        act(ada, *days)
        before = told(ada)

        row = excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

        assert told(ada) == before
    row.refresh_from_db()
    assert row.people_changed == 0


# The row


def test_it_is_kept_who_did_it_and_why(ada):
    excuses.excuse_date(OUTAGE, reason=" an outage ", actor=ada, now=NOW)
    excuses.unexcuse_date(OUTAGE, reason="there was none", actor=ada, now=NOW)
    undone = ExcusedDate.objects.get()
    excuses.excuse_date(OUTAGE, reason="there was one after all", now=NOW)
    again = ExcusedDate.objects.get()

    assert (undone.reason, undone.excused_by, undone.undone_by) == ("an outage", ada, ada)
    assert (undone.undone_at, undone.undo_reason, undone.is_in_force) == (NOW, "there was none", False)
    assert (again.reason, again.excused_by, again.undone_by, again.is_in_force) == (
        "there was one after all",
        None,
        None,
        True,
    )


@pytest.mark.parametrize(
    ("on", "reason", "error"),
    [
        (date(2026, 7, 2), "soon", InvalidInput),
        (date(2025, 6, 28), "long ago", InvalidInput),
        (noon(6), "a moment", InvalidInput),
        ("2026-06-06", "a text", InvalidInput),
        (OUTAGE, "  ", InvalidInput),
        (OUTAGE, "x" * 256, InvalidInput),
        (date(2026, 6, 7), "again", AlreadyExcused),
    ],
)
def test_what_cannot_be_excused_is_refused_and_changes_nothing(on, reason, error):
    excuses.excuse_date(date(2026, 6, 7), reason="an outage", now=NOW)
    before = snapshot()

    with pytest.raises(error):
        excuses.excuse_date(on, reason=reason, now=NOW)

    assert snapshot() == before


def test_what_is_not_excused_cannot_be_taken_back():
    excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
    excuses.unexcuse_date(OUTAGE, reason="there was none", now=NOW)

    for on in (OUTAGE, date(2026, 6, 7)):
        with pytest.raises(NotExcused):
            excuses.unexcuse_date(on, reason="there was none", now=NOW)


def test_tomorrow_and_a_year_ago_can_be_excused():
    for on in (date(2026, 7, 1), date(2025, 6, 29)):
        assert excuses.excuse_date(on, reason="an outage", now=NOW).is_in_force


# The work


def test_a_pass_that_was_cut_off_goes_on_where_it_was(ada, monkeypatch):
    people = [ada, UserFactory(), UserFactory()]
    for user in people:
        act(user, 4, 5, 7)
    monkeypatch.setattr(excusing, "USERS_AT_ONCE", 1)
    follow, passes = excusing._follow_some, iter([True, False])
    monkeypatch.setattr(excusing, "_follow_some", lambda pk, now: next(passes) and follow(pk, now))
    row = excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
    monkeypatch.setattr(excusing, "_follow_some", follow)
    row.refresh_from_db()
    cut_off = (row.people_seen, row.people_changed, row.refolded_at)

    excuses.resume(row)

    row.refresh_from_db()
    assert cut_off == (1, 1, None)
    assert (row.people_seen, row.people_changed, row.refolded_at) == (3, 3, NOW)
    assert drifts(*people) == []


def test_a_second_pass_changes_nothing(ada):
    act(ada, 1, 2, 4, 5, 7, 8)
    row = excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)
    before = told(ada)
    ExcusedDate.objects.update(refolded_at=None, refold_cursor="", people_changed=0)

    excuses.resume(row)

    row.refresh_from_db()
    assert (told(ada), row.people_changed) == (before, 0)


def test_only_those_concerned_are_looked_at_and_the_others_never_read(ada, django_assert_max_num_queries):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        for number in range(20):
            act(UserFactory(username=f"gone{number}"), 1)
    act(ada, 4, 5, 7)

    with django_assert_max_num_queries(26):
        row = excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

    row.refresh_from_db()
    assert row.people_seen == 1


def test_a_preview_tells_how_many_missed_it(ada, monkeypatch):
    act(ada, 4, 5, 7)
    act(UserFactory(), 4, 5, 6)
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        act(UserFactory(), 1)

    few = excuses.preview(OUTAGE)
    monkeypatch.setattr(excuses, "PEOPLE_LOOKED_AT", 1)
    many = excuses.preview(OUTAGE)

    assert few == excuses.Concerned(seen=2, missed=1, is_capped=False)
    assert many == excuses.Concerned(seen=1, missed=1, is_capped=True)


# For any history

ZONES = ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Honolulu"]
waits = st.one_of(st.integers(1, 600), st.integers(1300, 1600), st.integers(0, 4 * 1440))
records = st.one_of(
    st.tuples(st.just("record"), waits, st.just(0)),
    st.tuples(st.just("record"), waits, st.just(0)),
    st.tuples(st.just("record"), waits, st.integers(0, 7 * 1440)),
)
moves = st.tuples(st.just("move"), waits, st.sampled_from(ZONES))
freezes = st.tuples(st.just("freeze"), waits, st.just(0))
START = at("2026-03-01T12:00")


def live(user: Any, steps: list[tuple[str, int, Any]]) -> None:
    now = START
    streaks.initialize(user)
    for number, (name, wait, how) in enumerate(steps):
        now += timedelta(minutes=wait)
        try:
            if name == "record":
                moment = now - timedelta(minutes=how)
                activities.record(user, "daily_visit", key=str(number), occurred_at=moment, now=now)
            elif name == "move":
                streaks.set_timezone(user, how, now=now)
            else:
                streaks.freeze(user, now=now)
        except GamificationError:
            continue


def forget_excuses() -> None:
    ExcusedDate.objects.all().delete()


@pytest.mark.parametrize("auto", [True, False], ids=["by themselves", "by hand"])
@DATABASE
@given(st.lists(st.one_of(records, records, moves), min_size=1, max_size=25), st.integers(0, 30))
@example([("record", 0, 0), *[("record", 1440, 0)] * 4, ("record", 2880, 0)], 5)
def test_excused_afterwards_is_excused_from_the_start(auto, steps, day):
    on = START.date() + timedelta(days=day)
    early, late = UserFactory(), UserFactory()
    with override_settings(GAMIFICATION={"STREAK_AUTO_FREEZE": auto, "STREAK_FREEZE_EARNED_EVERY": 3}):
        forget_excuses()
        ExcusedDate.objects.create(date=on, reason="an outage")
        live(early, steps)
        expected = told(early)
        forget_excuses()
        live(late, steps)
        before = told(late)

        excuses.excuse_date(on, reason="an outage", now=NOW)
        excused = told(late)
        drifted = drifts(early, late)
        longest = [UserStreak.objects.get(user=user).longest_streak for user in (early, late)]
        excuses.unexcuse_date(on, reason="there was none", now=NOW)

        assert excused == expected
        assert longest[1] >= longest[0]
        assert drifted == drifts(late) == []
        assert told(late) == before
        assert UserStreak.objects.get(user=late).longest_streak == longest[1]


@DATABASE
@given(st.lists(st.one_of(records, records, moves, freezes), min_size=1, max_size=25), st.integers(0, 30))
def test_with_freezes_on_request_too_it_can_be_taken_back_without_a_trace(steps, day):
    on = START.date() + timedelta(days=day)
    user = UserFactory()
    with override_settings(GAMIFICATION={"STREAK_FREEZE_EARNED_EVERY": 3}):
        forget_excuses()
        live(user, steps)
        before = told(user)

        excuses.excuse_date(on, reason="an outage", now=NOW)
        drifted = drifts(user)
        excuses.unexcuse_date(on, reason="there was none", now=NOW)

        assert drifted == drifts(user) == []
        assert told(user) == before


def test_users_without_rows_are_no_trouble():
    get_user_model().objects.create_user("nobody")

    row = excuses.excuse_date(OUTAGE, reason="an outage", now=NOW)

    row.refresh_from_db()
    assert (row.people_seen, row.refolded_at) == (0, NOW)

"""The dashboard in one answer."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamification.exceptions import UnknownMetric
from gamification.models import Achievement, UserStreak, UserXP
from gamification.services import achievements, dashboard, leaderboards, streaks, xp
from gamification.tests.backends.people import NOON, do, give, ids, people, person
from gamification.tests.services.lives import NOW, lively

pytestmark = pytest.mark.django_db

QUERIES = 22


@pytest.fixture(autouse=True)
def _catalogue():
    achievements.initialize()


def test_it_shows_what_the_services_say():
    user = lively()
    people(50, 100_000, now=NOW)

    shown = dashboard.overview(user, now=NOW)

    assert (shown.today, shown.timezone, shown.is_new) == (date(2026, 6, 30), "Europe/Berlin", False)
    assert shown.level == xp.level(user)
    assert shown.streak == streaks.status(user, now=NOW)
    assert shown.week == streaks.week(user, now=NOW)
    assert shown.achievements == tuple(achievements.catalogue(user))
    assert shown.board == leaderboards.top("xp_all_time", viewer=user, now=NOW)
    assert list(shown.recent) == list(xp.history(user)[:10])
    assert [day.date.day for day in shown.freeze_days][:2] == [30, 12]


def test_counts_are_those_of_the_catalogue():
    user = lively()

    shown = dashboard.overview(user, now=NOW)

    assert shown.unlocked_count == len(achievements.for_user(user)) > 0
    assert shown.visible_count == 27


def test_the_calendar_is_a_year_up_to_today():
    shown = dashboard.overview(lively(), now=NOW)

    assert len(shown.days) == 365
    assert (shown.days[0].date, shown.days[-1].date) == (date(2025, 7, 1), date(2026, 6, 30))
    assert all(
        later.date - day.date == timedelta(days=1) for day, later in zip(shown.days, shown.days[1:], strict=False)
    )
    by_date = {day.date: day for day in shown.days}
    assert [by_date[date(2026, 6, day)].status for day in (4, 9, 15, 29, 30)] == [
        "frozen",
        "active",
        "",
        "active",
        "frozen",
    ]
    assert by_date[date(2026, 6, 5)].xp > 0
    assert by_date[date(2026, 6, 15)].activities == 1


@pytest.mark.parametrize(
    ("zone", "today"),
    [("Pacific/Kiritimati", date(2026, 6, 11)), ("UTC", date(2026, 6, 10)), ("Pacific/Niue", date(2026, 6, 10))],
)
def test_today_is_the_persons_own(zone, today):
    user = person()
    streaks.set_timezone(user, zone, now=NOON)

    shown = dashboard.overview(user, now=NOON)

    assert (shown.today, shown.days[-1].date, shown.timezone) == (today, today, zone)
    assert [day.date for day in shown.week if day.is_today] == [today]


def test_the_week_is_monday_to_sunday():
    user = person()
    do(user, now=datetime(2026, 6, 8, 12, tzinfo=UTC))

    week = dashboard.overview(user, now=NOON).week

    assert [day.date.weekday() for day in week] == list(range(7))
    assert [day.status for day in week] == ["active", "frozen", *[""] * 5]
    assert [day.is_future for day in week] == [False] * 3 + [True] * 4


def test_a_new_person_sees_zeros_and_nothing_is_written():
    user = person()

    shown = dashboard.overview(user, now=NOON)

    assert shown.is_new
    assert (shown.level.total_xp, shown.level.current_level, shown.level.xp_to_next_level) == (0, 1, 100)
    assert (shown.streak.current, shown.streak.status, shown.streak.freezes) == (0, "none", 3)
    assert (shown.unlocked_count, shown.recent, shown.freeze_days) == (0, (), ())
    assert {(day.status, day.xp, day.activities) for day in shown.days} == {("", 0, 0)}
    assert (shown.board.me.rank, shown.board.entries) == (None, ())
    assert not UserXP.objects.exists()
    assert not UserStreak.objects.exists()


@pytest.mark.parametrize("started_by", ["visit", "award", "old activity"])
def test_whoever_has_anything_is_not_new(started_by):
    user = person()
    if started_by == "visit":
        do(user)
    elif started_by == "award":
        give(user, 10)
    else:
        do(user, "words_learned", occurred_at=NOON - timedelta(days=20))

    assert not dashboard.overview(user, now=NOON).is_new


def test_a_lapsed_streak_reads_0_and_keeps_its_longest(settings):
    settings.GAMIFICATION = {"STREAK_FREEZES": 0}
    user = person()
    for days_ago in (12, 11, 10):
        do(user, now=NOON - timedelta(days=days_ago))

    shown = dashboard.overview(user, now=NOON, metric="streak_current")

    assert (shown.streak.current, shown.streak.longest, shown.streak.status) == (0, 3, "broken")
    assert (shown.board.me.rank, ids(shown.board.entries)) == (None, [])
    assert not shown.is_new


@pytest.mark.parametrize("metric", leaderboards.metrics())
def test_any_board_can_be_shown(metric):
    user = person()
    achievements.unlock(user, "polyglot", now=NOON)
    do(user, "scenario_completed")

    shown = dashboard.overview(user, now=NOON, metric=metric)

    assert (shown.board.metric, shown.board.me.rank) == (metric, 1)


def test_an_unknown_board_is_refused():
    with pytest.raises(UnknownMetric):
        dashboard.overview(person(), now=NOON, metric="nonsense")


def test_a_secret_stays_one():
    Achievement.objects.filter(achievement_id="night_owl").update(is_hidden=True)

    shown = dashboard.overview(person(), now=NOON)

    (secret,) = [state for state in shown.achievements if state.achievement.achievement_id == "night_owl"]
    assert secret.is_masked


def test_ten_of_the_ledger_newest_first():
    user = person()
    for number in range(12):
        give(user, number + 1, now=NOON + timedelta(minutes=number))

    recent = dashboard.overview(user, now=NOON + timedelta(hours=1)).recent

    assert [row.xp_amount for row in recent] == list(range(12, 2, -1))


def test_it_is_frozen():
    shown = dashboard.overview(person(), now=NOON)

    with pytest.raises(FrozenInstanceError):
        shown.is_new = False


def test_the_number_of_queries_has_a_ceiling():
    user = lively()
    people(*range(10, 120, 10), now=NOW)
    dashboard.overview(user, now=NOW)

    with CaptureQueriesContext(connection) as queries:
        dashboard.overview(user, now=NOW)

    assert len(queries) <= QUERIES

"""Figures for staff: each held against rows counted by hand, and when which date is computed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gamification.engine import figures as keeping
from gamification.exceptions import InvalidInput
from gamification.models import Achievement, BoardReader, DailyFigure, UserDay, XPTransaction
from gamification.models.figures import Name
from gamification.models.xp import Source
from gamification.services import achievements, activities, figures, streaks, xp
from gamification.tests import factories
from gamification.tests.helpers import at, noon

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 20)
NOW = noon(20)


def compute(days=3, now=NOW, **options):
    """Compute the newest dates and return the last day that is read back."""
    figures.refresh(days=days, now=now, **options)
    return figures.read(7, now=now).days[-1]


def booked(amount, source, *, reason="test", on=TODAY, **columns):
    return factories.XPTransactionFactory(
        xp_amount=amount, source=source, reason=reason, earned_on=on, created_at=NOW, **columns
    )


def active(user, *days, status="active", **columns):
    for day in days:
        factories.UserDayFactory(user=user, date=date(2026, 6, day), status=status, activities=1, **columns)


# XP


def test_xp_is_added_up_by_source_and_that_of_activities_by_kind():
    for amount in (50, 70):
        booked(amount, Source.ACTIVITY, reason="scenario_completed")
    booked(5, Source.ACTIVITY, reason="words_learned")
    booked(10, Source.STREAK, reason="streak_bonus")
    booked(-30, Source.REVERSAL)
    booked(7, Source.CLIENT, reason="one")
    booked(8, Source.CLIENT, reason="two")
    booked(1000, Source.CLIENT, on=TODAY - timedelta(days=1))

    day = compute()

    assert day.xp == {
        "activity:scenario_completed": 120,
        "activity:words_learned": 5,
        "streak": 10,
        "reversal": -30,
        "client": 15,
    }
    assert day.bookings == {
        "activity:scenario_completed": 2,
        "activity:words_learned": 1,
        "streak": 1,
        "reversal": 1,
        "client": 2,
    }


def test_xp_that_belongs_to_no_date_counts_on_the_utc_date_that_it_was_booked_on():
    for moment in ("2026-06-19T23:59:59.999999", "2026-06-20T00:00", "2026-06-20T23:59:59.999999", "2026-06-21T00:00"):
        factories.XPTransactionFactory(xp_amount=10, earned_on=None, created_at=at(moment))
    booked(5, Source.CLIENT)

    day = compute()

    assert (day.xp, day.bookings) == ({"client": 25}, {"client": 3})


def test_what_is_recorded_shows_up_to_the_last_point():
    achievements.initialize()
    user = factories.UserFactory()
    data = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}
    receipt = activities.record(user, "scenario_completed", key="one", data=data, now=NOW)

    day = compute()

    assert receipt.xp_awarded == sum(day.xp.values()) == 405
    assert day.xp == {"activity:scenario_completed": 300, "streak": 5, "achievement": 100}
    assert (day.active, day.unlocks) == (1, len(receipt.achievements_unlocked))


# People and streaks


def test_active_are_those_with_an_activity_each_once_also_in_a_week():
    ada, bob, eve = factories.UserFactory.create_batch(3)
    active(ada, 20, 19, 14)
    active(bob, 20)
    active(eve, 13)
    factories.UserDayFactory(date=TODAY, status="frozen", activities=0)
    factories.UserDayFactory(date=TODAY, status="", activities=0, xp=50)

    day = compute()

    assert (day.active, day.active_in_week) == (2, 2)


def test_freezes_are_those_that_covered_the_date():
    factories.UserDayFactory(date=TODAY, status="frozen", freezes_used=1)
    factories.UserDayFactory(date=TODAY, status="frozen", freezes_used=1)
    factories.UserDayFactory(date=TODAY - timedelta(days=1), status="frozen", freezes_used=1)

    assert compute().freezes == 2


@pytest.mark.parametrize(
    ("active_on", "covered_on", "counts"),
    [
        (range(14, 21), (), True),
        (range(15, 21), (), False),
        (range(7, 21), (), True),
        ((13, 14, 15, 17, 18, 19, 20), (16,), True),
        ((14, 15, 17, 18, 19, 20), (16,), False),
        ((10, 11, 13, 15, 17, 18, 20), (12, 14, 16, 19), True),
        ((12, 13, 14, 15, 17, 18, 19, 20), (), False),
        (range(13, 20), (20,), False),
        (range(12, 19), (), False),
    ],
)
@pytest.mark.parametrize("status", ["frozen", "skipped"])
def test_a_week_streak_is_seven_active_days_without_a_gap_up_to_the_date(active_on, covered_on, status, counts):
    user = factories.UserFactory()
    active(user, *active_on)
    for day in covered_on:
        factories.UserDayFactory(user=user, date=date(2026, 6, day), status=status)

    assert compute().on_week_streak == counts


def test_the_streaks_that_are_counted_are_those_that_people_have():
    people = factories.UserFactory.create_batch(12)
    for number, user in enumerate(people):
        for day in range(20 - number, 21):
            if (day + number) % 5 or day == 20:
                activities.record(user, "daily_visit", key=str(day), now=noon(day))
    current = [streaks.status(user, now=NOW).current for user in people]

    day = compute()

    assert {length >= 7 for length in current} == {True, False}
    assert day.on_week_streak == sum(length >= 7 for length in current)
    assert day.week_streak_share == day.on_week_streak / 12


# Achievements and levels


def test_unlocks_are_counted_by_definition_and_rarity_is_a_share_of_all_players():
    first, second, third = factories.AchievementFactory.create_batch(3)
    users = [row.user for row in factories.UserXPFactory.create_batch(4)]
    for user, moment in zip(users, ("2026-06-20T00:00", "2026-06-20T23:59", "2026-06-18T12:00"), strict=False):
        factories.UserAchievementFactory(user=user, achievement=first, unlocked_at=at(moment))
    factories.UserAchievementFactory(user=users[0], achievement=second, unlocked_at=NOW, revoked_at=NOW)
    factories.UserAchievementFactory(user=users[0], achievement=third, progress=50)

    day = compute()
    found = figures.read(7, now=NOW)

    assert day.unlocks == 3
    told = [(each.achievement_id, each.unlocks, each.holders, each.rarity) for each in found.definitions]
    assert told == [
        (first.achievement_id, 3, 3, 0.75),
        (second.achievement_id, 1, 0, 0.0),
        (third.achievement_id, 0, 0, 0.0),
    ]
    assert [each.achievement_id for each in found.never_unlocked] == [second.achievement_id, third.achievement_id]
    assert found.players == 4


def test_a_retired_definition_is_not_missed_among_those_never_unlocked():
    factories.AchievementFactory(is_active=False)

    compute()

    assert figures.read(7, now=NOW).never_unlocked == ()


def test_unlocks_per_person_are_those_of_seven_dates_also_at_the_beginning_of_what_is_read():
    achievement = factories.AchievementFactory()
    for day in (7, 8, 14, 20):
        user = factories.UserFactory()
        active(user, day)
        factories.UserAchievementFactory(user=user, achievement=achievement, unlocked_at=noon(day))
    active(factories.UserFactory(), 14)

    figures.refresh(days=14, now=NOW)
    days = figures.read(7, now=NOW).days

    assert [(day.date.day, day.unlocks_in_week, day.active_in_week) for day in (days[0], days[-1])] == [
        (14, 2, 3),
        (20, 2, 3),
    ]
    assert days[0].unlocks_per_person == pytest.approx(2 / 3)


def test_levels_are_counted_as_they_are_now_and_kept_for_the_newest_date_alone():
    for level in (1, 1, 3):
        factories.UserXPFactory(current_level=level)
    compute()
    factories.UserXPFactory(current_level=2)

    figures.refresh(days=2, now=NOW + timedelta(days=1))
    found = figures.read(7, now=NOW + timedelta(days=1))

    assert (found.levels, found.players) == (((1, 2), (2, 1), (3, 1)), 4)
    assert DailyFigure.objects.filter(name=Name.LEVELS).values("date").distinct().count() == 1


def test_those_who_looked_at_boards_are_counted_and_then_forgotten():
    users = factories.UserFactory.create_batch(3)
    for user in users:
        BoardReader.objects.create(user=user, date=TODAY - timedelta(days=2))
    BoardReader.objects.create(user=users[0], date=TODAY)
    active(users[0], 20)

    figures.refresh(days=1, now=NOW)
    days = figures.read(7, now=NOW).days

    assert [day.board_readers for day in days[-3:]] == [3, 0, 1]
    assert days[-1].reader_share == 1
    assert list(BoardReader.objects.values_list("date", flat=True)) == [TODAY]


def test_counting_again_keeps_the_readers_of_dates_that_were_forgotten():
    BoardReader.objects.create(user=factories.UserFactory(), date=TODAY - timedelta(days=2))
    figures.refresh(days=3, now=NOW)

    figures.refresh(days=3, now=NOW + timedelta(minutes=10), is_again=True)

    assert figures.read(7, now=NOW).days[-3].board_readers == 1


# When


def test_computing_again_changes_nothing_but_the_moment():
    booked(10, Source.CLIENT)
    active(factories.UserFactory(), 20)
    compute()
    before = list(DailyFigure.objects.order_by("pk").values_list("date", "name", "label", "value"))

    compute(now=NOW + timedelta(minutes=10))

    assert list(DailyFigure.objects.order_by("pk").values_list("date", "name", "label", "value")) == before


def test_who_began_earlier_and_is_done_later_does_not_write_over_newer_figures(monkeypatch):
    booked(10, Source.CLIENT)
    measure = keeping.measures.of_date

    def measure_slowly(on):
        measured = measure(on)
        monkeypatch.setattr(keeping.measures, "of_date", measure)
        booked(50, Source.STREAK)
        figures.refresh(days=1, now=NOW + timedelta(minutes=5))
        return measured

    monkeypatch.setattr(keeping.measures, "of_date", measure_slowly)

    day = compute(days=1)

    assert (sum(day.xp.values()), day.computed_at) == (60, NOW + timedelta(minutes=5))


def test_what_is_gone_is_gone_from_the_figures():
    row = booked(10, Source.CLIENT)
    compute()
    XPTransaction.objects.filter(pk=row.pk).erase()

    day = compute(now=NOW + timedelta(minutes=10))

    assert (day.xp, day.bookings) == ({}, {})


def test_today_is_always_computed_and_ended_dates_every_six_hours_while_reports_come_in():
    figures.refresh(days=20, now=NOW)

    soon = figures.refresh(days=20, now=NOW + timedelta(minutes=10))
    later = figures.refresh(days=20, now=NOW + timedelta(hours=6))

    assert soon.dates == (TODAY,)
    assert later.dates == tuple(TODAY - timedelta(days=ago) for ago in range(9))


def test_a_late_report_is_counted_until_the_date_is_closed_and_not_after():
    figures.refresh(days=20, now=NOW)
    late, closed = TODAY - timedelta(days=8), TODAY - timedelta(days=9)
    for on in (late, closed):
        factories.UserDayFactory(date=on, activities=1, status="active")

    figures.refresh(days=20, now=NOW + timedelta(hours=7))

    days = {day.date: day.active for day in figures.read(30, now=NOW).days}
    assert (days[late], days[closed]) == (1, 0)


def test_each_date_is_computed_a_last_time_when_it_closes():
    closes = at("2026-06-29T00:00")
    figures.refresh(days=20, now=closes - timedelta(hours=1))

    assert TODAY in figures.refresh(days=20, now=closes).dates
    assert TODAY not in figures.refresh(days=20, now=closes + timedelta(days=1)).dates


def test_closed_dates_are_computed_again_when_asked_to():
    figures.refresh(days=20, now=NOW)
    booked(10, Source.CLIENT, on=TODAY - timedelta(days=15))

    again = figures.refresh(days=20, now=NOW + timedelta(minutes=1), is_again=True)

    assert (len(again.dates), again.remaining) == (20, 0)
    assert {day.date: day.xp for day in figures.read(30, now=NOW).days}[TODAY - timedelta(days=15)] == {"client": 10}


def test_out_of_time_it_has_done_the_newest_date_and_says_what_is_left():
    done = figures.refresh(days=5, now=NOW, seconds=0)

    assert (done.dates, done.remaining) == ((TODAY,), 4)
    assert figures.refresh(days=5, now=NOW, seconds=0).remaining == 4
    assert keeping.due_dates(5, NOW)[1:] == [TODAY - timedelta(days=ago) for ago in range(1, 5)]


@pytest.mark.parametrize("days", [0, -1, 3661, "7", 7.0, True, None])
def test_a_number_of_days_that_is_none_is_refused_by_name(days):
    with pytest.raises(InvalidInput, match="days must be a whole number from 1 to 3,660"):
        figures.refresh(days=days, now=NOW)
    with pytest.raises(InvalidInput, match="days must be"):
        figures.read(days, now=NOW)


# Reading


def test_nothing_computed_reads_as_missing_and_stale():
    found = figures.read(7, now=NOW)

    assert (len(found.days), found.missing, found.is_stale, found.computed_at) == (7, 7, True, None)
    assert [day.date for day in found.days] == [TODAY - timedelta(days=ago) for ago in range(6, -1, -1)]
    assert (found.days[-1].hit_rate, found.days[-1].week_streak_share, found.days[-1].unlocks_per_person) == (None,) * 3
    assert not DailyFigure.objects.exists()


def test_figures_are_stale_after_fifteen_minutes():
    figures.refresh(days=7, now=NOW)

    assert not figures.read(7, now=NOW + timedelta(minutes=15)).is_stale
    assert figures.read(7, now=NOW + timedelta(minutes=16)).is_stale
    assert figures.read(7, now=NOW + timedelta(minutes=16)).missing == 0


def test_reading_takes_two_queries_however_much_there_is(django_assert_num_queries):
    achievements.initialize()
    user = factories.UserFactory()
    for day in range(1, 21):
        activities.record(user, "daily_visit", key=str(day), now=noon(day))
        xp.award(user, 10, reason="test", key=str(day), now=noon(day))
    figures.refresh(now=NOW)

    with django_assert_num_queries(2):
        found = figures.read(90, now=NOW)

    assert (found.missing, sum(day.active for day in found.days)) == (0, 20)


def test_a_date_takes_the_same_number_of_statements_however_much_there_is(django_assert_max_num_queries):
    achievements.initialize()
    for user in factories.UserFactory.create_batch(5):
        activities.record(user, "daily_visit", key="one", now=NOW)

    with django_assert_max_num_queries(24):
        figures.refresh(days=1, now=NOW)

    assert UserDay.objects.count() == 5
    assert Achievement.objects.count() == 27

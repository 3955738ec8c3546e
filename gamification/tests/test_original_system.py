"""The system that this app came out of was held by fourteen tests. They hold here, by the same names."""

from __future__ import annotations

from typing import Any

import pytest

from gamification.models import Achievement, UserAchievement, UserStreak, UserXP, XPTransaction
from gamification.services import achievements, activities, leaderboards, streaks, xp
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import noon

pytestmark = pytest.mark.django_db

PERFECT = {"difficulty": "advanced", "minutes": 50, "perfect": True}


@pytest.fixture
def user() -> Any:
    return UserFactory()


def test_initialize_achievements():
    seeded = achievements.initialize()

    assert (seeded.created, seeded.updated, seeded.unchanged) == (27, 0, 0)
    assert Achievement.objects.count() == Achievement.objects.filter(is_active=True).count() == 27
    assert Achievement.objects.values("category").distinct().count() == 9


def test_unlock_achievement(user):
    achievements.initialize()

    is_new = achievements.unlock(user, "first_scenario", now=noon(1))
    is_new_again = achievements.unlock(user, "first_scenario", now=noon(1))

    assert (is_new, is_new_again) == (True, False)
    row = UserAchievement.objects.get(user=user, achievement_id="first_scenario")
    assert (row.is_unlocked, row.progress, row.unlocked_at) == (True, 100, noon(1))
    assert UserXP.objects.get(user=user).total_xp == 50
    assert XPTransaction.objects.filter(user=user).count() == 1


def test_get_user_achievements(user):
    achievements.initialize()
    assert achievements.for_user(user) == []

    achievements.unlock(user, "first_scenario", now=noon(1))

    (state,) = achievements.for_user(user)
    assert (state.achievement.achievement_id, state.unlocked, state.unlocked_at) == ("first_scenario", True, noon(1))


def test_get_all_achievements(user):
    achievements.initialize()
    achievements.unlock(user, "first_scenario", now=noon(1))

    states = achievements.catalogue(user)

    assert len(states) == 27
    assert [state.achievement.achievement_id for state in states if state.unlocked] == ["first_scenario"]


def test_initialize_user_streak(user):
    status = streaks.initialize(user)

    assert (status.current, status.longest, status.freezes, status.status) == (0, 0, 3, "none")
    row = UserStreak.objects.get(user=user)
    assert (row.streak_freezes_available, row.total_active_days, row.last_activity_date) == (3, 0, None)


def test_update_user_streak(user):
    actions = [streaks.touch(user, now=noon(day)).action for day in (1, 1, 2, 4, 20)]

    assert actions == ["started", "maintained", "increased", "frozen", "broken"]
    row = UserStreak.objects.get(user=user)
    assert (row.current_streak, row.longest_streak, row.total_active_days) == (1, 3, 4)


def test_get_streak_status(user):
    for day in (1, 2):
        streaks.touch(user, now=noon(day))

    read = [streaks.status(user, now=noon(day)) for day in (2, 3, 4, 20)]

    assert [(status.status, status.current) for status in read] == [
        *(("active", 2), ("at_risk", 2)),
        *(("frozen", 2), ("broken", 0)),
    ]
    assert {status.longest for status in read} == {2}


def test_initialize_user_xp(user):
    level = xp.initialize(user)

    assert (level.total_xp, level.current_level, level.title, level.xp_to_next_level) == (0, 1, "Novice", 100)
    row = UserXP.objects.get(user=user)
    assert (row.total_xp, row.current_level, row.xp_to_next_level, row.level_progress_percentage) == (0, 1, 100, 0)


def test_award_xp(user):
    small = xp.award(user, 50, reason="practice", key="1", reference_id="lesson 1")
    enough = xp.award(user, 50, reason="practice", key="2")
    much = xp.award(user, 1_578, reason="contest", key="3")

    assert [(award.previous_level, award.level.current_level, award.level_up) for award in (small, enough, much)] == [
        (1, 1, False),
        (1, 2, True),
        (2, 10, True),
    ]
    assert (much.level.total_xp, much.level.title) == (1_678, "Apprentice")
    assert [row.xp_amount for row in xp.history(user)] == [1_578, 50, 50]


def test_get_user_level(user):
    xp.award(user, 348, reason="practice", key="1")

    level = xp.level(user)

    assert (level.total_xp, level.current_level, level.title, level.xp_to_next_level) == (348, 4, "Novice", 151)
    assert str(level.level_progress_percentage) == "0.65"


def test_get_global_leaderboard_empty(user):
    board = leaderboards.top("xp_all_time", viewer=user)

    assert (board.entries, board.total, board.around) == ((), 0, ())
    assert board.me is not None
    assert (board.me.rank, board.me.score) == (None, 0)


def test_get_global_leaderboard_with_users():
    users = UserFactory.create_batch(4)
    for user, amount in zip(users, (50, 40, 40, 30), strict=True):
        xp.award(user, amount, reason="practice", key="1")

    board = leaderboards.top("xp_all_time", limit=3, viewer=users[3])

    assert [(entry.rank, entry.user_id, entry.score) for entry in board.entries] == [
        *((1, users[0].pk, 50), (2, users[1].pk, 40)),
        (2, users[2].pk, 40),
    ]
    assert (board.total, board.me and board.me.rank) == (4, 4)


def test_get_user_rank():
    users = UserFactory.create_batch(3)
    for user, amount in zip(users, (10, 30, 30), strict=True):
        xp.award(user, amount, reason="practice", key="1")

    ranks = [leaderboards.rank(user, "xp_all_time").rank for user in (*users, UserFactory())]

    assert ranks == [3, 1, 1, None]


def test_complete_user_flow(user):
    achievements.initialize()

    first = activities.record(user, "scenario_completed", key="s1", data=PERFECT, now=noon(1))
    for day in range(2, 8):
        last = activities.record(user, "scenario_completed", key=f"s{day}", data=PERFECT, now=noon(day))

    assert (first.xp_awarded, first.achievements_unlocked) == (405, ("first_scenario", "first_steps"))
    assert (last.streak.current, last.achievements_unlocked) == (7, ("week_warrior",))
    assert {state.achievement.achievement_id for state in achievements.for_user(user)} == {
        *("first_scenario", "scenario_explorer", "quick_learner", "perfectionist"),
        *("week_warrior", "first_steps", "rising_star"),
    }
    # 7 scenarios, bonuses of 5 to 35, and what the seven achievements pay.
    assert xp.level(user).total_xp == 7 * 300 + 140 + (50 + 50 + 50 + 150 + 100 + 50 + 150)
    assert leaderboards.rank(user, "scenarios_completed").score == 7
    assert leaderboards.rank(user, "xp_all_time").rank == 1
    assert activities.record(user, "scenario_completed", key="s7", data=PERFECT, now=noon(8)).is_replay

from __future__ import annotations

import pytest

from gamification.domain.rewards import scenario_xp, streak_bonus


@pytest.mark.parametrize(
    ("difficulty", "minutes", "xp"),
    [
        ("beginner", 0, 50),
        ("beginner", 1, 51),
        ("beginner", 50, 100),
        ("intermediate", 0, 100),
        ("intermediate", 49, 149),
        ("advanced", 0, 150),
        ("advanced", 50, 200),
        ("advanced", 51, 200),
        ("advanced", 1440, 200),
    ],
)
def test_a_scenario_pays_by_difficulty_and_a_point_a_minute_up_to_fifty(difficulty, minutes, xp):
    assert scenario_xp({"difficulty": difficulty, "minutes": minutes}) == xp


@pytest.mark.parametrize(
    ("difficulty", "minutes", "xp"),
    [("beginner", 0, 75), ("beginner", 1, 76), ("beginner", 3, 79), ("advanced", 50, 300), ("intermediate", 25, 187)],
)
def test_a_perfect_scenario_pays_half_as_much_again_floored(difficulty, minutes, xp):
    assert scenario_xp({"difficulty": difficulty, "minutes": minutes, "perfect": True}) == xp


def test_an_imperfect_scenario_pays_nothing_extra():
    assert scenario_xp({"difficulty": "advanced", "minutes": 50, "perfect": False}) == 200


@pytest.mark.parametrize(("current", "xp"), [(1, 5), (2, 10), (9, 45), (10, 50), (11, 50), (365, 50)])
def test_the_streak_bonus_grows_with_the_streak_up_to_its_maximum(current, xp):
    assert streak_bonus(current, per_day=5, maximum=50) == xp


def test_the_streak_bonus_follows_the_settings():
    assert streak_bonus(4, per_day=7, maximum=20) == 20
    assert streak_bonus(4, per_day=0, maximum=20) == 0

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from gamification.conf import GamificationSettings, get_settings
from gamification.domain.activity_types import ActivityType

OWN_KIND = ActivityType("review", counters={"reviews": 1}, xp=3)


def double(data: Any) -> int:
    return 2 * int(data["points"])


def hook(user: Any) -> str:
    return "Somebody"


@override_settings(GAMIFICATION={})
def test_the_defaults_are_those_of_the_rules():
    settings = get_settings()

    assert {entry.name: getattr(settings, entry.name) for entry in fields(settings)} == {
        "BASE_XP": 100,
        "LEVEL_MULTIPLIER": "1.15",
        "MAX_LEVEL": 100,
        "TITLES": (
            *((1, "Novice"), (10, "Apprentice"), (20, "Adept"), (30, "Expert"), (40, "Master")),
            *((50, "Grandmaster"), (70, "Legend"), (90, "Mythic")),
        ),
        "ACTIVITY_TYPES": {},
        "METRICS": {},
        "SELF_REPORTED_KINDS": (),
        "DEFAULT_TIMEZONE": "UTC",
        "BACKDATE_DAYS": 7,
        "STREAK_FREEZES": 3,
        "STREAK_FREEZES_MAX": 3,
        "STREAK_FREEZE_EARNED_EVERY": 7,
        "STREAK_AUTO_FREEZE": True,
        "STREAK_BONUS_PER_DAY": 5,
        "STREAK_BONUS_MAX": 50,
        "VOID_ACHIEVEMENTS": "keep",
        "LEADERBOARD_BACKEND": "gamification.backends.database.DatabaseBackend",
        "LEADERBOARD_OPTIONS": {},
        "LEADERBOARD_TTL": 900,
        "LEADERBOARD_MAX_STALENESS": 5,
        "LEADERBOARD_COUNTERS": ("scenarios_completed",),
        "DISPLAY_NAME": None,
        "AVATAR_URL": None,
        "USER_TIMEZONE": None,
        "IS_EXCLUDED": None,
        "SCOPES": None,
        "APPEND_ONLY_TRIGGERS": False,
        "FLAG_LIMITS": {},
        "WEBHOOKS_ALLOW_PRIVATE": False,
        "WEBHOOKS_TIMEOUT": 15,
    }


def test_settings_are_read_at_use():
    with override_settings(GAMIFICATION={"BACKDATE_DAYS": 3}):
        assert get_settings().BACKDATE_DAYS == 3
        with override_settings(GAMIFICATION={"BACKDATE_DAYS": 4}):
            assert get_settings().BACKDATE_DAYS == 4
        assert get_settings().BACKDATE_DAYS == 3


def test_settings_are_built_once_as_long_as_they_do_not_change():
    assert get_settings() is get_settings()


def test_a_project_need_not_set_anything(settings):
    del settings.GAMIFICATION

    assert get_settings().BASE_XP == 100


def test_settings_cannot_be_changed_by_the_app():
    with pytest.raises(FrozenInstanceError):
        get_settings().BASE_XP = 5  # type: ignore[misc]


@override_settings(GAMIFICATION={"BASE_XP": 10, "LEVEL_MULTIPLIER": 1.5, "MAX_LEVEL": 4, "TITLES": {1: "A", 3: "B"}})
def test_the_table_of_levels_follows_the_settings():
    levels = get_settings().levels

    assert (levels.costs, levels.titles) == ((10, 15, 23), ((1, "A"), (3, "B")))


@pytest.mark.parametrize("titles", [{1: "A", 5: "B"}, [(5, "B"), (1, "A")], ((1, "A"), (5, "B"))])
def test_titles_can_be_a_dict_or_pairs(titles):
    with override_settings(GAMIFICATION={"TITLES": titles}):
        assert [get_settings().levels.title_of(level) for level in (1, 4, 5)] == ["A", "A", "B"]


@override_settings(
    GAMIFICATION={
        "ACTIVITY_TYPES": {
            "commit": {"counters": {"commits": 1}, "xp": 10},
            "game": {"xp": f"{__name__}.double"},
            "review": OWN_KIND,
            "other": f"{__name__}.OWN_KIND",
            "words_learned": {"counters": {"words_learned": 1}, "xp": 1},
        }
    }
)
def test_kinds_of_the_project_are_added_to_the_shipped_ones():
    kinds = get_settings().activity_types

    assert {"scenario_completed", "daily_visit", "commit", "game", "review", "other"} <= kinds.keys()
    assert kinds["commit"].pays({}, 2) == 20
    assert kinds["game"].pays({"points": 4}, 1) == 8
    assert kinds["review"] is kinds["other"] is OWN_KIND
    assert kinds["words_learned"].pays({}, 5) == 5
    assert {"commits", "reviews"} <= get_settings().counters


@pytest.mark.parametrize("spec", [{"cuonters": {}}, 5, None, [], "gamification.tests.test_conf.double"])
def test_a_kind_of_another_shape_is_refused(spec):
    with override_settings(GAMIFICATION={"ACTIVITY_TYPES": {"commit": spec}}), pytest.raises(ImproperlyConfigured):
        get_settings()


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("words_learned", True),
        ("current_streak", True),
        ("longest_streak", True),
        ("active_days", True),
        ("total_xp_earned", True),
        ("level", True),
        ("achievements_unlocked", True),
        ("early_days", True),
        ("night_days", True),
        ("languages_practised", True),
        ("languages_practised:es", True),
        ("languages_practised:", False),
        ("languages_practised:\x00", False),
        ("languages_practised:" + "a" * 150, False),
        ("words_learned:es", False),
        ("gold", False),
        ("", False),
        ("__class__", False),
    ],
)
def test_the_metrics_are_the_counters_and_what_follows_from_streak_and_ledger(name, is_known):
    assert get_settings().is_known_metric(name) is is_known


@override_settings(GAMIFICATION={"METRICS": {"followers": f"{__name__}.double", "stars": double}})
def test_metrics_of_the_project_are_callables_or_dotted_paths():
    assert get_settings().is_known_metric("followers")
    assert get_settings().metric("followers") is get_settings().metric("stars") is double


@override_settings(GAMIFICATION={"DISPLAY_NAME": f"{__name__}.hook"})
def test_a_hook_is_a_dotted_path_or_none():
    assert get_settings().hook("DISPLAY_NAME") is hook
    assert get_settings().hook("SCOPES") is None


def test_lists_of_names_are_taken_as_they_come():
    with override_settings(GAMIFICATION={"SELF_REPORTED_KINDS": ["daily_visit"], "LEADERBOARD_COUNTERS": ()}):
        settings = get_settings()

    assert (settings.SELF_REPORTED_KINDS, settings.LEADERBOARD_COUNTERS) == (("daily_visit",), ())
    assert isinstance(settings, GamificationSettings)

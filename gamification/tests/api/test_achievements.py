"""Achievements through the API: what is a secret stays one."""

from __future__ import annotations

import json

import pytest

from gamification.models import Achievement
from gamification.services import achievements, activities
from gamification.tests.api.conftest import assert_problem, errors_of

SECRET = {
    "name": "The Long Night",
    "description": "Twelve hours in one sitting",
    "icon": "🕸",
    "conditions": {"v": 1, "all": [{"metric": "night_days", "op": "gte", "value": 31}]},
}


@pytest.fixture
def secret(catalogue) -> Achievement:
    """Return a hidden definition, the first of the list."""
    return Achievement.objects.create(
        achievement_id="long_night", category="special", is_hidden=True, order=-1, **SECRET
    )


@pytest.fixture
def active(ada, catalogue):
    """Return ada, who has two achievements and is on the way to others."""
    data = {"difficulty": "advanced", "minutes": 50, "perfect": True}
    activities.record(ada.user, "scenario_completed", key="first", data=data)
    return ada


def test_without_definitions_the_lists_are_empty(ada):
    lists = [ada.json(f"achievements{path}") for path in ("", "/user", "/progress")]

    assert lists == [[], [], []]


def test_the_list_has_every_definition_with_how_far_i_am(active):
    found = {each["achievement_id"]: each for each in active.json("achievements")}

    assert len(found) == 27
    assert found["first_scenario"]["unlocked"] is True
    assert found["scenario_explorer"] == {
        "achievement_id": "scenario_explorer",
        "name": "Scenario Explorer",
        "description": "Complete 5 scenarios",
        "category": "scenarios",
        "rarity": "common",
        "icon": "🧭",
        "xp_reward": 50,
        "unlocked": False,
        "unlocked_at": None,
        "progress": 20,
        "current": 1,
        "target": 5,
        "conditions": {"v": 1, "all": [{"metric": "scenarios_completed", "op": "gte", "value": 5}]},
        "is_hidden": False,
    }


def test_one_definition_comes_with_mine_and_its_rarity(active, bob):
    bob.post("streaks/update")

    detail = active.json("achievements/first_scenario")

    assert (detail["unlocked"], detail["rarity"], detail["unlocked_percentage"]) == (True, "common", 50)
    assert detail["unlock_metadata"]["by"] == "activity"
    assert bob.json("achievements/first_scenario")["unlocked"] is False


def test_what_i_have_comes_with_when_and_how(active):
    mine = active.json("achievements/user")

    assert [each["achievement_id"] for each in mine] == ["first_scenario", "first_steps"]
    assert all(each["unlocked_at"].endswith("Z") and each["unlock_metadata"] for each in mine)


def test_progress_has_the_numbers_behind_the_percent(active):
    found = {each["achievement_id"]: each for each in active.json("achievements/progress")}

    assert found["quick_learner"] == {
        "achievement_id": "quick_learner",
        "name": "Quick Learner",
        "unlocked": False,
        "unlocked_at": None,
        "progress": 83,
        "current": 50,
        "target": 60,
    }


def test_an_unknown_achievement_is_not_found(ada):
    assert_problem(ada.get("achievements/nonsense"), 404, "unknown_achievement")


# Filters


def test_the_list_is_filtered_by_category_and_by_what_i_have(active):
    def ids(query: str) -> list[str]:
        return [each["achievement_id"] for each in active.json(f"achievements?{query}")]

    assert len(ids("category=perfection")) == 2
    assert ids("unlocked=true") == ["first_scenario", "first_steps"]
    assert len(ids("unlocked=false")) == 25
    assert ids("unlocked=true&category=scenarios") == ["first_scenario"]


@pytest.mark.parametrize("query", ["category=nonsense", "category=", "unlocked=yes", "unlocked=1", "unlocked="])
def test_a_bad_filter_is_named(query, ada):
    response = ada.get(f"achievements?{query}")

    assert_problem(response, 400, "invalid")
    assert [field for _, field, _ in errors_of(response)] == [query.partition("=")[0]]


# Secrets


def test_a_secret_is_a_place_in_the_list_and_nothing_else(secret, ada):
    assert ada.json("achievements")[0] == {"is_hidden": True, "position": 1}


@pytest.mark.parametrize(
    "path",
    [
        "achievements",
        "achievements?category=special",
        "achievements?unlocked=false",
        "achievements/user",
        "achievements/progress",
        "achievements/long_night",
        "dashboard",
        "me/data",
    ],
)
def test_nothing_of_a_secret_shows_anywhere(path, secret, ada):
    ada.post("streaks/update")
    told = ada.get(path).content.decode()

    assert not [word for word in ("long_night", "Long Night", "Twelve", "🕸", "31}") if word in told]


@pytest.mark.parametrize("query", ["category=special", "unlocked=false"])
def test_a_secret_is_left_out_of_filters(query, secret, ada):
    assert not any(each["is_hidden"] for each in ada.json(f"achievements?{query}"))


def test_a_secret_has_no_page_and_reads_like_something_that_does_not_exist(secret, ada):
    hidden, missing = ada.get("achievements/long_night"), ada.get("achievements/nonsense")

    assert hidden.content.replace(b"long_night", b"") == missing.content.replace(b"nonsense", b"")
    assert hidden.status_code == 404


def test_an_unlocked_secret_is_none_any_more(secret, ada, bob):
    achievements.unlock(ada.user, "long_night")

    mine, others = ada.json("achievements")[0], bob.json("achievements")[0]

    assert (mine["achievement_id"], mine["name"], mine["is_hidden"]) == ("long_night", SECRET["name"], False)
    assert ada.json("achievements/long_night")["description"] == SECRET["description"]
    assert others == {"is_hidden": True, "position": 1}
    assert "long_night" in json.dumps(ada.json("achievements?category=special"))


# Check and initialize


def test_check_unlocks_once(catalogue, ada):
    Achievement.objects.update(is_active=False)
    activities.record(ada.user, "scenario_completed", key="first", data={"difficulty": "beginner"})
    Achievement.objects.filter(achievement_id="first_scenario").update(is_active=True)

    first, second = ada.post("achievements/check").json(), ada.post("achievements/check").json()

    assert (first, second) == ({"achievements_unlocked": ["first_scenario"]}, {"achievements_unlocked": []})


def test_initialize_counts_and_leaves_what_staff_edited(trusted):
    first = trusted.post("achievements/initialize").json()
    Achievement.objects.filter(achievement_id="first_scenario").update(name="Ours")

    second = trusted.post("achievements/initialize").json()

    assert first == {"created": 27, "updated": 0, "unchanged": 0}
    assert second == {"created": 0, "updated": 0, "unchanged": 27}
    assert Achievement.objects.get(achievement_id="first_scenario").name == "Ours"

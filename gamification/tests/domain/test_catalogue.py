from __future__ import annotations

import json
from collections import Counter

import pytest

from gamification.conf import get_settings
from gamification.domain.catalogue import CATALOGUE, CATEGORIES, RARITIES
from gamification.domain.conditions import compile_condition


def test_the_catalogue_is_the_published_one_in_its_order(shared):
    published = json.loads((shared / "spec" / "achievements.json").read_text())

    shipped = [
        {
            "id": definition.achievement_id,
            "name": definition.name,
            "description": definition.description,
            "category": definition.category,
            "rarity": definition.rarity,
            "xp": definition.xp_reward,
            "icon": definition.icon,
            "condition": definition.conditions,
        }
        for definition in CATALOGUE
    ]

    assert shipped == published


def test_there_are_27_definitions_with_ids_of_their_own():
    assert len(CATALOGUE) == 27
    assert len({definition.achievement_id for definition in CATALOGUE}) == 27


def test_every_category_has_its_number_of_definitions():
    assert Counter(definition.category for definition in CATALOGUE) == {
        "scenarios": 6,
        "study_time": 4,
        "streaks": 3,
        "vocabulary": 3,
        "conversations": 3,
        "milestones": 3,
        "perfection": 2,
        "engagement": 2,
        "special": 1,
    }
    assert len(CATEGORIES) == 9


@pytest.mark.parametrize(
    ("rarity", "number", "lowest", "highest"),
    [("common", 8, 50, 50), ("rare", 11, 100, 200), ("epic", 6, 250, 500), ("legendary", 2, 1000, 1000)],
)
def test_every_rarity_has_its_number_and_its_range_of_xp(rarity, number, lowest, highest):
    rewards = [definition.xp_reward for definition in CATALOGUE if definition.rarity == rarity]

    assert len(rewards) == number
    assert all(lowest <= xp <= highest for xp in rewards)
    assert rarity in RARITIES


def test_every_condition_uses_metrics_that_the_shipped_kinds_know():
    for definition in CATALOGUE:
        group = compile_condition(definition.conditions, is_known=get_settings().is_known_metric)

        assert group.metrics() == {definition.metric}

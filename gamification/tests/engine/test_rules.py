from __future__ import annotations

import pytest
from django.test import override_settings

from gamification.engine import rules
from gamification.models import Achievement
from gamification.tests.factories import AchievementFactory, condition

pytestmark = pytest.mark.django_db


def ids(metrics: set[str]) -> list[str]:
    return [rule.achievement_id for rule in rules.rulebook().depending_on(metrics)]


def test_a_changed_metric_leads_to_the_rules_that_use_it_and_to_no_others():
    AchievementFactory(achievement_id="words", metric="words_learned")
    AchievementFactory(achievement_id="level", metric="level")
    both = {"v": 1, "any": [{"all": condition("level", 2)["all"]}, {"any": condition("words_learned", 2)["all"]}]}
    AchievementFactory(achievement_id="both", conditions=both)

    assert ids({"words_learned"}) == ["words", "both"]
    assert ids({"level", "words_learned"}) == ["words", "level", "both"]
    assert ids({"early_days"}) == []


def test_rules_come_in_the_order_of_the_definitions():
    for number, name in enumerate(["c", "a", "b"]):
        AchievementFactory(achievement_id=name, order=-number)

    assert ids({"scenarios_completed"}) == ["b", "a", "c"]


def test_a_retired_definition_is_no_rule():
    AchievementFactory(is_active=False)

    assert rules.rulebook().rules == ()


@pytest.mark.parametrize(
    "edit",
    [
        lambda row: (setattr(row, "xp_reward", 70), row.save()),
        lambda row: Achievement.objects.filter(pk=row.pk).update(xp_reward=70),
        lambda row: Achievement.objects.bulk_update([_with_xp(row, 70)], ["xp_reward"]),
        lambda row: Achievement.objects.update_or_create(pk=row.pk, defaults={"xp_reward": 70}),
    ],
    ids=["save", "update", "bulk_update", "update_or_create"],
)
def test_an_edit_is_noticed_at_once_however_it_was_made(edit):
    row = AchievementFactory(xp_reward=50)
    assert rules.rulebook().rules[0].xp_reward == 50

    edit(row)

    assert rules.rulebook().rules[0].xp_reward == 70


def _with_xp(row: Achievement, xp: int) -> Achievement:
    row.xp_reward = xp
    return row


def test_a_definition_that_comes_or_goes_is_noticed():
    row = AchievementFactory()
    assert len(rules.rulebook().rules) == 1

    other = AchievementFactory()
    assert len(rules.rulebook().rules) == 2

    row.delete()
    assert [rule.achievement_id for rule in rules.rulebook().rules] == [other.achievement_id]


def test_one_definition_in_the_place_of_another_is_noticed():
    AchievementFactory(achievement_id="old").delete()
    AchievementFactory(achievement_id="middle")
    assert [rule.achievement_id for rule in rules.rulebook().rules] == ["middle"]

    Achievement.objects.all().delete()
    AchievementFactory(achievement_id="new")

    assert [rule.achievement_id for rule in rules.rulebook().rules] == ["new"]


def test_definitions_are_compiled_once(django_assert_num_queries):
    AchievementFactory.create_batch(3)
    first = rules.rulebook()

    with django_assert_num_queries(1):
        again = rules.rulebook()

    assert again is first


def test_a_metric_that_the_project_no_longer_declares_makes_no_noise():
    declared = {"ACTIVITY_TYPES": {"commit": {"counters": {"commits": 1}}}}
    with override_settings(GAMIFICATION=declared):
        AchievementFactory(achievement_id="coder", metric="commits")
        assert [rule.achievement_id for rule in rules.rulebook().rules] == ["coder"]

    AchievementFactory(achievement_id="other")

    assert [rule.achievement_id for rule in rules.rulebook().rules] == ["other"]


def test_a_condition_on_one_fact_depends_on_that_fact():
    AchievementFactory(achievement_id="spanish", metric="languages_practised:es", value=3)

    assert ids({"languages_practised:es"}) == ["spanish"]
    assert ids({"languages_practised", "languages_practised:fr"}) == []

"""Conditions in words."""

from __future__ import annotations

import pytest
from django.utils import translation

from gamification.admin import metrics, words
from gamification.conf import get_settings
from gamification.domain.catalogue import CATALOGUE
from gamification.domain.conditions import compile_condition

OWN = {
    "METRICS": {"reputation": "builtins.len"},
    "ACTIVITY_TYPES": {"commit": {"counters": {"commits": 1, "repositories": {"distinct": "repository"}}}},
}


def clause(metric, value):
    return {"metric": metric, "op": "gte", "value": value}


def said(joined_by, *parts):
    condition = {"v": 1, joined_by: list(parts)}
    return words.sentence(compile_condition(condition, is_known=get_settings().is_known_metric))


SCENARIOS, WORDS = clause("scenarios_completed", 10), clause("words_learned", 50)
STREAK, LEVEL = clause("longest_streak", 7), clause("level", 5)


@pytest.mark.parametrize(
    ("metric", "one", "many"),
    [
        ("scenarios_completed", "Complete 1 scenario in any language.", "Complete 1,200 scenarios in any language."),
        (
            "perfect_scenarios",
            "Finish 1 scenario with a perfect score.",
            "Finish 1,200 scenarios with a perfect score.",
        ),
        ("conversations_completed", "Hold 1 conversation.", "Hold 1,200 conversations."),
        ("words_learned", "Learn 1 word.", "Learn 1,200 words."),
        ("study_minutes", "Study for 1 minute.", "Study for 20 hours."),
        (
            "languages_practised",
            "Complete scenarios in 1 language.",
            "Complete scenarios in 1,200 different languages.",
        ),
        ("languages_practised:es", "Complete 1 scenario in Spanish.", "Complete 1,200 scenarios in Spanish."),
        ("languages_practised:tlh", "Complete 1 scenario in tlh.", "Complete 1,200 scenarios in tlh."),
        ("current_streak", "Keep a streak of 1 day going.", "Keep a streak of 1,200 days going."),
        ("longest_streak", "Reach a 1-day streak.", "Reach a 1,200-day streak."),
        ("active_days", "Be active on 1 day.", "Be active on 1,200 different days."),
        ("total_xp_earned", "Earn 1 XP.", "Earn 1,200 XP."),
        ("level", "Reach level 1.", "Reach level 1,200."),
        ("achievements_unlocked", "Unlock 1 achievement.", "Unlock 1,200 achievements."),
        (
            "early_days",
            "Be active between 05:00 and 08:00 on 1 day.",
            "Be active between 05:00 and 08:00 on 1,200 days.",
        ),
        (
            "night_days",
            "Be active between 22:00 and 02:00 on 1 night.",
            "Be active between 22:00 and 02:00 on 1,200 nights.",
        ),
    ],
)
def test_every_metric_has_words_for_one_and_for_many(metric, one, many):
    assert (said("all", clause(metric, 1)), said("all", clause(metric, 1200))) == (one, many)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(59, "59 minutes"), (60, "1 hour"), (90, "90 minutes"), (120, "2 hours"), (6000, "100 hours")],
)
def test_whole_hours_are_told_in_hours(minutes, expected):
    assert said("all", clause("study_minutes", minutes)) == f"Study for {expected}."


@pytest.mark.parametrize(
    ("joined_by", "parts", "expected"),
    [
        ("all", [STREAK, WORDS], "Reach a 7-day streak and learn 50 words."),
        ("any", [STREAK, WORDS], "Reach a 7-day streak or learn 50 words."),
        ("all", [STREAK, WORDS, LEVEL], "Reach a 7-day streak, learn 50 words and reach level 5."),
        ("all", [STREAK, {"any": [WORDS, LEVEL]}], "Reach a 7-day streak, and either learn 50 words or reach level 5."),
        ("any", [STREAK, {"all": [WORDS, LEVEL]}], "Reach a 7-day streak, or both learn 50 words and reach level 5."),
        (
            "any",
            [SCENARIOS, {"all": [STREAK, WORDS, LEVEL]}],
            (
                "Complete 10 scenarios in any language, or all of this: "
                "reach a 7-day streak, learn 50 words and reach level 5."
            ),
        ),
        (
            "all",
            [{"any": [STREAK, LEVEL]}, SCENARIOS, WORDS],
            "Complete 10 scenarios in any language, learn 50 words, and either reach a 7-day streak or reach level 5.",
        ),
        (
            "any",
            [LEVEL, {"all": [STREAK, {"any": [WORDS, SCENARIOS]}]}],
            (
                "Reach level 5, or (reach a 7-day streak, and either learn 50 words "
                "or complete 10 scenarios in any language)."
            ),
        ),
        ("all", [{"any": [WORDS]}, {"all": [LEVEL]}], "Learn 50 words and reach level 5."),
        ("any", [{"all": [{"any": [WORDS]}]}], "Learn 50 words."),
        ("any", [{"any": [WORDS, LEVEL]}, STREAK], "Learn 50 words, reach level 5 or reach a 7-day streak."),
    ],
)
def test_groups_are_joined_into_one_sentence(joined_by, parts, expected):
    assert said(joined_by, *parts) == expected


def test_the_metrics_of_a_project_are_called_by_their_name(settings):
    settings.GAMIFICATION = OWN

    assert said("all", WORDS, clause("reputation", 1000)) == "Learn 50 words and bring “Reputation” to at least 1,000."
    assert said("all", clause("commits", 5)) == "Bring “Commits” to at least 5."
    assert said("all", clause("repositories:django", 2)) == "Bring “Repositories: django” to at least 2."


def test_every_shipped_definition_can_be_told():
    sentences = {each.achievement_id: said("all", clause(each.metric, each.value)) for each in CATALOGUE}

    assert sentences["polyglot"] == "Complete scenarios in 3 different languages."
    assert [name for name, sentence in sentences.items() if "“" in sentence] == []


def test_numbers_are_written_as_in_the_language_of_the_reader():
    with translation.override("de"):
        assert "1.200" in said("all", clause("words_learned", 1200))


def test_every_metric_has_a_label_and_a_meaning(settings):
    settings.GAMIFICATION = OWN

    known = {metric.name: metric for metric in metrics.known()}

    assert known.keys() == get_settings().metrics
    assert all(metric.label and metric.meaning for metric in known.values())
    assert (known["study_minutes"].label, known["reputation"].label) == ("Minutes studied", "Reputation")
    assert {name for name, metric in known.items() if metric.has_facts} == {"languages_practised", "repositories"}

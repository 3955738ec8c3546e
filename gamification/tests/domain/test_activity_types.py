from __future__ import annotations

import pytest

from gamification.domain.activity_types import SHIPPED, ActivityType
from gamification.exceptions import InvalidInput

KINDS = {kind.name: kind for kind in SHIPPED}


def test_the_five_kinds_are_shipped():
    assert list(KINDS) == [
        "scenario_completed",
        "conversation_completed",
        "words_learned",
        "study_session",
        "daily_visit",
    ]


@pytest.mark.parametrize(
    ("kind", "data", "quantity", "raised"),
    [
        ("scenario_completed", {}, 1, {"scenarios_completed": 1}),
        (
            "scenario_completed",
            {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"},
            1,
            {"scenarios_completed": 1, "study_minutes": 50, "perfect_scenarios": 1, "languages_practised:es": 1},
        ),
        ("scenario_completed", {"perfect": False, "minutes": 0}, 1, {"scenarios_completed": 1}),
        ("conversation_completed", {"minutes": 7}, 1, {"conversations_completed": 1, "study_minutes": 7}),
        ("conversation_completed", {}, 3, {"conversations_completed": 3}),
        ("words_learned", {}, 12, {"words_learned": 12}),
        ("study_session", {"minutes": 25}, 2, {"study_minutes": 50}),
        ("daily_visit", {}, 1, {}),
    ],
)
def test_a_kind_raises_its_counters(kind, data, quantity, raised):
    assert KINDS[kind].raised_by(data, quantity) == raised


@pytest.mark.parametrize("language", ["es", "ES", "es-MX", "es-419", "eS-Latn-mx"])
def test_a_language_counts_by_its_primary_subtag_in_lower_case(language):
    raised = KINDS["scenario_completed"].raised_by({"language": language}, 1)

    assert raised == {"scenarios_completed": 1, "languages_practised:es": 1}


def test_a_fact_is_one_fact_whatever_the_quantity():
    raised = KINDS["scenario_completed"].raised_by({"language": "es"}, 5)

    assert raised == {"scenarios_completed": 5, "languages_practised:es": 1}


@pytest.mark.parametrize("kind", ["conversation_completed", "words_learned", "study_session", "daily_visit"])
def test_all_kinds_but_scenarios_pay_nothing_themselves(kind):
    assert KINDS[kind].pays({"minutes": 30}, 3) == 0


def test_quantity_multiplies_xp():
    data = {"difficulty": "intermediate", "minutes": 10}

    assert KINDS["scenario_completed"].pays(data, 3) == 330


def test_a_kind_can_say_that_quantity_does_not_multiply():
    kind = ActivityType("commit", counters={"commits": 1, "lines": "lines"}, xp=10, is_multiplied=False)

    assert kind.raised_by({"lines": 7}, 4) == {"commits": 1, "lines": 7}
    assert kind.pays({}, 4) == 10


@pytest.mark.parametrize("paid", [10.5, "10", None, True])
def test_what_a_kind_pays_must_be_a_whole_number(paid):
    kind = ActivityType("odd", xp=lambda data: paid)

    with pytest.raises(InvalidInput, match="no whole number"):
        kind.pays({}, 1)


@pytest.mark.parametrize("amount", [-1, 1.5, "3", None, [], 10**9 + 1])
def test_a_counter_taken_from_the_data_must_be_a_whole_number(amount):
    kind = ActivityType("commit", counters={"lines": "lines"})

    with pytest.raises(InvalidInput) as refused:
        kind.raised_by({"lines": amount}, 1)

    assert refused.value.field == "data.lines"


@pytest.mark.parametrize("fact", ["", "a" * 51, "a\x00", "a\nb", "\ud800", 5, True, ["es"]])
def test_a_fact_must_be_a_short_printable_text(fact):
    kind = ActivityType("commit", counters={"repositories": {"distinct": "repository"}})

    with pytest.raises(InvalidInput) as refused:
        kind.raised_by({"repository": fact}, 1)

    assert refused.value.field == "data.repository"


def test_a_fact_that_is_no_language_is_taken_as_it_is():
    kind = ActivityType("commit", counters={"repositories": {"distinct": "repository"}})

    assert kind.raised_by({"repository": "My-Repo"}, 1) == {"repositories:My-Repo": 1}

"""Editing definitions: conditions, and rules in force."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.urls import reverse

from gamification.models import Achievement
from gamification.tests.admin.conftest import achievement_url

CONDITIONS = {"v": 1, "all": [{"metric": "study_minutes", "op": "gte", "value": 60}]}


def filled_in(row, **changes):
    """Return what the form of ``row`` sends."""
    names = ("name", "description", "icon", "category", "rarity", "xp_reward", "order")
    data = {name: getattr(row, name) for name in names} | {"conditions": json.dumps(row.conditions), "is_active": "on"}
    data |= changes
    return {name: value for name, value in data.items() if value is not None}


def test_the_form_tells_the_condition_in_words_and_the_metrics(unheld, root_client):
    content = root_client.get(achievement_url(unheld)).content.decode()

    assert "Complete 50 scenarios in any language." in content
    assert "days in the running streak" in content
    assert "raised by: Scenario completed, Conversation completed, Study session" in content
    assert "languages_practised:…" in content


def test_an_edit_is_saved_and_logged(unheld, root_client):
    response = root_client.post(achievement_url(unheld), filled_in(unheld, name="Maestro", xp_reward=301))

    unheld.refresh_from_db()
    assert response.status_code == 302
    assert (unheld.name, unheld.xp_reward) == ("Maestro", 301)
    assert json.loads(LogEntry.objects.get().change_message) == [{"changed": {"fields": ["Name", "XP"]}}]


def test_a_definition_is_added(client_with):
    client = client_with("add_achievement", "view_achievement")
    new = Achievement(name="New", icon="🎈", category="special", conditions=CONDITIONS)

    response = client.post(
        reverse("admin:gamification_achievement_add"), filled_in(new, achievement_id="new_one", is_active=None)
    )

    assert response.status_code == 302
    assert Achievement.objects.get(achievement_id="new_one").conditions == CONDITIONS


def test_the_id_of_a_definition_never_changes(unheld, root_client):
    root_client.post(achievement_url(unheld), filled_in(unheld, achievement_id="renamed"))

    unheld.refresh_from_db()
    assert unheld.achievement_id == "scenario_master"


NESTED = '{"all":[' * 400 + "]}" * 400
CLAUSE = '{"v": 1, "all": [{"metric": "study_minutes", "op": "gte", "value": %s}]}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"v": 1,\n "all": [}', "Line 2, column 10 is not JSON"),
        ("", "This field is required"),
        ("null", "This field is required"),
        ("[]", "This field is required"),
        ("7", "must be an object"),
        ('{"v": 1, "all": []}', "conditions.all: must be a list of at least one clause"),
        ('{"v": 2, "all": []}', "conditions.v: must be 1"),
        ('{"v": 1, "all": [{"metric": "__class__", "op": "gte", "value": 1}]}', "conditions.all[0].metric"),
        ('{"v": 1, "all": [{"metric": "\\ud800", "op": "gte", "value": 1}]}', "conditions.all[0].metric"),
        ('{"v": 1, "all": [{"metric": "\\u0000", "op": "gte", "value": 1}]}', "conditions.all[0].metric"),
        (CLAUSE % "true", "conditions.all[0].value"),
        (CLAUSE % "1.0", "conditions.all[0].value"),
        (CLAUSE % "NaN", "conditions.all[0].value"),
        (CLAUSE % "1e999", "conditions.all[0].value"),
        (CLAUSE % ("9" * 4500), "This is JSON that no condition can be"),
        (NESTED, ""),  # how deep a text can be read depends on the interpreter
        (NESTED[:8000], ""),
        (NESTED * 100, "This is longer than a condition may be"),
        (CLAUSE % "60\x00", "is not JSON"),
    ],
)
def test_a_wrong_condition_is_refused_with_the_place(unheld, root_client, text, told):
    response = root_client.post(achievement_url(unheld), filled_in(unheld, conditions=text))

    unheld.refresh_from_db()
    assert response.status_code == 200
    assert told in " ".join(response.context["adminform"].form.errors["conditions"])
    assert unheld.conditions["all"][0]["value"] == 50


def test_a_refused_condition_comes_back_as_it_was_typed(unheld, root_client):
    typed = '{"v": 1,\n "all": oops}'

    response = root_client.post(achievement_url(unheld), filled_in(unheld, conditions=typed))

    assert response.context["adminform"].form["conditions"].value() == typed


def test_a_condition_on_a_metric_that_is_gone_says_so(unheld, root_client):
    Achievement.objects.filter(pk=unheld.pk).update(
        conditions={"v": 1, "any": [{"metric": "gone", "op": "gte", "value": 1}]}
    )

    content = root_client.get(achievement_url(unheld)).content.decode()

    assert "Nobody can meet this" in content


# Rules in force


def test_the_rule_of_an_active_definition_needs_a_permission_of_its_own(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    form = client.get(achievement_url(unheld)).context["adminform"].form
    response = client.post(achievement_url(unheld), filled_in(unheld, xp_reward=99_999))

    unheld.refresh_from_db()
    assert not {"xp_reward", "conditions"} & form.fields.keys()
    assert response.status_code == 200
    assert "rule in force" in str(response.context["adminform"].form.non_field_errors())
    assert unheld.xp_reward == 300


def test_everything_else_of_it_may_be_edited_without(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    response = client.post(achievement_url(unheld), filled_in(unheld, name="Maestro", xp_reward=None, conditions=None))

    unheld.refresh_from_db()
    assert response.status_code == 302
    assert (unheld.name, unheld.xp_reward) == ("Maestro", 300)


def test_to_retire_and_edit_in_one_go_is_refused_too(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    response = client.post(achievement_url(unheld), filled_in(unheld, is_active=None, xp_reward=99_999))

    unheld.refresh_from_db()
    assert response.status_code == 200
    assert (unheld.is_active, unheld.xp_reward) == (True, 300)


def test_to_retire_first_opens_no_way_round_where_somebody_was_rewarded(held, client_with):
    client = client_with("change_achievement", "view_achievement")
    client.post(achievement_url(held), filled_in(held, is_active=None, xp_reward=None, conditions=None))

    response = client.post(achievement_url(held), filled_in(held, xp_reward=99_999))

    held.refresh_from_db()
    assert response.status_code == 200
    assert (held.is_active, held.xp_reward) == (False, 50)


def test_a_draft_that_nobody_has_is_free_to_edit(unheld, client_with):
    Achievement.objects.filter(pk=unheld.pk).update(is_active=False)
    client = client_with("change_achievement", "view_achievement")

    client.post(achievement_url(unheld), filled_in(unheld, is_active=None, xp_reward=301))

    unheld.refresh_from_db()
    assert unheld.xp_reward == 301


def test_an_error_in_a_locked_form_is_shown(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    response = client.post(achievement_url(unheld), filled_in(unheld, name="", is_active=None, xp_reward=1))

    assert response.status_code == 200


def test_who_may_run_back_fills_changes_rules_in_force(unheld, client_with):
    client = client_with("change_achievement", "view_achievement", "run_backfill")

    client.post(achievement_url(unheld), filled_in(unheld, conditions=json.dumps(CONDITIONS)))

    unheld.refresh_from_db()
    assert unheld.conditions == CONDITIONS


def test_conditions_are_held_by_the_model_too(unheld):
    unheld.conditions = {"v": 1}

    with pytest.raises(ValidationError):
        unheld.save()

"""The definitions in the admin: seeding, editing, retiring, deleting."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gamification.exceptions import AchievementInUse
from gamification.models import Achievement, UserAchievement
from gamification.services import achievements
from gamification.tests.admin.conftest import said

LIST = "admin:gamification_achievement_changelist"
CONDITIONS = {"v": 1, "all": [{"metric": "study_minutes", "op": "gte", "value": 60}]}


def seed_url():
    return reverse("admin:gamification_achievement_seed")


def change_url(row, page="change"):
    return reverse(f"admin:gamification_achievement_{page}", args=[row.pk])


def filled_in(row, **changes):
    """Return what the form of ``row`` sends."""
    names = ("name", "description", "icon", "category", "rarity", "xp_reward", "order")
    data = {name: getattr(row, name) for name in names} | {"conditions": json.dumps(row.conditions), "is_active": "on"}
    data |= changes
    return {name: value for name, value in data.items() if value is not None}


@pytest.fixture
def unheld(seeded):
    return Achievement.objects.get(achievement_id="scenario_master")


@pytest.fixture
def held(ada):
    return Achievement.objects.get(achievement_id="first_steps")


# Seeding


def test_one_click_seeds_the_shipped_achievements_and_a_second_changes_nothing(client_with):
    client = client_with("initialize_achievements", "view_achievement")

    first = client.post(seed_url())
    second = client.post(seed_url())

    assert said(first) == "27 created, 0 updated, 0 unchanged."
    assert said(second) == "27 created, 0 updated, 0 unchanged. | 0 created, 0 updated, 27 unchanged."
    assert first["Location"] == reverse(LIST)
    assert Achievement.objects.count() == 27
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["Shipped achievements"] * 2


def test_seeding_needs_its_permission(client_with):
    response = client_with("view_achievement", "add_achievement", "change_achievement").post(seed_url())

    assert response.status_code == 403
    assert not Achievement.objects.exists()


def test_seeding_needs_a_token_against_forgery(client_with):
    response = client_with("initialize_achievements", enforce_csrf_checks=True).post(seed_url())

    assert response.status_code == 403
    assert not Achievement.objects.exists()


def test_opening_the_address_of_seeding_seeds_nothing(root_client):
    assert root_client.get(seed_url()).status_code == 405
    assert not Achievement.objects.exists()


def test_who_may_seed_but_not_look_is_sent_to_the_start(client_with):
    assert client_with("initialize_achievements").post(seed_url())["Location"] == reverse("admin:index")


@pytest.mark.parametrize(("permission", "is_shown"), [("initialize_achievements", True), ("add_achievement", False)])
def test_the_button_shows_to_those_who_may_seed(client_with, permission, is_shown):
    response = client_with("view_achievement", permission).get(reverse(LIST))

    assert (seed_url().encode() in response.content) is is_shown


# The list


def test_the_list_tells_how_many_hold_each(ada, root_client):
    rows = {row.achievement_id: row.holder_count for row in root_client.get(reverse(LIST)).context["cl"].result_list}

    assert (rows["first_steps"], rows["scenario_master"]) == (1, 0)


def test_what_was_revoked_is_not_held(ada, root_client):
    achievements.revoke(ada, "first_steps")

    rows = {row.achievement_id: row.holder_count for row in root_client.get(reverse(LIST)).context["cl"].result_list}

    assert rows["first_steps"] == 0


def test_holders_are_counted_to_a_limit(ada, root_client, django_user_model, monkeypatch):
    monkeypatch.setattr("gamification.admin.achievements.HOLDERS_COUNTED", 2)
    for name in ("bea", "cleo", "dora"):
        achievements.unlock(django_user_model.objects.create_user(name), "first_steps")

    with CaptureQueriesContext(connection) as queries:
        response = root_client.get(reverse(LIST))

    assert b">2+</a>" in response.content
    # In the index's order: a planner that goes without reads the whole table for what hardly anybody has.
    assert any('ORDER BY U0."unlocked_at" ASC LIMIT 3' in query["sql"] for query in queries)


@pytest.mark.parametrize(
    "query", [{"q": "marathon"}, {"is_active__exact": "1"}, {"category__exact": "streaks"}, {"o": "4"}]
)
def test_the_list_is_searched_filtered_and_sorted(seeded, root_client, query):
    assert root_client.get(reverse(LIST), query).context["cl"].result_count > 0


# Editing


def test_the_form_tells_the_condition_in_words_and_the_metrics(unheld, root_client):
    content = root_client.get(change_url(unheld)).content.decode()

    assert "Unlocked when scenarios completed is at least 50." in content
    assert "days in the running streak" in content
    assert "raised by: Scenario completed, Conversation completed, Study session" in content
    assert "languages_practised:…" in content


def test_an_edit_is_saved_and_logged(unheld, root_client):
    response = root_client.post(change_url(unheld), filled_in(unheld, name="Maestro", xp_reward=301))

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
    root_client.post(change_url(unheld), filled_in(unheld, achievement_id="renamed"))

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
    response = root_client.post(change_url(unheld), filled_in(unheld, conditions=text))

    unheld.refresh_from_db()
    assert response.status_code == 200
    assert told in " ".join(response.context["adminform"].form.errors["conditions"])
    assert unheld.conditions["all"][0]["value"] == 50


def test_a_refused_condition_comes_back_as_it_was_typed(unheld, root_client):
    typed = '{"v": 1,\n "all": oops}'

    response = root_client.post(change_url(unheld), filled_in(unheld, conditions=typed))

    assert response.context["adminform"].form["conditions"].value() == typed


def test_a_condition_on_a_metric_that_is_gone_says_so(unheld, root_client):
    Achievement.objects.filter(pk=unheld.pk).update(
        conditions={"v": 1, "any": [{"metric": "gone", "op": "gte", "value": 1}]}
    )

    content = root_client.get(change_url(unheld)).content.decode()

    assert "Nobody can meet this" in content


# Rules in force


def test_the_rule_of_an_active_definition_needs_a_permission_of_its_own(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    form = client.get(change_url(unheld)).context["adminform"].form
    response = client.post(change_url(unheld), filled_in(unheld, xp_reward=99_999))

    unheld.refresh_from_db()
    assert not {"xp_reward", "conditions"} & form.fields.keys()
    assert response.status_code == 200
    assert "rule in force" in str(response.context["adminform"].form.non_field_errors())
    assert unheld.xp_reward == 300


def test_everything_else_of_it_may_be_edited_without(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    response = client.post(change_url(unheld), filled_in(unheld, name="Maestro", xp_reward=None, conditions=None))

    unheld.refresh_from_db()
    assert response.status_code == 302
    assert (unheld.name, unheld.xp_reward) == ("Maestro", 300)


def test_to_retire_and_edit_in_one_go_is_refused_too(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    response = client.post(change_url(unheld), filled_in(unheld, is_active=None, xp_reward=99_999))

    unheld.refresh_from_db()
    assert response.status_code == 200
    assert (unheld.is_active, unheld.xp_reward) == (True, 300)


def test_to_retire_first_opens_no_way_round_where_somebody_was_rewarded(held, client_with):
    client = client_with("change_achievement", "view_achievement")
    client.post(change_url(held), filled_in(held, is_active=None, xp_reward=None, conditions=None))

    response = client.post(change_url(held), filled_in(held, xp_reward=99_999))

    held.refresh_from_db()
    assert response.status_code == 200
    assert (held.is_active, held.xp_reward) == (False, 50)


def test_a_draft_that_nobody_has_is_free_to_edit(unheld, client_with):
    Achievement.objects.filter(pk=unheld.pk).update(is_active=False)
    client = client_with("change_achievement", "view_achievement")

    client.post(change_url(unheld), filled_in(unheld, is_active=None, xp_reward=301))

    unheld.refresh_from_db()
    assert unheld.xp_reward == 301


def test_an_error_in_a_locked_form_is_shown(unheld, client_with):
    client = client_with("change_achievement", "view_achievement")

    response = client.post(change_url(unheld), filled_in(unheld, name="", is_active=None, xp_reward=1))

    assert response.status_code == 200


def test_who_may_run_back_fills_changes_rules_in_force(unheld, client_with):
    client = client_with("change_achievement", "view_achievement", "run_backfill")

    client.post(change_url(unheld), filled_in(unheld, conditions=json.dumps(CONDITIONS)))

    unheld.refresh_from_db()
    assert unheld.conditions == CONDITIONS


# Retiring


@pytest.fixture
def act(root_client):
    def _act(action, *rows, **more):
        data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
        return root_client.post(reverse(LIST), data)

    return _act


def test_definitions_are_retired_and_activated_again(held, unheld, act):
    before = unheld.revision

    retired = act("retire", held, unheld)
    states = [Achievement.objects.get(pk=row.pk).is_active for row in (held, unheld)]
    activated = act("activate", unheld)

    unheld.refresh_from_db()
    assert states == [False, False]
    assert unheld.is_active
    assert unheld.revision != before  # which is how every process learns of it
    assert "2 achievements were retired." in said(retired)
    assert "1 achievement was activated." in said(activated)
    assert sorted(entry.change_message for entry in LogEntry.objects.all()) == ["Activated.", "Retired.", "Retired."]


def test_retiring_what_is_retired_changes_nothing(unheld, act):
    act("retire", unheld)
    again = act("retire", unheld)

    assert "0 achievements were retired." in said(again)
    assert LogEntry.objects.count() == 1


def test_a_definition_that_cannot_be_saved_is_named(unheld, act):
    Achievement.objects.filter(pk=unheld.pk).update(conditions={"v": 1})

    response = act("retire", unheld)

    assert "Scenario Master: " in said(response)


def test_retiring_needs_the_permission_to_change(unheld, client_with):
    client = client_with("view_achievement")

    client.post(reverse(LIST), {"action": "retire", "_selected_action": [unheld.pk]})

    unheld.refresh_from_db()
    assert unheld.is_active


# Deleting


def test_what_nobody_has_is_deleted(unheld, root_client):
    response = root_client.post(change_url(unheld, "delete"), {"post": "yes"})

    assert response.status_code == 302
    assert not Achievement.objects.filter(pk=unheld.pk).exists()


def test_what_somebody_is_only_on_the_way_to_is_deleted(unheld, ada, root_client):
    UserAchievement.objects.update_or_create(user=ada, achievement=unheld, defaults={"progress": 2})

    root_client.post(change_url(unheld, "delete"), {"post": "yes"})

    assert not Achievement.objects.filter(pk=unheld.pk).exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_somebody_has_is_not_deleted_and_the_page_says_why(held, root_client, method):
    response = getattr(root_client, method)(change_url(held, "delete"), {"post": "yes"})

    assert response.status_code == 200
    assert "Retire it instead" in response.content.decode()
    assert Achievement.objects.filter(pk=held.pk).exists()


@pytest.mark.parametrize("more", [{}, {"post": "yes"}])
def test_nor_with_others_in_one_go(held, unheld, act, more):
    response = act("delete_selected", held, unheld, **more)

    content = response.content.decode()
    assert response.status_code == 200
    assert "Retire them instead" in content
    assert Achievement.objects.filter(pk__in=[held.pk, unheld.pk]).count() == 2


def test_others_are_deleted_in_one_go(unheld, act):
    other = Achievement.objects.get(achievement_id="scenario_marathoner")

    act("delete_selected", other, unheld, post="yes")

    assert not Achievement.objects.filter(pk__in=[other.pk, unheld.pk]).exists()


def test_an_unlock_that_comes_between_refuses_the_deletion(unheld, root_client, act, monkeypatch):
    def in_use(*args, **kwargs):
        raise AchievementInUse

    monkeypatch.setattr("gamification.models.achievements.AchievementQuerySet.delete", in_use)

    one = root_client.post(change_url(unheld, "delete"), {"post": "yes"})
    many = act("delete_selected", unheld, post="yes")

    assert (one.status_code, many.status_code) == (302, 302)
    assert "retire it instead" in said(one)
    assert not LogEntry.objects.exists()


def test_the_page_of_deletion_does_not_load_those_who_have_it(held, root_client):
    with CaptureQueriesContext(connection) as queries:
        root_client.get(change_url(held, "delete"))

    assert len(queries) <= 4


def test_deleting_needs_its_permission(unheld, client_with):
    client = client_with("view_achievement", "change_achievement")

    assert client.post(change_url(unheld, "delete"), {"post": "yes"}).status_code == 403
    assert Achievement.objects.filter(pk=unheld.pk).exists()


def test_conditions_are_held_by_the_model_too(unheld):
    unheld.conditions = {"v": 1}

    with pytest.raises(ValidationError):
        unheld.save()

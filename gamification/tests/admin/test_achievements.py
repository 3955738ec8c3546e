"""The list of definitions: seeding, and who holds what."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gamification.models import Achievement
from gamification.services import achievements
from gamification.tests.admin.conftest import said

LIST = "admin:gamification_achievement_changelist"


def seed_url():
    return reverse("admin:gamification_achievement_seed")


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
    assert any('"unlocked_at" ASC LIMIT 3' in query["sql"] for query in queries)


@pytest.mark.parametrize(
    "query", [{"q": "marathon"}, {"is_active__exact": "1"}, {"category__exact": "streaks"}, {"o": "4"}]
)
def test_the_list_is_searched_filtered_and_sorted(seeded, root_client, query):
    assert root_client.get(reverse(LIST), query).context["cl"].result_count > 0

"""Retiring definitions, and deleting what nobody has."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gamification.exceptions import AchievementInUse
from gamification.models import Achievement, UserAchievement
from gamification.tests.admin.conftest import achievement_url, said

LIST = "admin:gamification_achievement_changelist"


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


def test_a_definition_whose_condition_no_longer_holds_up_can_still_be_retired(unheld, act):
    Achievement.objects.filter(pk=unheld.pk).update(conditions={"v": 1})

    act("retire", unheld)

    unheld.refresh_from_db()
    assert not unheld.is_active


def test_retiring_needs_the_permission_to_change(unheld, client_with):
    client = client_with("view_achievement")

    client.post(reverse(LIST), {"action": "retire", "_selected_action": [unheld.pk]})

    unheld.refresh_from_db()
    assert unheld.is_active


# Deleting


def test_what_nobody_has_is_deleted(unheld, root_client):
    response = root_client.post(achievement_url(unheld, "delete"), {"post": "yes"})

    assert response.status_code == 302
    assert not Achievement.objects.filter(pk=unheld.pk).exists()


def test_what_somebody_is_only_on_the_way_to_is_deleted(unheld, ada, root_client):
    UserAchievement.objects.update_or_create(user=ada, achievement=unheld, defaults={"progress": 2})

    root_client.post(achievement_url(unheld, "delete"), {"post": "yes"})

    assert not Achievement.objects.filter(pk=unheld.pk).exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_somebody_has_is_not_deleted_and_the_page_says_why(held, root_client, method):
    response = getattr(root_client, method)(achievement_url(held, "delete"), {"post": "yes"})

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

    one = root_client.post(achievement_url(unheld, "delete"), {"post": "yes"})
    many = act("delete_selected", unheld, post="yes")

    assert (one.status_code, many.status_code) == (302, 302)
    assert "retire it instead" in said(one)
    assert not LogEntry.objects.exists()


def test_the_page_of_deletion_does_not_load_those_who_have_it(held, root_client):
    with CaptureQueriesContext(connection) as queries:
        root_client.get(achievement_url(held, "delete"))

    assert len(queries) <= 4


def test_deleting_needs_its_permission(unheld, client_with):
    client = client_with("view_achievement", "change_achievement")

    assert client.post(achievement_url(unheld, "delete"), {"post": "yes"}).status_code == 403
    assert Achievement.objects.filter(pk=unheld.pk).exists()

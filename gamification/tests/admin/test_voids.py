"""Voiding activities in the admin."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.models import Activity, UserAchievement, VoidedActivity
from gamification.services import activities, xp
from gamification.tests.admin.conftest import said

LIST = "admin:gamification_activity_changelist"


def void_url(*rows: Activity) -> str:
    return f"{reverse('admin:gamification_activity_void')}?ids={','.join(str(row.pk) for row in rows)}"


def row_url(row: Activity) -> str:
    return reverse("admin:gamification_activity_change", args=[row.pk])


@pytest.fixture
def fake(ada: Any) -> Activity:
    return activities.record(ada, "words_learned", key="fake", quantity=60).activity


@pytest.fixture
def staff_client(client_with):
    return client_with("void_activity", "view_activity", "view_userstreak", "view_userday", "view_xptransaction")


def test_an_activity_is_voided_with_the_reason_and_logged(ada, fake, staff_client):
    response = staff_client.post(void_url(fake), {"reason": "a fake", "achievements": ""})

    row = VoidedActivity.objects.get()
    assert said(response) == "1 activity was voided."
    assert (row.activity, row.reason, row.actor.get_username()) == (fake, "a fake", "grace")
    (entry,) = LogEntry.objects.all()
    assert (entry.object_id, "Voided: a fake" in entry.change_message) == (str(fake.pk), True)


@pytest.mark.parametrize(("choice", "is_held"), [("keep", True), ("revoke", False), ("", True)])
def test_staff_choose_what_becomes_of_achievements_that_stood_on_it(ada, fake, staff_client, choice, is_held):
    staff_client.post(void_url(fake), {"reason": "a fake", "achievements": choice})

    assert UserAchievement.objects.of(ada).unlocked().filter(achievement="word_collector").exists() is is_held


def test_the_action_leads_to_a_page_that_asks_why(fake, staff_client):
    response = staff_client.post(reverse(LIST), {"action": "void", "_selected_action": [fake.pk]}, follow=True)

    assert response.redirect_chain == [(void_url(fake), 302)]
    assert "Words learned" in response.content.decode()
    assert not VoidedActivity.objects.exists()


@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": "x", "achievements": "perhaps"}], ids=str)
def test_a_form_without_a_reason_or_with_an_unknown_choice_comes_back(fake, staff_client, body):
    response = staff_client.post(void_url(fake), body)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not VoidedActivity.objects.exists()


def test_a_second_time_is_refused_with_a_message(fake, staff_client):
    for _ in range(2):
        response = staff_client.post(void_url(fake), {"reason": "a fake"})

    assert "This activity was voided before." in said(response)
    assert (VoidedActivity.objects.count(), LogEntry.objects.count()) == (1, 1)


def test_below_zero_it_is_refused_with_a_message(ada, staff_client):
    scenario = activities.record(ada, "scenario_completed", key="s", data={"difficulty": "beginner"}).activity
    xp.award(ada, -xp.level(ada).total_xp, reason="spent", key="spent")

    response = staff_client.post(void_url(scenario), {"reason": "too late"})

    assert "The total would fall below 0." in said(response)
    assert not VoidedActivity.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_voiding_needs_its_permission(fake, client_with, method):
    client = client_with("view_activity", "change_activity", "delete_activity", "record_activity", "reverse_xp")

    assert getattr(client, method)(void_url(fake), {"reason": "a try"}).status_code == 403
    assert "Void the selected" not in client.get(reverse(LIST)).content.decode()
    assert not VoidedActivity.objects.exists()


def test_voiding_needs_a_token_against_forgery(fake, client_with):
    client = client_with("void_activity", enforce_csrf_checks=True)

    assert client.post(void_url(fake), {"reason": "a try"}).status_code == 403


def test_the_page_of_an_activity_offers_it_once_and_then_says_who_and_why(fake, staff_client):
    offered = staff_client.get(row_url(fake)).content.decode()
    staff_client.post(void_url(fake), {"reason": "a fake"})
    told = staff_client.get(row_url(fake)).content.decode()

    assert void_url(fake) in offered
    assert void_url(fake) not in told
    assert "voided by grace on" in told
    assert "because: a fake" in told


@pytest.mark.parametrize(("state", "keys"), [("voided", {"fake"}), ("counts", {"other"}), ("", {"fake", "other"})])
def test_the_list_marks_and_filters_what_is_void(ada, fake, staff_client, state, keys):
    activities.record(ada, "words_learned", key="other")
    activities.void(fake, reason="a fake")

    page = staff_client.get(reverse(LIST), {"state": state} if state else {})

    rows = {row.key: hasattr(row, "void") for row in page.context["cl"].result_list}
    assert {key for key in rows if key in {"fake", "other"}} == keys
    assert all(is_void == (key == "fake") for key, is_void in rows.items())
    assert ('<td class="field-mark">voided</td>' in page.content.decode()) == ("fake" in keys)


def test_the_list_takes_no_query_for_each_row(ada, staff_client, django_assert_max_num_queries):
    for number in range(10):
        row = activities.record(ada, "words_learned", key=f"{number}").activity
        if number % 2:
            activities.void(row, reason="a fake")

    with django_assert_max_num_queries(7):
        staff_client.get(reverse(LIST))


def test_the_export_says_what_is_void(fake, staff_client):
    activities.void(fake, reason="a fake")

    body = b"".join(staff_client.get(reverse("admin:gamification_activity_export"))).decode("utf-8-sig")

    (told,) = [row for row in csv.DictReader(StringIO(body)) if row["key"] == "fake"]
    assert told["void__reason"] == "a fake"
    assert told["void__voided_at"]


def test_the_page_of_the_person_tells_it_day_by_day_and_in_a_list(ada, fake, staff_client):
    staff_client.post(void_url(fake), {"reason": "a fake"})

    page = staff_client.get(reverse("admin:gamification_userstreak_change", args=[ada.pk])).content.decode()

    assert "“Words learned” was voided by grace because: a fake" in page
    assert f'<a href="{row_url(fake)}">Words learned</a>' in page


def test_whoever_may_not_see_the_log_sees_no_list_of_what_was_voided(ada, fake, client_with):
    activities.void(fake, reason="a fake")

    page = client_with("view_userstreak").get(reverse("admin:gamification_userstreak_change", args=[ada.pk]))

    assert "Voided activities" not in page.content.decode()
    assert "a fake" not in page.content.decode()

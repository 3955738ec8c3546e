"""Awarding and granting to several users at once, from their list."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry

from gamification.admin import base
from gamification.models import UserAchievement, XPTransaction
from gamification.services import xp
from gamification.tests.admin.conftest import list_url, said
from gamification.tests.factories import UserFactory


@pytest.fixture
def people(ada):
    found = [ada, UserFactory(username="bob"), UserFactory(username="cid")]
    for user in found:
        xp.initialize(user)
    return found


@pytest.fixture
def staff_client(client_with):
    return client_with("view_userxp", "award_xp", "grant_achievement")


def choose(client, action, people):
    data = {"action": action, "_selected_action": [user.pk for user in people]}
    return client.post(list_url("userxp"), data)


def test_several_users_are_awarded_each_with_the_reason(people, staff_client):
    page = choose(staff_client, "award", people)["Location"]
    shown = staff_client.get(page).content.decode()
    totals = [xp.level(user).total_xp for user in people]

    response = staff_client.post(page, {"amount": "50", "reason": "a contest", "key": "k"})

    assert all(f"<td>{user.username}</td>" in shown for user in people)
    assert response["Location"] == list_url("userxp")
    assert [xp.level(user).total_xp - total for user, total in zip(people, totals, strict=True)] == [50, 50, 50]
    booked = XPTransaction.objects.filter(reason="a contest")
    assert {(row.actor.username, row.xp_amount) for row in booked} == {("grace", 50)}
    assert LogEntry.objects.filter(change_message="Awarded: a contest").count() == 3


def test_several_users_are_granted_each_with_the_reason(people, staff_client):
    page = choose(staff_client, "grant", people)["Location"]

    staff_client.post(page, {"achievement": "night_owl", "reason": "a contest"})

    assert UserAchievement.objects.filter(achievement="night_owl").unlocked().count() == 3
    assert LogEntry.objects.filter(change_message="Granted: a contest").count() == 3
    assert {row.stated_reason for row in XPTransaction.objects.filter(reference_id="night_owl")} == {
        "achievement_unlocked: a contest"
    }


def test_one_who_cannot_pay_stops_none_of_the_others(people, staff_client):
    page = choose(staff_client, "award", people)["Location"]
    xp.award(people[1], 10, reason="a start", key="a")

    response = staff_client.post(page, {"amount": "-10", "reason": "a fine", "key": "k"})

    assert XPTransaction.objects.filter(reason="a fine").count() == 2
    assert "cid: " in said(response)


def test_when_all_are_refused_the_form_comes_back(people, staff_client):
    page = choose(staff_client, "award", people[1:])["Location"]

    response = staff_client.post(page, {"amount": "-10", "reason": "a fine", "key": "k"})

    assert response.status_code == 200
    assert len(response.context["form"].errors["amount"]) == 2
    assert not XPTransaction.objects.filter(reason="a fine").exists()


def test_sending_the_form_twice_pays_each_once(people, staff_client):
    page = choose(staff_client, "award", people)["Location"]

    for _ in range(2):
        staff_client.post(page, {"amount": "50", "reason": "a contest", "key": "k"})

    assert XPTransaction.objects.filter(reason="a contest").count() == 3


def test_too_many_at_once_are_refused(people, staff_client, monkeypatch):
    monkeypatch.setattr(base, "ROWS_CHOSEN", 2)

    response = choose(staff_client, "award", people)

    assert said(response) == "Choose at most 2 rows at a time."


@pytest.mark.parametrize("action", ["award", "grant"])
def test_the_actions_are_not_there_for_others(people, client_with, action):
    client = client_with("view_userxp")

    choose(client, action, people)

    assert f'value="{action}"' not in client.get(list_url("userxp")).content.decode()
    assert client.get("/admin/gamification/xptransaction/award/", {"users": people[0].pk}).status_code == 403

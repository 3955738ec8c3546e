"""Granting and revoking achievements."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.models import UserAchievement, XPTransaction
from gamification.services import xp
from gamification.tests.admin.conftest import said

LIST = "admin:gamification_userachievement_changelist"


def grant_url():
    return reverse("admin:gamification_userachievement_grant")


def revoke_url(*rows):
    return f"{reverse('admin:gamification_userachievement_revoke')}?ids={','.join(str(row.pk) for row in rows)}"


def form(user, achievement="scenario_master", reason="won a contest"):
    return {"user": user.pk, "achievement": achievement, "reason": reason}


@pytest.fixture
def staff_client(client_with):
    return client_with("grant_achievement", "view_userachievement")


@pytest.fixture
def unlocked(ada):
    return UserAchievement.objects.get(user=ada, achievement="first_scenario")


# Granting


def test_a_grant_gives_the_achievement_and_its_xp_and_tells_who_and_why(ada, staff_client):
    before = xp.level(ada).total_xp

    response = staff_client.post(grant_url(), form(ada))

    row = UserAchievement.objects.get(user=ada, achievement="scenario_master")
    booked = XPTransaction.objects.get(user=ada, reference_id="scenario_master")
    entry = LogEntry.objects.get()
    assert response["Location"] == reverse(LIST)
    assert said(response) == "ada now has “Scenario Master”."
    assert row.is_unlocked
    assert (booked.xp_amount, booked.actor.get_username()) == (300, "grace")
    assert xp.level(ada).total_xp == before + 300
    assert (entry.user.get_username(), entry.object_id) == ("grace", str(row.pk))
    assert entry.change_message == "Granted: won a contest"


def test_a_second_grant_says_that_there_was_nothing_to_do(ada, staff_client):
    staff_client.post(grant_url(), form(ada))

    again = staff_client.post(grant_url(), form(ada))

    assert "ada had “Scenario Master” already." in said(again)
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 256}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"user": ""}, "user"),
        ({"user": "999999"}, "user"),
        ({"user": "ada' --"}, "user"),
        ({"user": "9" * 40}, "user"),
        ({"achievement": ""}, "achievement"),
        ({"achievement": "nothing"}, "achievement"),
    ],
)
def test_an_incomplete_grant_is_shown_again(ada, staff_client, changes, wrong):
    response = staff_client.post(grant_url(), form(ada) | changes)

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [wrong]
    assert not UserAchievement.objects.filter(achievement="scenario_master", unlocked_at__isnull=False).exists()


def test_a_refused_grant_keeps_the_choices_that_were_made(ada, staff_client):
    content = staff_client.post(grant_url(), form(ada, reason="")).content.decode()

    assert f'<option value="{ada.pk}" selected>ada</option>' in content
    assert '<option value="scenario_master" selected>Scenario Master</option>' in content


@pytest.mark.parametrize("method", ["get", "post"])
def test_granting_needs_its_permission(ada, client_with, method):
    client = client_with("view_userachievement", "change_userachievement", "add_userachievement")

    response = getattr(client, method)(grant_url(), form(ada))

    assert response.status_code == 403
    assert not UserAchievement.objects.filter(achievement="scenario_master", unlocked_at__isnull=False).exists()


def test_granting_needs_a_token_against_forgery(ada, client_with):
    response = client_with("grant_achievement", enforce_csrf_checks=True).post(grant_url(), form(ada))

    assert response.status_code == 403
    assert not LogEntry.objects.exists()


def test_who_may_grant_but_not_look_is_sent_to_the_start(ada, client_with):
    client = client_with("grant_achievement")

    assert client.get(grant_url()).status_code == 200
    assert client.post(grant_url(), form(ada))["Location"] == reverse("admin:index")


def test_the_form_lists_no_users(ada, staff_client):
    content = staff_client.get(grant_url()).content.decode()

    assert "ada" not in content
    assert reverse("admin:gamification_userachievement_pick_user") in content


# Revoking


def test_the_action_leads_to_a_page_that_asks_why(unlocked, staff_client):
    response = staff_client.post(reverse(LIST), {"action": "revoke", "_selected_action": [unlocked.pk]}, follow=True)

    content = response.content.decode()
    assert response.redirect_chain == [(revoke_url(unlocked), 302)]
    assert "First Scenario" in content
    assert 'name="reason"' in content
    assert UserAchievement.objects.get(pk=unlocked.pk).is_unlocked


def test_revoking_takes_the_achievement_and_its_xp_back(ada, unlocked, staff_client):
    before = xp.level(ada).total_xp

    response = staff_client.post(revoke_url(unlocked), {"reason": "a mistake"})

    unlocked.refresh_from_db()
    assert said(response) == "1 achievement was revoked."
    assert unlocked.revoked_at is not None
    assert xp.level(ada).total_xp == before - 50
    assert LogEntry.objects.get().change_message == "Revoked: a mistake"


def test_revoking_without_a_reason_is_refused(unlocked, staff_client):
    response = staff_client.post(revoke_url(unlocked), {"reason": ""})

    unlocked.refresh_from_db()
    assert response.status_code == 200
    assert "reason" in response.context["form"].errors
    assert unlocked.is_unlocked


def test_one_that_cannot_be_revoked_stops_no_other(ada, unlocked, staff_client):
    on_the_way = UserAchievement.objects.get(user=ada, achievement="scenario_marathoner")

    response = staff_client.post(revoke_url(on_the_way, unlocked), {"reason": "a mistake"})

    unlocked.refresh_from_db()
    assert "The user does not have this achievement." in said(response)
    assert "1 achievement was revoked." in said(response)
    assert unlocked.revoked_at is not None


def test_revoking_what_was_spent_is_refused(ada, unlocked, staff_client):
    xp.award(ada, -xp.level(ada).total_xp, reason="spent", key="spent")

    response = staff_client.post(revoke_url(unlocked), {"reason": "a mistake"})

    unlocked.refresh_from_db()
    assert "The total would fall below 0." in said(response)
    assert unlocked.is_unlocked
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("ids", ["", "x", "0", "9" * 30, "-1", "1;2", "²"])
def test_a_page_for_nothing_goes_back(unlocked, staff_client, ids):
    response = staff_client.get(reverse("admin:gamification_userachievement_revoke"), {"ids": ids})

    assert response["Location"] == reverse(LIST)
    assert said(response) == "Nothing was chosen."


@pytest.mark.parametrize("method", ["get", "post"])
def test_revoking_needs_its_permission(unlocked, client_with, method):
    client = client_with("view_userachievement", "change_userachievement")

    response = getattr(client, method)(revoke_url(unlocked), {"reason": "a mistake"})

    unlocked.refresh_from_db()
    assert response.status_code == 403
    assert unlocked.is_unlocked


def test_the_action_is_not_there_for_others(unlocked, client_with):
    client = client_with("view_userachievement")

    response = client.post(reverse(LIST), {"action": "revoke", "_selected_action": [unlocked.pk]})

    assert "revoke" not in response.get("Location", "")
    assert b'value="revoke"' not in client.get(reverse(LIST)).content


def test_revoking_needs_a_token_against_forgery(unlocked, client_with):
    client = client_with("grant_achievement", "view_userachievement", enforce_csrf_checks=True)

    assert client.post(revoke_url(unlocked), {"reason": "a mistake"}).status_code == 403


def test_too_many_at_once_are_refused_with_a_message(ada, unlocked, staff_client, monkeypatch):
    monkeypatch.setattr("gamification.admin.base.ROWS_CHOSEN", 1)
    rows = UserAchievement.objects.filter(user=ada, unlocked_at__isnull=False)

    response = staff_client.post(reverse(LIST), {"action": "revoke", "_selected_action": [row.pk for row in rows]})

    assert "Choose at most 1 rows at a time." in said(response)


@pytest.mark.parametrize(("permission", "is_shown"), [("grant_achievement", True), ("change_userachievement", False)])
def test_the_page_of_an_unlock_offers_to_revoke_it(unlocked, client_with, permission, is_shown):
    client = client_with("view_userachievement", permission)

    response = client.get(reverse("admin:gamification_userachievement_change", args=[unlocked.pk]))

    assert (revoke_url(unlocked).encode() in response.content) is is_shown

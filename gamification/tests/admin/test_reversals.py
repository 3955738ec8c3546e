"""Reversing XP."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.models import XPTransaction
from gamification.models.xp import Source
from gamification.services import xp
from gamification.tests.admin.conftest import said

LIST = "admin:gamification_xptransaction_changelist"


def reverse_url(*rows):
    return f"{reverse('admin:gamification_xptransaction_reverse')}?ids={','.join(str(row.pk) for row in rows)}"


def row_url(row):
    return reverse("admin:gamification_xptransaction_change", args=[row.pk])


@pytest.fixture
def staff_client(client_with):
    return client_with("award_xp", "reverse_xp", "view_xptransaction")


def test_a_reversal_is_a_row_of_its_own_with_the_reason(ada, award, staff_client):
    before = xp.level(ada).total_xp

    response = staff_client.post(reverse_url(award), {"reason": "the wrong person"})

    row = XPTransaction.objects.get(reverses=award)
    assert said(response) == "1 transaction was reversed."
    assert (row.xp_amount, row.reason, row.actor.get_username()) == (-10, "the wrong person", "grace")
    assert xp.level(ada).total_xp == before - 10
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(award.pk), str(row.pk)}


def test_a_second_reversal_is_refused_with_a_message(award, staff_client):
    staff_client.post(reverse_url(award), {"reason": "the wrong person"})

    again = staff_client.post(reverse_url(award), {"reason": "once more"})

    assert "This transaction was reversed before." in said(again)
    assert XPTransaction.objects.filter(reverses=award).count() == 1


def test_sending_a_reversal_twice_books_one(award, staff_client):
    for _ in range(2):
        response = staff_client.post(reverse_url(award), {"reason": "the wrong person"})

    assert response.status_code == 302
    assert XPTransaction.objects.filter(reverses=award).count() == 1
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("source", [Source.ACHIEVEMENT, Source.REVERSAL])
def test_what_cannot_be_reversed_is_refused_with_a_message(award, staff_client, source):
    xp.reverse(award, reason="the wrong person")
    row = XPTransaction.objects.filter(source=source).first()

    response = staff_client.post(reverse_url(row), {"reason": "a try"})

    assert response.status_code == 302
    assert str(row) in said(response)
    assert not XPTransaction.objects.filter(reverses=row).exists()


def test_a_reversal_below_0_is_refused_with_a_message(ada, award, staff_client):
    xp.award(ada, -xp.level(ada).total_xp, reason="spent", key="spent")

    response = staff_client.post(reverse_url(award), {"reason": "too late"})

    assert "The total would fall below 0." in said(response)


def test_the_action_leads_to_a_page_that_asks_why(award, staff_client):
    response = staff_client.post(reverse(LIST), {"action": "reverse", "_selected_action": [award.pk]}, follow=True)

    assert response.redirect_chain == [(reverse_url(award), 302)]
    assert "for a test" in response.content.decode()
    assert not XPTransaction.objects.filter(reverses=award).exists()


def test_reversing_without_a_reason_is_refused(award, staff_client):
    response = staff_client.post(reverse_url(award), {"reason": ""})

    assert response.status_code == 200
    assert "reason" in response.context["form"].errors
    assert not XPTransaction.objects.filter(reverses=award).exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_reversing_needs_its_permission(award, client_with, method):
    client = client_with("view_xptransaction", "change_xptransaction", "delete_xptransaction", "award_xp")

    assert getattr(client, method)(reverse_url(award), {"reason": "a try"}).status_code == 403
    assert not XPTransaction.objects.filter(reverses=award).exists()


def test_reversing_needs_a_token_against_forgery(award, client_with):
    client = client_with("reverse_xp", enforce_csrf_checks=True)

    assert client.post(reverse_url(award), {"reason": "a try"}).status_code == 403


def test_the_page_of_a_row_offers_to_reverse_it_once(award, staff_client):
    offered = staff_client.get(row_url(award)).content.decode()
    booked = xp.reverse(award, reason="the wrong person").transaction
    told = staff_client.get(row_url(award)).content.decode()

    assert reverse_url(award) in offered
    assert reverse_url(award) not in told
    assert str(booked) in told

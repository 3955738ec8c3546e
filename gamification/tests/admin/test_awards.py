"""Awarding XP."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.models import XPTransaction
from gamification.models.xp import Source
from gamification.services import xp
from gamification.tests.admin.conftest import said

LIST = "admin:gamification_xptransaction_changelist"


def award_url():
    return reverse("admin:gamification_xptransaction_award")


def filled_in(client, person, **changes):
    """Return what the form sends, with the key that it was shown with."""
    key = client.get(award_url()).context["form"]["key"].value()
    return {
        "user": person.pk,
        "amount": "25",
        "reason": "helped others",
        "reference_id": "ticket-7",
        "key": key,
        **changes,
    }


@pytest.fixture
def staff_client(client_with):
    return client_with("award_xp", "reverse_xp", "view_xptransaction")


def test_an_award_is_booked_with_who_and_why(ada, staff_client):
    before = xp.level(ada).total_xp

    response = staff_client.post(award_url(), filled_in(staff_client, ada))

    row = XPTransaction.objects.get(source=Source.CLIENT)
    entry = LogEntry.objects.get()
    assert response["Location"] == reverse(LIST)
    assert said(response) == f"+25 XP were booked for ada, who now has {before + 25}."
    assert (row.xp_amount, row.reason, row.reference_id) == (25, "helped others", "ticket-7")
    assert row.actor.get_username() == "grace"
    assert row.key.startswith("admin:")
    assert (entry.object_id, entry.change_message) == (str(row.pk), "Awarded: helped others")


def test_sending_the_form_twice_pays_once(ada, staff_client):
    data = filled_in(staff_client, ada)

    staff_client.post(award_url(), data)
    again = staff_client.post(award_url(), data)

    assert "This form was sent before: +25 XP were booked for ada once." in said(again)
    assert XPTransaction.objects.filter(source=Source.CLIENT).count() == 1
    assert LogEntry.objects.count() == 1


def test_two_forms_pay_twice(ada, staff_client):
    for _ in range(2):
        staff_client.post(award_url(), filled_in(staff_client, ada))

    assert XPTransaction.objects.filter(source=Source.CLIENT).count() == 2


def test_a_form_sent_again_with_other_content_asks_first(ada, staff_client):
    data = filled_in(staff_client, ada)
    staff_client.post(award_url(), data)

    asked = staff_client.post(award_url(), data | {"amount": "26"})
    confirmed = staff_client.post(award_url(), {**data, "amount": "26", "key": asked.context["form"]["key"].value()})

    assert asked.status_code == 200
    assert "sent before with other content" in str(asked.context["form"].non_field_errors())
    assert confirmed.status_code == 302
    assert sorted(row.xp_amount for row in XPTransaction.objects.filter(source=Source.CLIENT)) == [25, 26]


def test_xp_can_be_taken_but_not_below_0(ada, staff_client):
    total = xp.level(ada).total_xp

    taken = staff_client.post(award_url(), filled_in(staff_client, ada, amount=str(-total)))
    refused = staff_client.post(award_url(), filled_in(staff_client, ada, amount="-1"))

    assert taken.status_code == 302
    assert refused.status_code == 200
    assert "The total would fall below 0." in refused.context["form"].errors["amount"]
    assert xp.level(ada).total_xp == 0


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "1.5"}, "amount"),
        ({"amount": "true"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "100001"}, "amount"),
        ({"amount": "-100001"}, "amount"),
        ({"amount": "9" * 5000}, "amount"),
        ({"amount": ""}, "amount"),
        ({"reason": ""}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 256}, "reason"),
        ({"reference_id": "x" * 256}, "reference_id"),
        ({"user": ""}, "user"),
        ({"user": "nobody"}, "user"),
        ({"key": ""}, "key"),
        ({"key": "ключ"}, "key"),
        ({"key": "x" * 256}, "key"),
    ],
)
def test_an_incomplete_award_is_shown_again(ada, staff_client, changes, wrong):
    response = staff_client.post(award_url(), filled_in(staff_client, ada, **changes))

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [wrong]
    assert not XPTransaction.objects.filter(source=Source.CLIENT).exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_awarding_needs_its_permission(ada, client_with, method):
    client = client_with("view_xptransaction", "add_xptransaction", "change_xptransaction", "reverse_xp")

    response = getattr(client, method)(award_url(), {"user": ada.pk, "amount": 1, "reason": "x", "key": "x"})

    assert response.status_code == 403
    assert not XPTransaction.objects.filter(source=Source.CLIENT).exists()


def test_awarding_needs_a_token_against_forgery(ada, client_with):
    client = client_with("award_xp", enforce_csrf_checks=True)

    assert client.post(award_url(), filled_in(client, ada)).status_code == 403


@pytest.mark.parametrize(("permission", "is_shown"), [("award_xp", True), ("add_xptransaction", False)])
def test_the_ledger_offers_to_award_to_those_who_may(client_with, permission, is_shown):
    response = client_with("view_xptransaction", permission).get(reverse(LIST))

    assert (award_url().encode() in response.content) is is_shown

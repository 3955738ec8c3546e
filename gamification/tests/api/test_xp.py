"""Levels, awards, reversals, the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from gamification.models import XPTransaction
from gamification.services import xp
from gamification.tests.api.conftest import assert_problem, errors_of


def award(trusted, bob, **values):
    return trusted.post("xp/award", {"user": bob.user.pk, "amount": 10, "reason": "essay", **values}, key="k")


def test_a_newcomer_has_the_zeros_of_a_beginner(ada):
    assert ada.json("xp/level") == {
        "total_xp": 0,
        "current_level": 1,
        "highest_level": 1,
        "title": "Novice",
        "xp_to_next_level": 100,
        "level_progress_percentage": 0,
    }


@pytest.mark.usefixtures("catalogue")
def test_an_award_says_what_it_changed(trusted, bob):
    response = award(trusted, bob, amount=250, reference_id="essay-31", metadata={"grade": "A"})

    row = XPTransaction.objects.get(reason="essay")
    assert response.status_code == 201
    assert response.json() == {
        "transaction_id": row.pk,
        "xp_awarded": 250,
        "total_xp": 300,
        "previous_level": 1,
        "current_level": 3,
        "level_up": True,
        "title": "Novice",
        "achievements_unlocked": ["first_steps"],
    }
    assert (row.user, row.actor, row.reference_id, row.metadata) == (bob.user, trusted.user, "essay-31", {"grade": "A"})


@pytest.mark.parametrize(
    "amount",
    [True, False, "10", 10.5, 10.0, None, [10], {"xp": 10}, 2**63, -(2**63), 10**400, 0, 100_001, -100_001, "１０", ""],
    ids=lambda amount: str(amount)[:10],
)
def test_only_a_small_whole_number_other_than_nought_is_an_amount(amount, trusted, bob):
    response = award(trusted, bob, amount=amount)

    assert_problem(response, 400, "invalid")
    assert [field for _, field, _ in errors_of(response)] == ["amount"]
    assert not XPTransaction.objects.exists()


@pytest.mark.parametrize("amount", [1, 100_000])
def test_the_limits_themselves_are_fine(amount, trusted, bob):
    assert award(trusted, bob, amount=amount).status_code == 201


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"user": None}, "user"),
        ({"user": 10**9}, "user"),
        ({"user": 2**63}, "user"),
        ({"user": "ada"}, "user"),
        ({"user": True}, "user"),
        ({"user": 1.0}, "user"),
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 256}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": None}, "reason"),
        ({"reference_id": 7}, "reference_id"),
        ({"reference_id": "x" * 256}, "reference_id"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": {"text": "x" * 5000}}, "metadata"),
        ({"metadata": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}, "metadata"),
    ],
)
def test_a_bad_value_is_named(values, field, trusted, bob):
    response = award(trusted, bob, **values)

    assert response.status_code == 400
    assert errors_of(response)[0][1].split(".")[0] == field
    assert not XPTransaction.objects.exists()


def test_a_user_may_be_named_by_the_text_of_the_number(trusted, bob):
    assert award(trusted, bob, user=str(bob.user.pk)).status_code == 201


def test_no_total_falls_below_nought(trusted, bob):
    assert_problem(award(trusted, bob, amount=-1), 409, "insufficient_xp")


# Reversals


def test_a_reversal_takes_back_what_was_given(trusted, bob):
    original = award(trusted, bob).json()["transaction_id"]

    response = trusted.post(f"xp/transactions/{original}/reverse", {"reason": "twice"}, key="r")

    row = XPTransaction.objects.get(reverses=original)
    assert (response.status_code, response.json()["xp_awarded"], response.json()["total_xp"]) == (201, -10, 0)
    assert (row.reason, row.actor, response.json()["transaction_id"]) == ("twice", trusted.user, row.pk)


def test_a_second_reversal_is_refused(trusted, bob):
    original = award(trusted, bob).json()["transaction_id"]
    reversal = trusted.post(f"xp/transactions/{original}/reverse", {"reason": "twice"}, key="r").json()

    second = trusted.post(f"xp/transactions/{original}/reverse", {"reason": "twice"}, key="s")
    of_itself = trusted.post(f"xp/transactions/{reversal['transaction_id']}/reverse", {"reason": "x"}, key="t")

    assert_problem(second, 409, "already_reversed")
    assert_problem(of_itself, 409, "not_reversible")


def test_a_reversal_needs_a_reason(trusted, bob):
    original = award(trusted, bob).json()["transaction_id"]

    assert errors_of(trusted.post(f"xp/transactions/{original}/reverse", {}, key="r")) == [(None, "reason", "required")]


def test_a_transaction_that_does_not_exist_is_not_found(trusted):
    assert_problem(trusted.post("xp/transactions/999/reverse", {"reason": "x"}, key="r"), 404, "not_found")


# Statistics


def test_statistics_of_nothing_are_nought_and_null(ada):
    assert ada.json("xp/stats") == {
        "today": 0,
        "last_7_days": 0,
        "last_30_days": 0,
        "by_reason": {},
        "best_day": None,
        "daily_average": 0,
    }


def test_statistics_add_up(ada):
    today = datetime.now(UTC)
    xp.award(ada.user, 10, reason="essay", key="1", now=today)
    xp.award(ada.user, 50, reason="quiz", key="2", now=today - timedelta(days=10))

    assert ada.json("xp/stats") == {
        "today": 10,
        "last_7_days": 10,
        "last_30_days": 60,
        "by_reason": {"essay": 10, "quiz": 50},
        "best_day": {"date": date.isoformat((today - timedelta(days=10)).date()), "xp": 50},
        "daily_average": 2.0,
    }

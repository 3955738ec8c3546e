"""Voiding activities over the API."""

from __future__ import annotations

import pytest

from gamification.models import VoidedActivity
from gamification.services import activities, xp
from gamification.tests.api.conftest import assert_problem, errors_of
from gamification.tests.helpers import snapshot

pytestmark = pytest.mark.django_db

DATA = {"difficulty": "advanced", "minutes": 50, "perfect": True}


@pytest.fixture
def fake(bob, catalogue):
    return activities.record(bob.user, "scenario_completed", key="lesson", data=DATA).activity


def test_the_answer_says_what_was_taken_back_and_by_whom_is_kept(trusted, bob, fake):
    response = trusted.post(f"activities/{fake.pk}/void", {"reason": "a fake", "achievements": "revoke"})

    told = response.json()
    assert response.status_code == 200
    assert (told["activity_id"], told["user"], told["reason"]) == (fake.pk, bob.user.pk, "a fake")
    assert {"first_scenario", "first_steps"} <= set(told["achievements_revoked"])
    assert (told["level"]["total_xp"], told["streak"]["current_streak"], told["streak"]["status"]) == (0, 0, "none")
    assert told["xp_taken_back"] >= 405
    assert VoidedActivity.objects.get().actor == trusted.user


def test_without_a_word_achievements_are_kept(trusted, bob, fake):
    total = xp.level(bob.user).total_xp

    told = trusted.post(f"activities/{fake.pk}/void", {"reason": "a fake"}).json()

    assert (told["achievements_revoked"], told["xp_taken_back"]) == ([], 305)
    assert xp.level(bob.user).total_xp == total - 305


def test_the_second_time_is_a_conflict(trusted, fake):
    trusted.post(f"activities/{fake.pk}/void", {"reason": "a fake"})
    before = snapshot()

    response = trusted.post(f"activities/{fake.pk}/void", {"reason": "a fake"})

    assert_problem(response, 409, "already_voided")
    assert {**snapshot(), "RequestCount": []} == {**before, "RequestCount": []}


def test_below_zero_is_a_conflict(trusted, bob, fake):
    xp.award(bob.user, -xp.level(bob.user).total_xp, reason="spent", key="spent")

    assert_problem(trusted.post(f"activities/{fake.pk}/void", {"reason": "a fake"}), 409, "insufficient_xp")
    assert not VoidedActivity.objects.exists()


@pytest.mark.parametrize("name", ["0", "999", "-1", "1.5", "x", "9" * 30, "٣", "%00"])
def test_what_is_no_activity_is_not_found(trusted, name):
    assert_problem(trusted.post(f"activities/{name}/void", {"reason": "x"}), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, (None, "reason", "required")),
        ({"reason": 5}, (None, "reason", "invalid")),
        ({"reason": "x" * 256}, (None, "reason", "max_length")),
        ({"reason": "  "}, (None, "reason", "invalid")),
        ({"reason": "x", "achievements": "perhaps"}, (None, "achievements", "invalid")),
        ({"reason": "x", "achievements": None}, (None, "achievements", "null")),
    ],
)
def test_a_bad_body_is_refused_by_field(trusted, fake, body, error):
    response = trusted.post(f"activities/{fake.pk}/void", body)

    assert response.status_code == 400
    assert errors_of(response) == [error]
    assert not VoidedActivity.objects.exists()


def test_the_key_of_what_was_voided_is_answered_as_before(trusted, bob):
    body = {"kind": "scenario_completed", "user": bob.user.pk, "data": DATA}
    first = trusted.post("activities", body, key="k").json()
    trusted.post(f"activities/{first['activity']['id']}/void", {"reason": "a fake"})

    again = trusted.post("activities", body, key="k")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == {**first, "is_replay": True}
    assert xp.level(bob.user).total_xp == 0

"""Who may report what, and of whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gamification.models import Activity
from gamification.tests.api.conftest import assert_problem, errors_of


@pytest.fixture
def self_reported(settings):
    settings.GAMIFICATION = {**settings.GAMIFICATION, "SELF_REPORTED_KINDS": ["study_session", "daily_visit"]}


@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.usefixtures("self_reported")
def test_users_may_report_what_the_project_lets_them(is_listed, ada):
    event = {"kind": "study_session", "key": "k", "data": {"minutes": 5}}

    assert ada.post("activities", [event] if is_listed else event).status_code == 201


@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "scenario_completed"}, "kind_not_allowed"),
        ({"kind": "nonsense"}, "kind_not_allowed"),
        ({"kind": "study_session", "user": "{bob}"}, "permission_denied"),
        ({"kind": "study_session", "user": 10**9}, "permission_denied"),
    ],
)
@pytest.mark.usefixtures("self_reported")
def test_users_may_report_nothing_else_and_learn_nothing_of_others(body, code, is_listed, ada, bob):
    event = {"key": "k", **body, **({"user": bob.user.pk} if body.get("user") == "{bob}" else {})}

    response = ada.post("activities", [event] if is_listed else event)

    assert_problem(response, 403, code)
    assert not Activity.objects.exists()


def test_nothing_may_be_reported_unless_the_project_says_so(ada):
    response = ada.post("activities", {"kind": "nonsense", "user": "x"})

    assert_problem(response, 403, "permission_denied")


@pytest.mark.usefixtures("self_reported")
def test_users_may_not_back_date_and_trusted_callers_may(ada, trusted):
    event = {"kind": "study_session", "occurred_at": (timezone.now() - timedelta(minutes=6)).isoformat()}

    assert_problem(ada.post("activities", event, key="k"), 403, "backdating_not_allowed")
    assert trusted.post("activities", event, key="k").status_code == 201


@pytest.mark.parametrize("user", [10**9, 2**63, -1, 0, "x", "", "１", " 1", True, None, 1.0, [1], {"pk": 1}])
@pytest.mark.parametrize("is_listed", [False, True])
def test_a_user_that_does_not_exist_is_named(user, is_listed, trusted):
    event = {"kind": "daily_visit", "key": "k", "user": user}

    response = trusted.post("activities", [event] if is_listed else event)

    assert_problem(response, 400, "invalid")
    assert [(index, field) for index, field, _ in errors_of(response)] == [(0 if is_listed else None, "user")]

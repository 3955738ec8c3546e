"""Recording activities through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gamification.models import Activity
from gamification.services import activities, xp
from gamification.tests.api.conftest import assert_problem, errors_of

SCENARIO = {
    "kind": "scenario_completed",
    "data": {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"},
}


@pytest.mark.usefixtures("catalogue")
def test_a_receipt_says_all_that_changed(trusted, bob):
    response = trusted.post("activities", {**SCENARIO, "user": bob.user.pk, "key": "first"})

    receipt = response.json()
    assert response.status_code == 201
    assert list(receipt) == [
        "activity", "is_replay", "xp_awarded", "streak", "level", "level_up", "achievements_unlocked", "capped_by",
    ]  # fmt: skip
    assert receipt["xp_awarded"] == 405
    assert receipt["achievements_unlocked"] == ["first_scenario", "first_steps"]
    assert receipt["activity"]["user"] == bob.user.pk
    assert receipt["activity"]["occurred_at"].endswith("Z")
    assert receipt["streak"]["action"] == "started"
    assert receipt["streak"]["current_streak"] == 1
    assert receipt["level"]["total_xp"] == 405
    assert receipt["level_up"] is True


def test_without_a_user_it_is_the_callers_own(trusted):
    response = trusted.post("activities", {"kind": "daily_visit"}, key="k")

    assert response.json()["activity"]["user"] == trusted.user.pk


# A list


def test_a_list_is_answered_with_receipts_in_its_order(trusted, bob, ada):
    now = timezone.now()
    events = [
        {"kind": "daily_visit", "key": "3", "user": bob.user.pk, "occurred_at": now.isoformat()},
        {
            "kind": "study_session",
            "key": "1",
            "user": bob.user.pk,
            "occurred_at": (now - timedelta(hours=1)).isoformat(),
        },
        {"kind": "words_learned", "key": "2", "user": ada.user.pk, "quantity": 7},
        {"kind": "daily_visit", "key": "4"},
    ]

    response = trusted.post("activities", events)

    assert response.status_code == 201
    assert [receipt["activity"]["key"] for receipt in response.json()] == ["3", "1", "2", "4"]
    assert [receipt["activity"]["user"] for receipt in response.json()] == [
        bob.user.pk, bob.user.pk, ada.user.pk, trusted.user.pk,
    ]  # fmt: skip


def test_a_list_is_201_when_anything_is_new_and_else_a_replay(trusted):
    events = [{"kind": "daily_visit", "key": key} for key in "ab"]
    trusted.post("activities", events[:1])

    some, none = trusted.post("activities", events), trusted.post("activities", events)

    assert (some.status_code, [each["is_replay"] for each in some.json()]) == (201, [True, False])
    assert (none.status_code, none.headers["Idempotent-Replayed"]) == (200, "true")


def test_one_bad_item_refuses_them_all_and_is_named(trusted):
    events = [
        {"kind": "daily_visit", "key": "1"},
        {"kind": "nonsense", "key": "2"},
        {"kind": "study_session", "key": "3", "data": {"minutes": 1441}},
        {"kind": "daily_visit"},
        {"kind": "daily_visit", "key": "5", "occurred_at": (timezone.now() + timedelta(minutes=6)).isoformat()},
    ]

    response = trusted.post("activities", events)

    assert_problem(response, 400, "invalid_batch")
    assert errors_of(response) == [
        (1, "kind", "unknown_kind"),
        (2, "data.minutes", "invalid"),
        (3, "key", "key_required"),
        (4, "occurred_at", "future_event"),
    ]
    assert not Activity.objects.exists()


def test_wrong_types_in_a_list_are_named_by_index_too(trusted):
    events = [
        {"kind": 1, "key": "1"},
        {"kind": "daily_visit", "key": "2"},
        [],
        {"kind": "daily_visit", "key": "4", "quantity": "2", "occurred_at": "yesterday"},
    ]

    response = trusted.post("activities", events)

    assert_problem(response, 400, "invalid")
    assert sorted(errors_of(response), key=str) == [
        (0, "kind", "invalid"),
        (2, None, "invalid"),
        (3, "occurred_at", "no_moment"),
        (3, "quantity", "invalid"),
    ]


@pytest.mark.parametrize("number", [0, 1001])
def test_a_list_holds_1_to_1000(number, trusted):
    response = trusted.post("activities", [{"kind": "daily_visit", "key": str(n)} for n in range(number)])

    assert_problem(response, 400, "invalid")
    assert errors_of(response) == [(None, None, "batch_size")]


def test_users_of_a_list_are_found_in_one_query(trusted, ada, bob, django_assert_max_num_queries):
    keys = [ada.user.pk, bob.user.pk]
    events = [{"kind": "daily_visit", "key": str(n), "user": keys[n % 2]} for n in range(50)]

    with django_assert_max_num_queries(40):
        assert trusted.post("activities", events).status_code == 201


# Values


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 10_001}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": 1.0}, "quantity"),
        ({"quantity": 2**63}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"data": []}, "data"),
        ({"data": {"minutes": "5"}}, "data.minutes"),
        ({"data": {"minutes": True}}, "data.minutes"),
        ({"data": {"nonsense": 1}}, "data"),
        ({"data": {"language": "x" * 5000}}, "data"),
        ({"occurred_at": "2026-06-01T12:00:00"}, "occurred_at"),
        ({"occurred_at": "2026-06-01"}, "occurred_at"),
        ({"occurred_at": "2026-02-30T12:00:00Z"}, "occurred_at"),
        ({"occurred_at": "20260601T120000Z"}, "occurred_at"),
        ({"occurred_at": "2026-06-01T12:00Z"}, "occurred_at"),
        ({"occurred_at": "2026-W23-1T12:00:00Z"}, "occurred_at"),
        ({"occurred_at": "２０２６-06-01T12:00:00Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": 1780315200}, "occurred_at"),
        ({"kind": "nonsense"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"kind": None}, "kind"),
    ],
)
def test_a_bad_value_is_named(values, field, trusted):
    response = trusted.post("activities", {**SCENARIO, "key": "k", **values})

    assert response.status_code == 400
    assert errors_of(response)[0][1] == field
    assert not Activity.objects.exists()


def test_a_moment_ahead_of_the_clock_is_refused(trusted):
    event = {"kind": "daily_visit", "occurred_at": "9999-12-31T23:59:59-14:00"}

    assert trusted.post("activities", event, key="k").status_code in {400, 422}


@pytest.mark.parametrize("moment", ["{:%Y-%m-%dT%H:%M:%S}Z", "{:%Y-%m-%dT%H:%M:%S}.5+00:00", "{:%Y-%m-%d %H:%M:%S}z"])
def test_moments_are_read_as_rfc_3339_has_them(moment, trusted):
    event = {"kind": "daily_visit", "occurred_at": moment.format(timezone.now())}

    assert trusted.post("activities", event, key="k").status_code == 201


def test_the_service_and_the_api_share_their_keys(trusted, bob):
    activities.record(bob.user, "daily_visit", key="k")

    response = trusted.post("activities", {"kind": "daily_visit", "user": bob.user.pk}, key="k")

    assert (response.status_code, response.json()["is_replay"]) == (200, True)
    assert xp.level(bob.user).total_xp == response.json()["level"]["total_xp"]

"""A person's settings and data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamification.models import UserXP
from gamification.services import activities, privacy, streaks, xp
from gamification.tests.api.conftest import PASSWORD, assert_problem, caller, create_user, errors_of

NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)


def test_a_newcomer_is_seen_and_lives_in_the_default_zone(ada):
    assert ada.json("me") == {"timezone": "UTC", "is_visible": True}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, {"timezone": "UTC", "is_visible": True}),
        ({"timezone": "Asia/Kathmandu"}, {"timezone": "Asia/Kathmandu", "is_visible": True}),
        ({"is_visible": False}, {"timezone": "UTC", "is_visible": False}),
        ({"timezone": "Asia/Kathmandu", "is_visible": False}, {"timezone": "Asia/Kathmandu", "is_visible": False}),
    ],
)
def test_what_is_sent_is_changed(sent, told, ada):
    response = ada.call("PATCH", "me", sent)

    assert (response.status_code, response.json()) == (200, told)
    assert ada.json("me") == told


@pytest.mark.parametrize("name", ["Mars/Olympus", "UTC+2", "+02:00", "europe/berlin", "../etc/passwd", "x" * 5000, ""])
def test_an_unknown_zone_is_refused(name, ada):
    response = ada.call("PATCH", "me", {"timezone": name})

    assert response.status_code in {400, 422}
    assert errors_of(response)[0][1] == "timezone"


def test_an_unknown_zone_has_a_code_of_its_own(ada):
    assert_problem(ada.call("PATCH", "me", {"timezone": "Mars/Olympus"}), 422, "unknown_timezone")


@pytest.mark.parametrize("body", [{"is_visible": 0}, {"is_visible": "false"}, {"is_visible": None}, {"timezone": None}])
def test_settings_are_of_their_types(body, ada):
    response = ada.call("PATCH", "me", body)

    assert_problem(response, 400, "invalid")
    assert [field for _, field, _ in errors_of(response)] == list(body)


def test_a_zone_can_be_changed_once_in_24_hours_and_nothing_else_happens_then(ada):
    with time_machine.travel(NOON, tick=False):
        ada.call("PATCH", "me", {"timezone": "Europe/Berlin"})
        response = ada.call("PATCH", "me", {"timezone": "Asia/Tokyo", "is_visible": False})

        assert_problem(response, 429, "timezone_changed_recently")
        assert ada.json("me") == {"timezone": "Europe/Berlin", "is_visible": True}
    with time_machine.travel(NOON + timedelta(hours=24), tick=False):
        assert ada.call("PATCH", "me", {"timezone": "Asia/Tokyo"}).status_code == 200


def test_either_all_settings_change_or_none(ada, monkeypatch):
    def refuse(user, visible):
        raise RuntimeError

    monkeypatch.setattr(privacy, "set_visibility", refuse)

    with pytest.raises(RuntimeError):
        ada.call("PATCH", "me", {"timezone": "Europe/Berlin", "is_visible": False})

    assert streaks.timezone(ada.user) == "UTC"


# Taking it along


def test_an_export_is_a_file_with_every_row_of_mine_and_nobody_elses(ada, bob):
    activities.record(ada.user, "scenario_completed", key="mine", data={"difficulty": "beginner"})
    activities.record(bob.user, "scenario_completed", key="theirs", data={"difficulty": "beginner"})

    response = ada.get("me/data")

    assert response.headers["Content-Disposition"] == 'attachment; filename="gamification.json"'
    assert [each["key"] for each in response.json()["activities"]] == ["mine"]
    assert response.json()["xp"][0]["total_xp"] == 55
    assert b"theirs" not in response.content


def test_an_export_of_nothing_is_empty(ada):
    assert set(map(len, ada.json("me/data").values())) == {0}


# Being forgotten


def test_erasing_needs_the_password(ada):
    xp.award(ada.user, 10, reason="x", key="k")

    response = ada.call("DELETE", "me/data", {"password": PASSWORD})

    assert (response.status_code, response.content) == (204, b"")
    assert xp.level(ada.user).total_xp == 0
    assert ada.get("me").status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"password": ""}, {"password": "guess"}, {"confirm": "erase"}, {"password": "guess", "confirm": "erase"}],
)
def test_without_the_password_nothing_is_erased(body, ada):
    xp.award(ada.user, 10, reason="x", key="k")

    response = ada.call("DELETE", "me/data", body)

    assert_problem(response, 403, "wrong_password")
    assert errors_of(response) == [(None, "password", "wrong_password")]
    assert UserXP.objects.get().total_xp == 10


@pytest.mark.parametrize(
    ("body", "status"), [({"confirm": "erase"}, 204), ({}, 403), ({"confirm": "yes"}, 403), ({"password": ""}, 403)]
)
def test_an_account_without_a_password_types_a_confirmation(body, status, db):
    user = create_user("sso")
    user.set_unusable_password()
    user.save()
    xp.award(user, 10, reason="x", key="k")

    response = caller(user).call("DELETE", "me/data", body)

    assert response.status_code == status
    assert UserXP.objects.exists() is (status == 403)


def test_others_keep_what_they_have(ada, bob):
    xp.award(bob.user, 10, reason="x", key="k")

    ada.call("DELETE", "me/data", {"password": PASSWORD})

    assert xp.level(bob.user).total_xp == 10

"""Who is counted, and in which scope."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import RequestFactory

from gamification.api import throttles
from gamification.tests.api.conftest import assert_problem, caller, create_user


@pytest.mark.parametrize(
    ("proxies", "forwarded", "same"),
    [
        (None, ("1.1.1.1", "2.2.2.2"), True),
        (0, ("1.1.1.1", "2.2.2.2"), True),
        (1, ("1.1.1.1", "2.2.2.2"), False),
        (1, ("9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1"), True),
    ],
)
def test_forwarded_addresses_count_as_far_as_proxies_are_known(proxies, forwarded, same, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}

    requests = [RequestFactory().get("/", headers={"X-Forwarded-For": chain}) for chain in forwarded]
    first, second = (throttles.LoginThrottle().get_ident(request) for request in requests)

    assert (first == second) is same
    assert "." not in first


@pytest.mark.django_db
def test_a_page_can_count_attempts_to_sign_in(rates):
    rates(gamification_login="2/hour")
    request = RequestFactory().post("/accounts/login/")

    first, second, third = (throttles.login_wait(request) for _ in range(3))

    assert (first, second) == (None, None)
    assert third is not None
    assert 0 < third <= 3600


def test_one_too_many_is_told_when_to_come_back(ada, rates, time_machine):
    time_machine.move_to("2026-06-01T12:00:05+00:00")  # early in a window
    rates(gamification_read="1/min")
    ada.get("xp/level")

    response = ada.get("xp/level")

    assert_problem(response, 429, "throttled")
    assert 1 <= int(response.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "me", throttles.READ),
        ("HEAD", "me", throttles.READ),
        ("PATCH", "me", throttles.WRITE),
        ("POST", "streaks/update", throttles.WRITE),
        ("POST", "xp/award", throttles.AWARDS),
        ("POST", "xp/transactions/1/reverse", throttles.AWARDS),
        ("POST", "activities/1/void", throttles.AWARDS),
        ("POST", "activities", throttles.ACTIVITIES),
        ("GET", "me/data", throttles.EXPORT),
        ("DELETE", "me/data", throttles.ERASE),
    ],
)
def test_each_route_counts_in_its_scope(method, path, scope, trusted, rates):
    rates(**{scope: "0/min"})

    assert trusted.call(method, path, {} if method != "GET" else None).status_code == 429


def test_users_behind_one_address_do_not_count_for_each_other(ada, rates):
    rates(gamification_read="1/min")
    ada.get("xp/level")

    assert caller(create_user("eve")).get("xp/level").status_code == 200


@pytest.mark.django_db
def test_guessing_a_password_is_throttled_though_every_guess_fails(ada, monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)

    answers = [ada.call("DELETE", "me/data", {"password": f"guess {n}"}).status_code for n in range(6)]

    assert answers == [403] * 5 + [429]

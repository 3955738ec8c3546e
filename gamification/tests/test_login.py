"""Signing in, at the site and at the admin: counted by address and by account, and logged without saying who."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connections
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from gamification import login
from gamification.engine import throttling
from gamification.models import RequestCount
from gamification.services import privacy
from gamification.tests.api.caches import BROKEN

pytestmark = pytest.mark.django_db

NAME, PASSWORD = "grace.hopper@example.com", "correct horse battery"


@pytest.fixture(autouse=True)
def _early_in_its_window(time_machine):
    """Begin where neither a minute nor an hour ends while a test runs."""
    time_machine.move_to("2026-06-01T12:00:05+00:00")


@pytest.fixture(params=["login", "admin:login"])
def page(request):
    return reverse(request.param)


@pytest.fixture
def grace():
    return get_user_model().objects.create_superuser(NAME, email=NAME, password=PASSWORD)


@pytest.fixture
def rates(settings):
    def _rates(**by_scope):
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": by_scope}

    return _rates


def attempt(page, password, *, name=NAME, address="10.0.0.1", client=None):
    return (client or Client()).post(page, {"username": name, "password": password}, REMOTE_ADDR=address)


def test_one_address_has_ten_attempts_a_minute_whoever_they_are_for(page, grace):
    answers = [attempt(page, "wrong", name=f"somebody {number}").status_code for number in range(11)]
    right = attempt(page, PASSWORD)

    assert answers == [200] * 10 + [429]
    assert right.status_code == 429
    assert 1 <= int(right["Retry-After"]) <= 60
    assert "Too many attempts" in right.content.decode()
    assert attempt(page, PASSWORD, address="10.0.0.2").status_code == 302


def test_the_site_and_the_admin_count_together(grace):
    answers = [attempt(reverse(name), "wrong").status_code for name in ["login", "admin:login"] * 5]

    assert answers == [200] * 10
    assert attempt(reverse("login"), PASSWORD).status_code == 429


def test_one_account_has_ten_attempts_an_hour_from_wherever_they_come(page, grace):
    answers = [attempt(page, "wrong", address=f"10.0.1.{number}").status_code for number in range(11)]

    assert answers == [200] * 10 + [429]
    assert attempt(page, PASSWORD, address="10.0.2.1").status_code == 429
    assert attempt(page, PASSWORD, address="10.0.2.2", name=f" {NAME.upper()} ").status_code == 429
    assert attempt(page, "wrong", address="10.0.2.1", name="somebody else").status_code == 200


@pytest.mark.parametrize(
    ("seconds", "told"), [(1, "in 1 seconds"), (119, "in 119 seconds"), (120, "in 2 minutes"), (3541, "in 60 minutes")]
)
def test_a_long_wait_is_told_in_minutes(seconds, told, monkeypatch):
    monkeypatch.setattr(throttling, "seconds_to_wait", lambda *args: seconds)

    answer = attempt(reverse("login"), "wrong")

    assert told in answer.content.decode()
    assert answer["Retry-After"] == str(seconds)


def test_an_account_that_does_not_exist_is_refused_in_the_same_words(page, grace):
    told = {}
    for name in (NAME, "nobody@example.com"):
        for number in range(10):
            attempt(page, "wrong", name=name, address=f"10.0.1.{number}")
        answer = attempt(page, "wrong", name=name, address="10.0.2.1")
        told[name] = (answer.status_code, "Too many attempts" in answer.content.decode())
        cache.clear()

    assert told[NAME] == told["nobody@example.com"] == (429, True)


def test_an_attacker_locks_nobody_out_of_a_device_of_theirs(page, grace):
    own = Client()
    assert attempt(page, PASSWORD, client=own, address="10.0.3.1").status_code == 302
    own.cookies.pop("sessionid")  # signed out since

    for number in range(30):
        attempt(page, "wrong", address=f"10.0.1.{number}")
        attempt(page, "wrong", address="10.0.3.1")  # and even from behind the same address

    assert attempt(page, PASSWORD, address="10.0.3.1").status_code == 429
    assert attempt(page, PASSWORD, client=own, address="10.0.3.1").status_code == 302


def test_a_device_has_its_own_limit(page, grace, rates):
    rates(gamification_login_account="2/hour")
    own = Client()
    attempt(page, PASSWORD, client=own)
    own.cookies.pop("sessionid")

    assert [attempt(page, "wrong", client=own).status_code for _ in range(3)] == [200, 200, 429]


def test_the_devices_cookie_is_for_the_server_alone_and_says_nothing(page, grace, settings):
    settings.SESSION_COOKIE_SECURE = True
    client = Client()

    attempt(page, PASSWORD, client=client)

    cookie = client.cookies[login.COOKIE]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert "grace" not in cookie.value


@pytest.mark.parametrize("forged", ["", "x", "WyJhIiwiYiJd:1abcde:sig", "é"])
def test_a_forged_cookie_counts_for_nothing(page, grace, rates, forged):
    rates(gamification_login_account="1/hour")
    client = Client()
    client.cookies[login.COOKIE] = forged

    assert [attempt(page, "wrong", client=client).status_code for _ in range(2)] == [200, 429]


def test_somebody_elses_cookie_counts_for_nothing(page, grace, rates):
    get_user_model().objects.create_superuser("mallory", password=PASSWORD)
    rates(gamification_login_account="1/hour")
    client = Client()
    attempt(page, PASSWORD, name="mallory", client=client)
    client.cookies.pop("sessionid")

    assert [attempt(page, "wrong", client=client).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("twin", ["strasse", "STRASSE", "Straße"])
def test_the_cookie_of_an_account_whose_name_reads_alike_counts_for_nothing(page, rates, twin):
    get_user_model().objects.create_superuser("straße", password=PASSWORD)
    get_user_model().objects.create_superuser(twin, password=PASSWORD)
    rates(gamification_login_account="2/hour")
    client = Client()
    attempt(page, PASSWORD, name=twin, client=client)
    client.cookies.pop("sessionid")

    assert [attempt(page, "wrong", name="straße", client=client).status_code for _ in range(2)] == [200, 429]


def test_a_new_password_ends_the_trust_in_a_device(page, grace, rates):
    rates(gamification_login_account="2/hour")
    client = Client()
    attempt(page, PASSWORD, client=client)
    client.cookies.pop("sessionid")
    grace.set_password("another battery staple")
    grace.save()

    assert [attempt(page, PASSWORD, client=client).status_code for _ in range(2)] == [200, 429]


def test_a_project_can_trust_a_client_and_release_an_account(page, grace, rates):
    rates(gamification_login_account="1/hour")
    attempt(page, "wrong")
    assert attempt(page, PASSWORD).status_code == 429

    response, own = HttpResponse(), Client()
    login.trust(response, NAME)
    own.cookies.load({login.COOKIE: response.cookies[login.COOKIE].value})
    assert attempt(page, PASSWORD, client=own).status_code == 302

    login.release(NAME)
    assert attempt(page, PASSWORD).status_code == 302


def test_an_ipv6_network_counts_as_one_address(page, grace, rates):
    rates(gamification_login="2/min")

    answers = [attempt(page, "x", name=f"n{n}", address=f"2001:db8:1:2::{n}").status_code for n in range(3)]

    assert answers == [200, 200, 429]
    assert attempt(page, "x", name="m", address="2001:db8:1:3::1").status_code == 200


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("203.0.113.7:50000", "203.0.113.7", True),
        ("203.0.113.7:50000", "203.0.113.8:50000", False),
        ("[2001:db8::1]:443", "2001:db8::2", True),
        ("[2001:db8::1]", "[2001:db8::2]:50000", True),
        ("[2001:db8:0:1::1]:443", "[2001:db8::1]:443", False),
        ("2001:db8::1:443", "2001:db8::1:444", True),
        ("", "unix:", False),
    ],
)
def test_addresses_are_told_apart_by_who_can_have_them(one, other, is_same):
    idents = [throttling.ident_of_address(RequestFactory().get("/", REMOTE_ADDR=each)) for each in (one, other)]

    assert (idents[0] == idents[1]) is is_same


@pytest.mark.django_db(transaction=True)
def test_parallel_attempts_are_counted_exactly_while_the_cache_is_down(grace, settings, rates):
    settings.CACHES = {"default": {"BACKEND": BROKEN}}
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    rates(gamification_login="1000/min", gamification_login_account="7/hour")

    def guess(number):
        try:
            return [
                attempt(reverse("admin:login"), "wrong", address=f"10.1.{number}.{n}").status_code for n in range(5)
            ]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = [status for part in pool.map(guess, range(4)) for status in part]

    assert (answers.count(200), answers.count(429)) == (7, 13)


# What is kept, and what is logged


def test_nothing_that_is_counted_can_be_read(page, grace):
    attempt(page, "wrong", address="203.0.113.77")

    kept = " ".join(RequestCount.objects.values_list("ident", flat=True))
    assert RequestCount.objects.count() == 2
    assert "grace" not in kept
    assert "203.0.113" not in kept


def test_erasing_an_account_gives_nobody_new_attempts_at_another(page, grace, rates):
    rates(gamification_login_account="1/hour")
    get_user_model().objects.create_user("strasse", password=PASSWORD)
    twin = get_user_model().objects.create_user("straße", password=PASSWORD)
    attempt(page, "wrong", name="strasse")

    privacy.erase(twin)

    assert attempt(page, "wrong", name="strasse").status_code == 429


def test_failures_are_logged_so_that_nobody_learns_name_password_or_address(page, grace, caplog, rates):
    rates(gamification_login_account="1/hour")
    with caplog.at_level(logging.DEBUG):
        attempt(page, "hunter2", address="203.0.113.77")
        attempt(page, "hunter2", address="203.0.113.77")
        attempt(page, "hunter2", name="no such body", address="203.0.113.77")

    said = [record.getMessage() for record in caplog.records if record.name == "gamification.login"]
    assert [f"user {grace.pk}" in text for text in said] == [True, True, False]
    assert [text.split(":")[0] for text in said] == [
        f"Sign-in at {page} failed",
        f"Sign-in at {page} refused after too many attempts",
        f"Sign-in at {page} failed",
    ]
    assert len({text.rpartition(" ")[2] for text in said}) == 1
    for secret in ("grace", "hunter2", "no such body", "203.0.113.77", "example.com"):
        assert secret not in caplog.text


def test_whoever_signs_in_is_not_logged(page, grace, caplog):
    attempt(page, PASSWORD)

    assert [record for record in caplog.records if record.name == "gamification.login"] == []


def test_somebody_without_the_right_to_the_admin_learns_nothing_more(caplog):
    ada = get_user_model().objects.create_user("ada", password=PASSWORD)

    answer = attempt(reverse("admin:login"), PASSWORD, name="ada")

    assert answer.status_code == 200
    assert login.COOKIE not in answer.cookies
    assert f"failed: user {ada.pk}" in caplog.text


def test_a_missing_name_or_password_is_no_way_past(page, rates):
    rates(gamification_login="1/min")

    assert [attempt(page, "", name=name).status_code for name in ("", "a\x00b")] == [200, 429]


def test_a_site_that_asks_everybody_to_sign_in_lets_them(page, grace, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]

    assert Client().get(page).status_code == 200
    assert attempt(page, PASSWORD).status_code == 302

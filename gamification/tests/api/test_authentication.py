"""Authentication is the host's: here sessions, with CSRF, and tokens."""

from __future__ import annotations

import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from gamification.tests.api.conftest import BASE, assert_problem, create_user

WRITES = [("POST", "streaks/update"), ("PATCH", "me"), ("DELETE", "me/data"), ("POST", "activities")]


@pytest.fixture
def browser(db) -> APIClient:
    """Return a browser with a session, in which nothing is waved through."""
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(create_user("ada"))
    return client


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_session_without_a_csrf_token_writes_nothing(method, path, browser):
    response = browser.generic(method, BASE + path, "{}", content_type="application/json")

    problem = assert_problem(response, 403, "permission_denied")
    assert "CSRF" in problem["detail"]


def test_a_session_with_a_csrf_token_writes(browser):
    browser.get("/accounts/login/")
    browser.cookies["csrftoken"] = "a" * 32

    response = browser.post(BASE + "streaks/update", headers={"X-CSRFToken": "a" * 32})

    assert response.status_code == 200


def test_a_session_reads_without_a_csrf_token(browser):
    assert browser.get(BASE + "xp/level").status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("multipart/form-data", b"x"),
        ("application/x-www-form-urlencoded", b"&" * 3_000_000),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000),
    ],
)
def test_a_form_that_cannot_be_read_for_its_token_is_the_clients_problem(content_type, body, browser):
    response = browser.generic("POST", BASE + "streaks/update", body, content_type=content_type)

    assert response.status_code in {400, 403, 413}
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_token_needs_no_csrf_token(db):
    client = APIClient(enforce_csrf_checks=True)
    token = Token.objects.create(user=create_user("ada"))

    response = client.post(BASE + "streaks/update", headers={"Authorization": f"Token {token.key}"})

    assert response.status_code == 200


@pytest.mark.parametrize("header", ["Token nonsense", "Token", "Token a b", "Token \u00ff", "Basic x", "Bearer x"])
def test_a_wrong_token_is_a_problem(header, db):
    response = APIClient().get(BASE + "xp/level", headers={"Authorization": header})

    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_deactivated_account_is_let_in_nowhere(browser, django_user_model):
    django_user_model.objects.update(is_active=False)

    assert browser.get(BASE + "xp/level").status_code == 401

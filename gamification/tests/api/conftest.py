"""People who call the API, and how they call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from gamification.services import achievements

BASE = "/api/v1/gamification/"
PASSWORD = "correct horse battery staple"
PERMISSIONS = ("award_xp", "reverse_xp", "record_activity", "initialize_achievements", "void_activity")


@dataclass(frozen=True)
class Caller:
    """Somebody with a session (or nobody), and the calls they make."""

    user: Any
    client: APIClient

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Any:
        """Send ``body`` as JSON to the address below the API's root; ``key`` is the Idempotency-Key."""
        if key is not None:
            headers["Idempotency-Key"] = key
        return getattr(self.client, method.lower())(BASE + path, body, format="json", headers=headers)

    def send(self, method: str, path: str, raw: bytes, content_type: str = "application/json", **headers: str) -> Any:
        """Send ``raw`` as it is."""
        client: Any = self.client
        return client.generic(method, BASE + path, raw, content_type=content_type, headers=headers)

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        return self.call("POST", path, body, key=key)

    def json(self, path: str) -> Any:
        response = self.get(path)
        assert response.status_code == 200, response.content
        return response.json()


def caller(user: Any = None) -> Caller:
    client = APIClient()
    if user is not None:
        client.force_login(user)
    return Caller(user, client)


def create_user(name: str, **fields: Any) -> Any:
    return get_user_model().objects.create_user(name, password=PASSWORD, **fields)


@pytest.fixture
def anonymous() -> Caller:
    return caller()


@pytest.fixture
def ada(db) -> Caller:
    return caller(create_user("ada"))


@pytest.fixture
def bob(db) -> Caller:
    return caller(create_user("bob"))


@pytest.fixture
def staff(db) -> Caller:
    """Return somebody who may see the admin, and has none of the app's permissions."""
    return caller(create_user("staff", is_staff=True))


@pytest.fixture
def trusted(db) -> Caller:
    """Return somebody, not staff, with all permissions that the API asks for."""
    user = create_user("trusted")
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="gamification", codename__in=PERMISSIONS)
    )
    return caller(user)


@pytest.fixture
def catalogue(db) -> None:
    achievements.initialize()


@pytest.fixture
def rates(settings):
    """Return a function that sets the project's rates by scope."""

    def _rates(**by_scope: str | None) -> None:
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": by_scope}

    return _rates


def errors_of(response: Any) -> list[tuple[Any, Any, str]]:
    """Return index, field and code of each error of a problem."""
    return [(each["index"], each["field"], each["code"]) for each in response.json()["errors"]]


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check the shape of a problem, and return it."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = response.json()
    assert list(problem) == ["type", "title", "status", "detail", "code", "errors"]
    assert (problem["status"], problem["code"]) == (status, code)
    assert all(list(error) == ["index", "field", "code", "message"] for error in problem["errors"])
    return problem

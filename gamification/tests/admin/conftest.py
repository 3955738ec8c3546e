"""Staff with just the permissions of a test, and a user with a history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from gamification.models import Achievement, XPTransaction
from gamification.services import achievements, activities, leaderboards, xp

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.http import HttpResponse

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MODELS = (
    "achievement",
    "activity",
    "boardexclusion",
    "excuseddate",
    "flag",
    "leaderboardcache",
    "queuedactivity",
    "userachievement",
    "usercounter",
    "userday",
    "userstreak",
    "userxp",
    "webhookdelivery",
    "webhookendpoint",
    "xptransaction",
)
LARGE = [
    "activity",
    "queuedactivity",
    "userachievement",
    "usercounter",
    "userday",
    "userstreak",
    "userxp",
    "webhookdelivery",
    "xptransaction",
]


@pytest.fixture
def make_staff(db: None, django_user_model: Any) -> Callable[..., User]:
    """Return a function that makes somebody with access to the admin and the permissions named."""

    def _make_staff(*permissions: str, name: str = "grace") -> User:
        user: User = django_user_model.objects.create_user(name, is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="gamification", codename__in=permissions)
        )
        return user

    return _make_staff


@pytest.fixture
def client_with(make_staff: Callable[..., User]) -> Callable[..., Client]:
    """Return a function that signs in somebody with the permissions named."""

    def _client_with(*permissions: str, **kwargs: Any) -> Client:
        client = Client(**kwargs)
        client.force_login(make_staff(*permissions))
        return client

    return _client_with


@pytest.fixture
def root(db: None, django_user_model: Any) -> User:
    """Return a superuser."""
    user: User = django_user_model.objects.create_superuser("root")
    return user


@pytest.fixture
def root_client(root: User) -> Client:
    """Return a browser in which a superuser is signed in."""
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def seeded(db: None) -> None:
    """Have the shipped achievements."""
    achievements.initialize()


@pytest.fixture
def ada(seeded: None, django_user_model: Any) -> User:
    """Return a user with a perfect scenario: an activity, days, counters, XP and achievements."""
    user: User = django_user_model.objects.create_user("ada")
    data = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}
    activities.record(user, "scenario_completed", key="one", data=data, occurred_at=NOON, now=NOON)
    return user


@pytest.fixture
def unheld(seeded: None) -> Achievement:
    """Return a definition that nobody has."""
    return Achievement.objects.get(achievement_id="scenario_master")


@pytest.fixture
def held(ada: User) -> Achievement:
    """Return a definition that ada has."""
    return Achievement.objects.get(achievement_id="first_steps")


@pytest.fixture
def award(ada: User) -> XPTransaction:
    """Return an award of 10 XP to ada."""
    return xp.award(ada, 10, reason="for a test", key="ten", now=NOON).transaction


@pytest.fixture
def boards(ada: User) -> None:
    """Have a snapshot of every board."""
    leaderboards.refresh(now=NOON)


def said(response: HttpResponse) -> str:
    """Return the messages that the admin shows."""
    return " | ".join(str(message) for message in get_messages(response.wsgi_request))  # type: ignore[attr-defined]


def achievement_url(row: Achievement, page: str = "change") -> str:
    return reverse(f"admin:gamification_achievement_{page}", args=[row.pk])


def list_url(model: str) -> str:
    return reverse(f"admin:gamification_{model}_changelist")

"""Fields that a form does not ask for: whatever column is sent along, only what the route is for changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction

from gamification.models import PublicProfile, UserStreak, UserXP
from gamification.services import achievements
from gamification.tests.api.table import filled
from gamification.tests.attacks import callers, world
from gamification.tests.attacks.doors import APP, DOORS, USER

#: What users may send. What staff may change is what their forms say, and their log tells.
OPEN = [door for door in DOORS if door.who == USER and door.method in {"POST", "PATCH", "DELETE"}]
MODELS = [*apps.get_app_config("gamification").get_models(), get_user_model()]
NAMES = sorted({field.name for model in MODELS for field in model._meta.get_fields() if field.concrete})
#: What some route is there to change; tried in the tests of that route.
ASKED_FOR = {"timezone", "is_visible", "is_public", "is_active"}


def everything(site: world.World, door: Any) -> dict[str, Any]:
    """Return a value for every column there is, beside what the route asks for."""
    columns: dict[str, Any] = dict.fromkeys(set(NAMES) - ASKED_FOR, 999)
    columns |= {f"{name}_id": 999 for name in NAMES} | {
        name: True for name in NAMES if name.startswith(("is_", "has_"))
    }
    for name in ASKED_FOR:
        columns.pop(name, None)
    mine = {"user": site.bob.pk, "user_id": site.bob.pk, "total_xp": 10**6, "username": "eve", "password": "x"}
    return (
        columns | mine | {"id": site.bob.pk, "pk": site.bob.pk, "permissions": [1], "groups": [1]} | (door.body or {})
    )


@pytest.fixture
def eve(site):
    """Return somebody with rows of her own."""
    user = callers.user_of("user")
    achievements.unlock(user, "perfectionist", now=world.NOON)
    return user


def outcome(client: Any, door: Any, site: world.World, body: dict[str, Any]) -> tuple[int, Any]:
    """Return status and all rows after ``body`` was sent, which is undone."""
    with transaction.atomic():
        address = door.address(site.names)
        if door.is_of_api:
            response = client.generic(door.method, address, json.dumps(body), "application/json")
        else:
            response = client.post(address, body)
        rows = world.rows()
        transaction.set_rollback(True)
    return response.status_code, rows


@pytest.mark.parametrize("door", OPEN, ids=str)
def test_what_a_route_does_not_ask_for_changes_nothing(door, site, eve, monkeypatch):
    client = callers.client_of(eve)
    monkeypatch.setattr("gamification.models.profiles.secrets.token_urlsafe", lambda size: "renewed")
    monkeypatch.setattr("gamification.engine.clock.timezone.now", lambda: world.NOON)
    asked = filled(door.body, site.names) or {}

    plain = outcome(client, door, site, asked)
    crammed = outcome(client, door, site, filled(everything(site, door), site.names))

    assert crammed == plain
    assert plain[0] < 400 or "freeze" in door.route


def test_the_columns_that_are_sent_are_all_there_are(site):
    assert {"total_xp", "xp_amount", "is_superuser", "current_streak", "key", "showcase"} <= set(NAMES)


@pytest.mark.parametrize(
    "column",
    ["total_xp", "current_level", "highest_level", "title", "streak_freezes_available", "current_streak", "user", "id"],
)
def test_settings_take_no_other_column_from_the_query_either(column, site, eve):
    client = callers.client_of(eve)
    before = [list(model.objects.values()) for model in (UserXP, UserStreak, PublicProfile)]

    client.post(f"/gamification/settings?{column}=999", {"timezone": "UTC", "is_visible": "on", column: "999"})
    client.patch(f"/api/v1/gamification/me?{column}=999", json.dumps({column: 999}), "application/json")

    assert [list(model.objects.values()) for model in (UserXP, UserStreak, PublicProfile)] == before


@pytest.mark.parametrize(
    "name", ["user", "actor", "source", "created_at", "earned_on", "reverses", "content_hash", "id"]
)
def test_an_award_takes_nothing_but_what_it_asks_for(name, site):
    """Who books, from where and when is never up to the body."""
    trusted = callers.user_of("trusted user")
    door = next(each for each in DOORS if each.who == (f"{APP}award_xp",) and each.is_of_api)
    client = callers.client_of(trusted)
    body = filled(door.body, site.names) | {"key": "crammed"}
    forged = {name: body["user"] if name == "user" else 1}

    client.post(door.address(site.names), json.dumps({**body, **forged}), "application/json")

    row = apps.get_model("gamification", "XPTransaction").objects.get(key="crammed", source="client")
    assert (row.actor_id, row.source, row.reverses_id, row.xp_amount) == (trusted.pk, "client", None, 10)
    assert row.user_id == site.bob.pk
    assert row.created_at.year > 2025

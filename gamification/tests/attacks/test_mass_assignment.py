"""Fields that a form does not ask for: whatever column is sent along, only what the route is for changes."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction

from gamification.models import PublicProfile, UserStreak, UserXP, XPTransaction
from gamification.services import achievements
from gamification.tests.api.table import filled
from gamification.tests.attacks import callers, doors, world
from gamification.tests.attacks.doors import APP, DOORS, USER

#: What users may send, and what staff send from the pages of our own.
OPEN = [
    door
    for door in DOORS
    if door.method in {"POST", "PATCH", "DELETE"} and door.status != 405
    if door.who == USER or doors.OWN_PAGE.fullmatch(door.route)
]
MODELS = [*apps.get_app_config("gamification").get_models(), get_user_model()]
NAMES = sorted({field.name for model in MODELS for field in model._meta.get_fields() if field.concrete})
#: What some route is there to change; tried in the tests of that route.
ASKED_FOR = {"timezone", "is_visible", "is_public", "reference_id", "conditions"}


def crammed(site: world.World, body: dict[str, Any]) -> dict[str, Any]:
    """Return a value for every column there is, beside what the route asks for."""
    columns: dict[str, Any] = dict.fromkeys(NAMES, 999) | {f"{name}_id": 999 for name in NAMES}
    columns |= {name: True for name in NAMES if name.startswith(("is_", "has_"))}
    own = {"user": site.bob.pk, "user_id": site.bob.pk, "id": site.bob.pk, "pk": site.bob.pk, "permissions": [1]}
    sent = {**columns, **own, **body}
    return {name: value for name, value in sent.items() if name in body or name not in ASKED_FOR}


@pytest.fixture
def eve(site):
    """Return somebody with rows of her own."""
    user = callers.user_of("user")
    achievements.unlock(user, "perfectionist", now=world.NOON)
    return user


@pytest.fixture
def stopped(monkeypatch):
    """Have no clock and no chance, so that doing a thing twice does the same."""
    monkeypatch.setattr("gamification.models.profiles.secrets.token_urlsafe", lambda size: "renewed")
    monkeypatch.setattr("gamification.models.achievements.secrets.randbits", lambda bits: 7)
    monkeypatch.setattr("gamification.services.webhooks.secrets.token_bytes", bytes)
    monkeypatch.setattr("gamification.engine.outbox.uuid4", lambda: UUID(int=7))
    monkeypatch.setattr("gamification.engine.clock.timezone.now", lambda: world.NOON)


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


def test_what_a_route_does_not_ask_for_changes_nothing(site, eve, stopped):
    clients = {True: callers.client_of(eve), False: callers.client_of(callers.user_of("superuser"))}

    for door in OPEN:
        client, asked = clients[door.who == USER], filled(door.body, site.names) or {}
        plain = outcome(client, door, site, asked)

        assert plain[0] == door.status, door
        assert outcome(client, door, site, crammed(site, asked)) == plain, door


def test_the_columns_that_are_sent_are_all_there_are():
    assert {"total_xp", "xp_amount", "is_superuser", "current_streak", "key", "showcase"} <= set(NAMES)


def test_settings_take_no_other_column_from_the_query_either(site, eve):
    client = callers.client_of(eve)
    before = [list(model.objects.values()) for model in (UserXP, UserStreak, PublicProfile)]
    query = "&".join(f"{name}=999" for name in NAMES if name not in ASKED_FOR)

    client.post(f"/gamification/settings?{query}", {"timezone": "UTC", "is_visible": "on"})
    client.patch(f"/api/v1/gamification/me?{query}", "{}", "application/json")

    assert [list(model.objects.values()) for model in (UserXP, UserStreak, PublicProfile)] == before


def test_an_award_takes_nothing_but_what_it_asks_for(site):
    """Who books, from where and when is never up to the body."""
    trusted = callers.user_of("trusted user")
    door = next(each for each in DOORS if each.who == (f"{APP}award_xp",) and each.is_of_api)
    body = {**filled(door.body, site.names), "key": "crammed", "metadata": {}}
    forged = crammed(site, body)

    callers.client_of(trusted).post(door.address(site.names), json.dumps(forged), "application/json")

    row = XPTransaction.objects.get(key="crammed", source="client")
    assert (row.actor_id, row.source, row.reverses_id, row.xp_amount) == (trusted.pk, "client", None, 10)
    assert row.user_id == site.bob.pk
    assert row.created_at.year > 2025

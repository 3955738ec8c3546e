"""Knocking at every door, as everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from gamification.tests.attacks import callers
from gamification.tests.attacks.doors import DOORS, Door

PERMISSIONS = sorted(
    {one for door in DOORS if isinstance(door.who, tuple) for who in door.who for one in who.split("+")}
)
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")


def wrong(user: Any, doors: Iterable[Door], names: dict[str, Any]) -> list[str]:
    """Knock as ``user`` and return what was answered otherwise than listed; what was allowed is undone."""
    client = callers.client_of(user)
    found = []
    for door in doors:
        with transaction.atomic():
            answered = callers.knock(client, door, names).status_code
            transaction.set_rollback(door.lets_in(user))
        if door.route.endswith("logout/"):
            client = callers.client_of(user)
        if answered != door.expected(user):
            found.append(f"{door} as {user}: {answered}, not {door.expected(user)}")
    return found


def broken_by_other_methods(user: Any, names: dict[str, Any], methods: Iterable[str]) -> list[str]:
    """Send every route each of ``methods`` that it does not list, and return what fails."""
    client = callers.client_of(user)
    found = []
    for route in {door.route for door in DOORS}:
        listed = {door.method: door for door in DOORS if door.route == route}
        address = next(iter(listed.values())).address(names)
        for method in set(methods) - listed.keys():
            answered = client.generic(method, address).status_code
            if answered >= 500:
                found.append(f"{method} {route} as {user}: {answered}")
    return found

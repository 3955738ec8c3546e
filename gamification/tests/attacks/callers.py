"""Those who knock: seven roles, and staff with one permission alone."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from gamification.tests.api.table import filled
from gamification.tests.attacks.doors import Door
from gamification.tests.attacks.world import PASSWORD

ROLES = (
    "nobody",
    "banned",
    "user",
    "trusted user",
    "staff without permissions",
    "staff",
    "superuser",
)
OWN = Permission.objects.filter(content_type__app_label="gamification")


def user_of(role: str) -> Any:
    """Make somebody with the ``role``, and return them; None is nobody. The banned one was of the staff."""
    if role == "nobody":
        return None
    users = get_user_model()._default_manager
    if role == "superuser":
        return users.create_superuser("root", password=PASSWORD)
    is_staff = role in {"staff", "staff without permissions", "banned"}
    is_active = role != "banned"
    user = users.create_user(role.replace(" ", "_"), password=PASSWORD, is_staff=is_staff, is_active=is_active)
    if role in {"banned", "trusted user", "staff"}:
        user.user_permissions.set(OWN.all())
    return user


def with_permissions(*names: str) -> Any:
    """Make one of the staff who has just these permissions, such as ``gamification.award_xp``, and return them."""
    users = get_user_model()._default_manager
    user = users.create_user(f"clerk{users.count()}", password=PASSWORD, is_staff=True)
    for name in names:
        app, _, codename = name.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def client_of(user: Any, **options: Any) -> Client:
    """Return a browser in which ``user`` is signed in."""
    client = Client(raise_request_exception=False, **options)
    if user is not None:
        client.force_login(user)
    return client


def knock(client: Client, door: Door, names: dict[str, Any], **headers: str) -> Any:
    """Ask for what is behind ``door``, with its body: JSON at the API's, else a form."""
    address, body = door.address(names), filled(door.body, names)
    if door.key:
        headers["Idempotency-Key"] = door.key
    if door.is_of_api:
        raw = b"" if body is None else json.dumps(body).encode()
        return client.generic(door.method, address, raw, "application/json", headers=headers)
    method = getattr(client, door.method.lower())
    return method(address, **({"data": body} if door.method == "POST" else {}), headers=headers)

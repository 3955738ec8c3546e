"""People who are signed in on a site that is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from rest_framework.authtoken.models import Token

from gamification.services import achievements


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, with a session for pages and a token for the API."""

    pk: int
    cookie: str
    token: str


def signed_in(number: int) -> list[Visitor]:
    """Make so many people in the database of this thread, the first of them staff who may do everything."""
    achievements.initialize()
    model = get_user_model()
    model._default_manager.bulk_create(model(username=f"visitor{one}", password="!") for one in range(number))
    found = list(model._default_manager.order_by("pk"))
    model._default_manager.filter(pk=found[0].pk).update(is_staff=True, is_superuser=True)
    return [visitor_of(user) for user in found]


def visitor_of(user: Any) -> Visitor:
    """Sign ``user`` in, with a session and a token."""
    return Visitor(user.pk, _cookie_of(user), Token.objects.create(user=user).key)


def _cookie_of(user: Any) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"

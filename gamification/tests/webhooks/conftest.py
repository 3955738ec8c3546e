"""People, endpoints, and the servers behind them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gamification.domain.webhooks import EVENT_TYPES
from gamification.services import webhooks
from gamification.tests.factories import UserFactory
from gamification.tests.webhooks.receivers import receiver

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def allowed(settings):
    """Allow addresses of this machine."""
    settings.GAMIFICATION = {**settings.GAMIFICATION, "WEBHOOKS_ALLOW_PRIVATE": True, "WEBHOOKS_TIMEOUT": 2}


@pytest.fixture
def ada(db):
    return UserFactory(username="ada-secret-name", email="ada@canary.example")


@pytest.fixture
def server():
    with receiver() as here:
        yield here


@pytest.fixture
def endpoint(db, allowed, server):
    """Return an endpoint that asks for everything."""
    return webhooks.add(server.url, EVENT_TYPES)

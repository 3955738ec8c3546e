"""The command that delivers webhooks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gamification.domain.webhooks import WAITS
from gamification.models import WebhookDelivery
from gamification.services import webhooks, xp
from gamification.tests.management.conftest import NOW
from gamification.tests.webhooks.receivers import receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    with receiver() as here:
        yield here


@pytest.fixture
def event(ada, server, settings):
    """Have one event in the outbox."""
    settings.GAMIFICATION = {**settings.GAMIFICATION, "WEBHOOKS_ALLOW_PRIVATE": True}
    webhooks.add(server.url, ["xp.awarded"])
    xp.award(ada, 10, reason="helped", key="k", now=NOW)


def test_it_sends_what_is_due(event, manage, server):
    outcome = manage("deliver_webhooks")

    assert (outcome.code, outcome.out) == (0, "1 delivered, 0 to be tried again, 0 given up; 0 waiting.\n")
    assert len(server.received) == 1


def test_with_nothing_to_do_it_does_nothing(db, manage):
    assert manage("deliver_webhooks").out == "0 delivered, 0 to be tried again, 0 given up; 0 waiting.\n"


def test_what_is_given_up_is_told(event, manage, server):
    server.answer = lambda received, handler: 400
    WebhookDelivery.objects.update(attempts=len(WAITS))

    outcome = manage("deliver_webhooks")

    assert (outcome.code, outcome.err) == (1, "1 given up; the admin can send them again.")


def test_it_can_go_on_for_a_while_and_takes_what_becomes_due(event, manage, server, monkeypatch):
    monkeypatch.setattr("gamification.domain.webhooks.WAITS", (0.1, 0.1))
    monkeypatch.setattr("gamification.management.commands.deliver_webhooks.PAUSE", 0.2)
    server.answer = lambda received, handler: 200 if len(server.received) > 1 else 500

    outcome = manage("deliver_webhooks", "--seconds", "0.7")

    assert (outcome.code, outcome.out) == (0, "1 delivered, 1 to be tried again, 0 given up; 0 waiting.\n")


def test_it_forgets_what_is_old(event, manage):
    manage("deliver_webhooks")
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))

    assert manage("deliver_webhooks", "--forget-after", "30").out.endswith("1 forgotten.\n")
    assert not WebhookDelivery.objects.exists()


def test_without_the_package_for_requests_it_says_what_to_install(db, manage, monkeypatch):
    monkeypatch.setattr("gamification.management.commands.deliver_webhooks.HAS_URLLIB3", False)

    assert "pip install" in manage("deliver_webhooks").err

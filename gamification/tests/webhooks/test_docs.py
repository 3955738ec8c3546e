"""The page about webhooks is held against the code: examples, the ten lines that verify, the numbers."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from gamification.domain.webhooks import EVENT_TYPES, FAILING_FOR, TEST, WAITS
from gamification.models import WebhookDelivery
from gamification.services import achievements, activities, streaks, webhooks, xp
from gamification.tests.servers import ROOT
from gamification.tests.webhooks.conftest import NOON

pytestmark = pytest.mark.django_db

PAGE = (ROOT / "docs" / "webhooks.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def verify():
    """Return the function of the page."""
    names = {}
    exec(blocks("python")[0], names)
    return names["verify"]


def test_every_type_is_named_with_an_example_for_each_form():
    told = {json.loads(text)["type"] for text in blocks("json")}

    assert [name for name in (*EVENT_TYPES, TEST) if f"`{name}`" not in PAGE] == []
    assert {*EVENT_TYPES, TEST} - told == {"streak.increased", "streak.broken", "streak.frozen"}


def test_each_example_has_the_members_that_are_sent(ada, endpoint):
    achievements.initialize()
    data = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}
    recorded = activities.record(ada, "scenario_completed", key="one", data=data, now=NOON)
    streaks.freeze(ada, now=NOON + timedelta(days=1))
    xp.reverse(xp.award(ada, 10, reason="helped", key="k", now=NOON).transaction, reason="wrong", now=NOON)
    achievements.revoke(ada, "first_steps", now=NOON)
    activities.void(recorded.activity, reason="a fake", now=NOON + timedelta(days=1))
    webhooks.send_test(endpoint)
    sent = {row.event_type: json.loads(row.body) for row in WebhookDelivery.objects.all()}

    for example in map(json.loads, blocks("json")):
        assert list(example) == list(sent[example["type"]])
        assert list(example["data"]) == list(sent[example["type"]]["data"]), example["type"]


def test_the_lines_that_verify_verify(ada, endpoint, server, verify):
    xp.award(ada, 10, reason="helped", key="k", now=NOON)
    webhooks.deliver()
    (received,) = server.received
    late = {**received.headers, "webhook-timestamp": str(int(received.headers["webhook-timestamp"]) - 301)}

    assert verify(endpoint.secret, received.headers, received.body)
    assert not verify(endpoint.secret, received.headers, received.body + b" ")
    assert not verify("whsec_" + "A" * 44, received.headers, received.body)
    assert not verify(endpoint.secret, late, received.body)


def test_the_numbers_are_those_of_the_code():
    assert [5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))] == list(WAITS)
    assert "5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in PAGE
    assert timedelta(hours=72) == FAILING_FOR < timedelta(seconds=sum(WAITS))
    assert "for 72 hours is switched off" in PAGE

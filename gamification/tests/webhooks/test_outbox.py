"""What gets into the outbox: all that is announced, in the same transaction, and only where somebody listens."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from gamification import signals
from gamification.domain.webhooks import EVENT_TYPES
from gamification.engine import outbox
from gamification.exceptions import InvalidInput
from gamification.models import Notice, WebhookDelivery, WebhookEndpoint, XPTransaction
from gamification.services import achievements, activities, leaderboards, notices, streaks, webhooks, xp
from gamification.services.activities import Event
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import SIGNALS, listening
from gamification.tests.webhooks.conftest import NOON

pytestmark = pytest.mark.django_db

SCENARIO = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}


def told(**filters):
    """Return type and data of what is in the outbox, in order."""
    rows = WebhookDelivery.objects.filter(**filters).order_by("pk")
    return [(row.event_type, json.loads(row.body)["data"]) for row in rows]


def types(**filters):
    return [event_type for event_type, _ in told(**filters)]


# What


def test_a_recording_tells_all_that_came_of_it_in_the_order_in_which_it_happened(ada, endpoint):
    achievements.initialize()

    receipt = activities.record(ada, "scenario_completed", key="one", data=SCENARIO, now=NOON)

    assert types()[:2] == ["xp.awarded", "xp.awarded"]
    assert types()[-3:] == ["level.up", "streak.started", "activity.recorded"]
    assert types().count("achievement.unlocked") == len(receipt.achievements_unlocked) == 2
    last = told()[-1][1]
    assert last == {
        "user": ada.pk,
        "id": receipt.activity.pk,
        "kind": "scenario_completed",
        "key": "one",
        "quantity": 1,
        "data": SCENARIO,
        "occurred_at": "2026-06-01T12:00:00Z",
        "local_date": "2026-06-01",
        "timezone": "UTC",
        "xp_awarded": 405,
        "level": receipt.level.current_level,
        "level_up": True,
        "current_streak": 1,
        "achievements_unlocked": list(receipt.achievements_unlocked),
    }


def test_every_signal_that_is_sent_is_an_event_too(ada, endpoint, django_capture_on_commit_callbacks):
    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        achievements.initialize()
        activities.record(ada, "scenario_completed", key="one", data=SCENARIO, now=NOON)
        wrong = activities.record(ada, "words_learned", key="wrong", now=NOON).activity
        activities.void(wrong, reason="a mistake", now=NOON)
        activities.record(ada, "daily_visit", key="two", now=NOON + timedelta(days=1))
        streaks.freeze(ada, now=NOON + timedelta(days=2))
        activities.record(ada, "daily_visit", key="later", now=NOON + timedelta(days=20))
        award = xp.award(ada, 10, reason="helped", key="k", now=NOON).transaction
        xp.reverse(award, reason="wrong", now=NOON)
        achievements.revoke(ada, "first_steps", now=NOON)

    assert set(heard.names) == set(SIGNALS)
    assert set(types()) == set(EVENT_TYPES)
    assert len(heard) == len([name for name in types() if name.partition(".")[0] != "streak"]) + len(
        heard.of("streak_changed")
    )


def test_every_signal_has_somebody_who_tells_it():
    assert set(outbox.TELLERS) == {value for value in vars(signals).values() if isinstance(value, signals.Signal)}


def test_a_freeze_and_what_it_costs_are_told(ada, endpoint):
    activities.record(ada, "daily_visit", key="one", now=NOON)
    WebhookDelivery.objects.all().delete()

    streaks.freeze(ada, now=NOON + timedelta(days=1))

    assert types() == ["freeze.used", "streak.frozen"]
    assert told()[0][1] == {"user": ada.pk, "date": "2026-06-02", "reason": "requested"}


def test_a_reversal_names_what_it_takes_back(ada, endpoint):
    award = xp.award(ada, 10, reason="helped", key="k", now=NOON).transaction
    taken = xp.reverse(award, reason="wrong", now=NOON).transaction

    (before, after) = (data for name, data in told() if name in {"xp.awarded", "xp.reversed"})
    assert (before["id"], before["xp_amount"]) == (award.pk, 10)
    assert (after["id"], after["xp_amount"], after["reverses"]) == (taken.pk, -10, award.pk)


def test_a_payload_has_the_form_of_the_standard_and_no_name_of_anybody(ada, endpoint):
    achievements.initialize()
    activities.record(ada, "scenario_completed", key="one", data=SCENARIO, now=NOON)

    for row in WebhookDelivery.objects.all():
        payload = json.loads(row.body)
        assert list(payload) == ["type", "timestamp", "data"]
        assert payload["type"] == row.event_type
        assert payload["data"]["user"] == ada.pk
        assert "canary" not in row.body
        assert "secret" not in row.body
        assert row.message_id.startswith("msg_")
        assert "." not in row.message_id


def test_a_replayed_key_tells_nothing(ada, endpoint):
    for _ in range(2):
        activities.record(ada, "daily_visit", key="one", now=NOON)

    assert types().count("activity.recorded") == 1


def test_texts_that_no_database_can_store_raw_are_carried_all_the_same(ada, endpoint):
    xp.award(ada, 10, reason="½ %s \u2028 {x}", key="k", now=NOON)

    assert told()[0][1]["reason"] == "½ %s \u2028 {x}"


# To whom


def test_an_endpoint_gets_the_types_that_it_asks_for_and_an_event_has_one_id(ada, endpoint, server):
    other = webhooks.add(server.url, ["level.up", "xp.awarded"])

    xp.award(ada, 500, reason="helped", key="k", now=NOON)

    assert types(endpoint=other) == ["xp.awarded", "level.up"]
    ids = [list(row.deliveries.order_by("pk").values_list("message_id", flat=True)) for row in (endpoint, other)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_an_endpoint_that_is_off_gets_nothing(ada, endpoint):
    WebhookEndpoint.objects.update(is_active=False)

    xp.award(ada, 10, reason="helped", key="k", now=NOON)

    assert types() == []


def test_many_people_at_once_are_told_of_each(endpoint):
    people = [UserFactory() for _ in range(3)]

    activities.record_many([Event(user, "daily_visit", "k", occurred_at=NOON) for user in people], now=NOON)

    recorded = WebhookDelivery.objects.filter(event_type="activity.recorded").values_list("user_id", flat=True)
    assert sorted(recorded) == sorted(user.pk for user in people)


def test_an_endpoint_that_is_deleted_while_somebody_records_fails_nobody(ada, endpoint, monkeypatch):
    write = outbox.write

    def delete_and_write(players):
        WebhookEndpoint.objects.all().delete()
        write(players)

    monkeypatch.setattr(outbox, "write", delete_and_write)

    with transaction.atomic():
        xp.award(ada, 10, reason="helped", key="k", now=NOON)
        connection.check_constraints()

    assert XPTransaction.objects.filter(user=ada).exists()
    assert webhooks.forget(30) == 1


@pytest.mark.parametrize(
    ("url", "chosen", "field"),
    [
        ("ftp://example.org/", ["level.up"], "url"),
        ("https://example.org/", ["level.down"], "event_types"),
        ("https://example.org/", [], "event_types"),
        ("x" * 600, ["level.up"], "url"),
    ],
)
def test_an_endpoint_that_makes_no_sense_is_refused(db, url, chosen, field):
    with pytest.raises(InvalidInput) as refused:
        webhooks.add(url, chosen)

    assert refused.value.field == field
    assert not WebhookEndpoint.objects.exists()


# What it costs


def statements(ada, key):
    with CaptureQueriesContext(connection) as captured:
        activities.record(ada, "scenario_completed", key=key, data=SCENARIO, now=NOON)
    return [sql["sql"] for sql in captured]


def test_a_site_without_webhooks_pays_no_statement_and_one_with_them_pays_one(ada, db):
    for key in ("warm", "up"):
        statements(ada, key)
    without = statements(ada, "without")
    webhooks.add("https://[2606:4700::1111]/", ["activity.recorded", "xp.awarded"])

    having = statements(ada, "with")

    assert not [sql for sql in without if sql.startswith(("INSERT", "UPDATE", "DELETE")) and "webhook" in sql]
    assert len(having) == len(without) + 1
    assert WebhookDelivery.objects.count() == 2


# Rolled back


class Regret(Exception):
    """What a host raises after an award."""


def regret(step):
    with pytest.raises(Regret), transaction.atomic():
        step()
        raise Regret


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_in_no_board_signal_webhook_notice_or_toast(ada, endpoint, client):
    leaderboards.refresh(now=NOON)
    woken = []
    outbox.on_filled.append(lambda: woken.append(1))
    try:
        with listening() as heard:
            achievements.initialize()
            regret(lambda: xp.award(ada, 5_000, reason="helped", key="k", now=NOON))
            regret(lambda: activities.record(ada, "scenario_completed", key="k", data=SCENARIO, now=NOON))
            regret(lambda: achievements.unlock(ada, "first_steps", now=NOON))
            regret(lambda: streaks.touch(ada, now=NOON))
    finally:
        outbox.on_filled.pop()

    client.force_login(ada)
    page = client.get("/gamification").content.decode()
    board = leaderboards.top("xp_all_time", now=NOON + timedelta(hours=2), viewer=ada)
    assert (heard, woken) == ([], [])
    assert not WebhookDelivery.objects.exists()
    assert not Notice.objects.exists()
    assert notices.take(ada) == ()
    assert (board.entries, board.total, board.me.rank, board.me.score) == ((), 0, None, 0)
    assert "gx-toast" not in page
    assert not XPTransaction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_fails_while_it_commits_is_told_to_nobody(ada, endpoint):
    """A constraint that is checked at the end is the last that can go wrong."""
    with listening() as heard, pytest.raises(IntegrityError), transaction.atomic():
        xp.award(ada, 50, reason="helped", key="k", now=NOON)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO gamification_notice (user_id, kind, subject, xp) VALUES (987654321, 'level', '2', 0)"
            )

    assert heard == []
    assert not WebhookDelivery.objects.exists()

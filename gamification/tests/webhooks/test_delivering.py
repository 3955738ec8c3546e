"""Delivering: signed, at least once, in order for each person, whatever the other side does."""

from __future__ import annotations

import json
import socket
import struct
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook

from gamification import tasks
from gamification.domain.webhooks import EVENT_TYPES, WAITS
from gamification.engine import delivering, outbox
from gamification.models import WebhookDelivery, WebhookEndpoint
from gamification.services import privacy, webhooks, xp
from gamification.services.webhooks import Delivered
from gamification.tests.factories import UserFactory
from gamification.tests.webhooks.conftest import NOON

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def award(user, key="k"):
    """Give 10 XP, which is one event as long as no level is reached."""
    xp.award(user, 10, reason="helped", key=key, now=NOON)


def rows():
    return list(WebhookDelivery.objects.order_by("pk"))


def keep_failing(now, times):
    """Deliver again and again, each time when the earliest that waits is due."""
    for _ in range(times):
        webhooks.deliver(now=now)
        now = max(
            WebhookDelivery.objects.order_by("due_at").values_list("due_at", flat=True)[0],
            WebhookEndpoint.objects.get().paused_until or now,
        )
    return now


# Signed


def test_an_event_arrives_to_the_letter_signed_and_once(ada, endpoint, server):
    award(ada)

    done = webhooks.deliver()

    (received,) = server.received
    (row,) = rows()
    assert done == Delivered(delivered=1)
    assert (received.path, received.body.decode(), received.id) == ("/hooks?from=us", row.body, row.message_id)
    assert received.headers["content-type"] == "application/json"
    assert received.is_signed_by(endpoint.secret)
    assert (row.status, row.attempts, row.last_status, row.leased_until) == ("delivered", 1, 204, None)
    assert webhooks.deliver() == Delivered()


def test_the_library_of_the_standard_verifies_what_is_sent(ada, endpoint, server):
    award(ada)
    webhooks.deliver()

    (received,) = server.received
    assert Webhook(endpoint.secret).verify(received.body, received.headers) == received.payload
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + "A" * 44).verify(received.body, received.headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(endpoint.secret).verify(received.body.replace(b"10", b"99"), received.headers)


def test_while_a_secret_is_rotated_both_sign_and_then_the_new_one_alone(ada, endpoint, server):
    old = endpoint.secret
    webhooks.rotate_secret(endpoint, overlap_hours=2)
    award(ada)
    webhooks.deliver()
    award(ada, "later")
    webhooks.deliver(now=timezone.now() + timedelta(hours=3))

    during, after = server.received
    assert endpoint.secret != old
    assert during.is_signed_by(old)
    assert during.is_signed_by(endpoint.secret)
    assert not after.is_signed_by(old)
    assert after.is_signed_by(endpoint.secret)


def test_a_secret_is_shown_once_and_a_new_one_once_more(endpoint):
    shown = webhooks.reveal_secret(endpoint)

    with pytest.raises(Exception, match="shown before"):
        webhooks.reveal_secret(endpoint)
    webhooks.rotate_secret(endpoint, overlap_hours=0)
    assert webhooks.reveal_secret(endpoint) != shown
    assert (endpoint.previous_secret, endpoint.previous_until) == ("", None)


# In order


def test_events_of_one_person_arrive_in_order_and_those_of_others_beside_them(ada, endpoint, server):
    ben = UserFactory()
    for number in range(5):
        award(ada, f"{number}")
        award(ben, f"{number}")

    webhooks.deliver()

    for user in (ada, ben):
        ids = [row.message_id for row in rows() if row.user_id == user.pk]
        assert [each.id for each in server.received if each.payload["data"]["user"] == user.pk] == ids


def test_later_events_of_a_person_wait_for_the_one_that_fails_and_nobody_else_does(ada, endpoint, server):
    ben = UserFactory()
    for number in range(3):
        award(ada, f"{number}")
        award(ben, f"{number}")
    bad = rows()[0].message_id
    server.answer = lambda received, handler: 500 if received.id == bad and server.ids.count(bad) < 2 else 200

    first = webhooks.deliver()
    sent_first = list(server.ids)
    second = webhooks.deliver(now=timezone.now() + timedelta(seconds=30))

    of_ben = [row.message_id for row in rows() if row.user_id == ben.pk]
    of_ada = [row.message_id for row in rows() if row.user_id == ada.pk]
    assert (first, second) == (Delivered(3, 1, 0), Delivered(3, 0, 0))
    assert sorted(sent_first) == sorted([bad, *of_ben])
    assert [each for each in server.ids if each in of_ada] == [bad, *of_ada]


def test_what_happens_while_an_earlier_event_waits_waits_too(ada, endpoint, server):
    server.answer = lambda received, handler: 500
    award(ada, "first")
    webhooks.deliver()

    award(ada, "second")
    webhooks.deliver()

    assert len(set(server.ids)) == 1


# Again


def test_it_is_tried_again_after_longer_and_longer_and_then_given_up(ada, endpoint, server):
    ben = UserFactory()
    award(ada)
    (bad,) = rows()
    server.answer = lambda received, handler: 500 if received.id == bad.message_id else 200
    now = begun = timezone.now()
    waits = []

    for number in range(len(WAITS) + 1):
        award(ben, f"{number}")  # somebody's events do arrive, so that the endpoint is well
        webhooks.deliver(now=now)
        bad.refresh_from_db()
        waits.append((bad.due_at - now).total_seconds())
        now = bad.due_at

    assert all(least <= wait <= 1.2 * least for least, wait in zip(WAITS, waits[:-1], strict=True))
    assert (bad.status, bad.attempts, bad.last_status) == ("failed", 10, 500)
    assert now - begun >= timedelta(hours=75)
    assert WebhookEndpoint.objects.get().is_active
    award(ada, "next")
    assert webhooks.deliver(now=now).delivered == 1


def test_an_endpoint_without_a_success_for_days_is_switched_off_and_no_event_is_given_up(ada, endpoint, server):
    server.answer = lambda received, handler: 500
    award(ada)
    award(ada, "second")

    now = keep_failing(timezone.now(), len(WAITS) + 3)
    endpoint.refresh_from_db()
    while_off = webhooks.deliver(now=now + 9 * DAY)
    server.answer = lambda received, handler: 200
    resumed = webhooks.switch_on(endpoint)

    assert (endpoint.is_active, endpoint.off_reason, while_off) == (True, "", Delivered())
    assert resumed == 2
    assert webhooks.deliver() == Delivered(delivered=2)
    assert server.ids[-2:] == [row.message_id for row in rows()]


def test_an_endpoint_that_fails_for_days_says_why_it_is_off(ada, endpoint, server):
    server.answer = lambda received, handler: 500
    award(ada)

    keep_failing(timezone.now(), len(WAITS) + 1)

    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason) == (False, "failing")
    assert rows()[0].status == "pending"


def test_an_endpoint_that_is_gone_is_switched_off_at_once(ada, endpoint, server):
    server.answer = lambda received, handler: 410
    award(ada)
    award(ada, "second")

    webhooks.deliver()

    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason, len(server.received)) == (False, "gone", 1)
    assert [row.status for row in rows()] == ["pending", "pending"]


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 120, 130),
        ("999999999", 3600, 3610),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 5, 7),
        ("soon", 5, 7),
        ("-5", 5, 7),
        ("1" * 5000, 5, 7),
    ],
)
def test_a_server_that_asks_for_time_gets_it_within_bounds(ada, endpoint, server, header, least, most):
    server.answer = lambda received, handler: (429, {"Retry-After": header})
    award(ada)
    now = timezone.now()

    webhooks.deliver(now=now)

    (row,) = rows()
    endpoint.refresh_from_db()
    assert least <= (row.due_at - now).total_seconds() <= most
    assert endpoint.paused_until - now == timedelta(seconds=least if least > 5 else 1)


def test_an_endpoint_in_trouble_rests_as_a_whole_for_longer_and_longer_until_it_answers(endpoint, server):
    people = [UserFactory() for _ in range(4)]
    for user in people:
        award(user)
    server.answer = lambda received, handler: 503
    now = timezone.now()

    rests = []
    for _ in range(3):
        webhooks.deliver(now=now)
        endpoint.refresh_from_db()
        rests.append((endpoint.paused_until - now).total_seconds())
        WebhookDelivery.objects.update(due_at=now)
        now = endpoint.paused_until
    server.answer = lambda received, handler: 200
    webhooks.deliver(now=now + DAY)

    endpoint.refresh_from_db()
    assert rests == [1, 2, 4]
    assert (endpoint.troubles, endpoint.paused_until, endpoint.failing_since) == (0, None, None)
    assert {row.status for row in rows()} == {"delivered"}


# What the other side does


def reset(received, handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def drip(received, handler):
    for _ in range(100):
        handler.wfile.write(b"H")
        handler.wfile.flush()
        time.sleep(0.2)


def never(received, handler):
    time.sleep(20)


def pour(received, handler):
    """Answer with a body that has no end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    for _ in range(2_000):
        handler.wfile.write(b"x" * 100_000)


def nonsense(received, handler):
    handler.wfile.write(b"\x00\xff not http at all\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "status", "failure"),
    [
        (lambda received, handler: 500, 500, ""),
        (lambda received, handler: 404, 404, ""),
        (lambda received, handler: (302, {"Location": "/elsewhere"}), 302, ""),
        (reset, None, "connection"),
        (nonsense, None, "connection"),
        (drip, None, "timeout"),
        (never, None, "timeout"),
    ],
    ids=["500", "404", "302", "reset", "nonsense", "drip", "never"],
)
def test_whatever_is_no_success_is_tried_again(ada, endpoint, server, settings, answer, status, failure):
    settings.GAMIFICATION = {**settings.GAMIFICATION, "WEBHOOKS_TIMEOUT": 1}
    server.answer = answer
    award(ada)
    began = time.monotonic()

    done = webhooks.deliver()

    (row,) = rows()
    assert done == Delivered(delayed=1)
    assert (row.status, row.last_status, row.last_failure) == ("pending", status, failure)
    assert time.monotonic() - began < 3
    assert [each.path for each in server.received] == ["/hooks?from=us"]


def test_a_body_without_end_is_not_read(ada, endpoint, server):
    server.answer = pour
    award(ada)
    began = time.monotonic()

    assert webhooks.deliver() == Delivered(delivered=1)
    assert time.monotonic() - began < 1


def test_a_slow_endpoint_does_not_keep_the_others_waiting(ada, endpoint, server, settings):
    settings.GAMIFICATION = {**settings.GAMIFICATION, "WEBHOOKS_TIMEOUT": 1}
    slow = webhooks.add(server.url.replace("/hooks", "/slow"), EVENT_TYPES)
    server.answer = lambda received, handler: never(received, handler) if received.path.startswith("/slow") else 200
    people = [UserFactory() for _ in range(12)]
    for user in people:
        award(user)
    began = time.monotonic()

    webhooks.deliver()

    statuses = {pk: {row.status for row in rows() if row.endpoint_id == pk} for pk in (endpoint.pk, slow.pk)}
    assert statuses == {endpoint.pk: {"delivered"}, slow.pk: {"pending"}}
    assert time.monotonic() - began < 4


def test_a_port_where_nobody_listens_is_a_failure(ada, endpoint):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        WebhookEndpoint.objects.update(url=f"http://127.0.0.1:{taken.getsockname()[1]}/")
    award(ada)

    webhooks.deliver()

    assert [row.last_failure for row in rows()] == ["connection"]


# Several workers, and those that were killed


def test_what_one_worker_holds_no_other_takes(ada, endpoint, server):
    award(ada)
    now = timezone.now()
    (held,) = delivering._take(now)

    assert delivering._take(now + delivering.lease() - timedelta(seconds=1)) == []
    (again,) = delivering._take(now + delivering.lease())
    assert again.row.pk == held.row.pk


def test_whoever_comes_late_with_an_outcome_changes_nothing(ada, endpoint, server):
    award(ada)
    now = timezone.now()
    (late,) = delivering._take(now)
    (other,) = delivering._take(now + delivering.lease())

    told = delivering._settle(late, delivering.Answer(status=500), now + delivering.lease())

    (row,) = rows()
    assert told == Delivered()
    assert (row.status, row.leased_until) == ("pending", other.row.leased_until)
    assert delivering._settle(other, delivering.Answer(status=200), now).delivered == 1


def test_an_error_of_our_own_is_logged_and_tried_again(ada, endpoint, monkeypatch, caplog):
    monkeypatch.setattr(delivering.posting, "post", lambda *args: 1 / 0)
    award(ada)

    assert webhooks.deliver() == Delivered(delayed=1)
    assert "could not be sent" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_request_is_made(ada, endpoint, server, monkeypatch):
    award(ada)
    seen = []
    take = delivering._take
    monkeypatch.setattr(delivering, "_take", lambda now: (seen.append(connection.in_atomic_block), take(now))[1])
    server.answer = lambda received, handler: (seen.append(connection.in_atomic_block), 200)[1]

    webhooks.deliver()

    assert seen == [False, False, False]


# When


@pytest.mark.django_db(transaction=True)
def test_without_workers_nobody_waits_for_somebody_elses_server(ada, endpoint, server):
    award(ada)

    assert not tasks.has_workers()
    assert server.received == []
    assert webhooks.waiting() == 1


@pytest.mark.django_db(transaction=True)
def test_with_workers_a_task_is_enqueued_after_the_commit_and_for_events_only(ada, endpoint, monkeypatch):
    enqueued = []
    monkeypatch.setattr(tasks, "has_workers", lambda: True)
    monkeypatch.setattr(type(tasks.deliver_webhooks), "enqueue", lambda self: enqueued.append(self.name))

    with transaction.atomic():
        award(ada)
        before = list(enqueued)
    privacy.set_visibility(ada, False)

    assert (before, enqueued) == ([], ["deliver_webhooks"])


def test_the_task_delivers(ada, endpoint, server):
    award(ada)

    assert tasks.deliver_webhooks.call() == 1
    assert len(server.received) == 1


def test_tasks_listen_to_the_outbox():
    assert outbox.on_filled == [tasks.deliver_when_filled]


# Staff


def test_a_test_event_goes_to_one_endpoint_and_waits_for_nobody(ada, endpoint, server):
    webhooks.add(server.url.replace("/hooks", "/other"), EVENT_TYPES)
    server.answer = lambda received, handler: 500 if received.type != "webhook.test" else 200
    award(ada)
    webhooks.send_test(endpoint)

    webhooks.deliver()

    tests = [each for each in server.received if each.type == "webhook.test"]
    assert [(each.path, each.payload["data"]) for each in tests] == [("/hooks?from=us", {"endpoint": endpoint.pk})]


def test_what_is_sent_again_has_the_same_id_and_body(ada, endpoint, server):
    award(ada)
    webhooks.deliver()
    webhooks.replay([row.pk for row in rows()])

    webhooks.deliver()

    first, second = server.received
    assert (first.id, first.body) == (second.id, second.body)
    assert [(row.status, row.attempts) for row in rows()] == [("delivered", 1)]


def test_all_since_a_moment_is_sent_again_or_only_what_was_given_up(ada, endpoint, server):
    for number in range(4):
        award(ada, f"{number}")
    old, *new = rows()
    now = timezone.now()
    WebhookDelivery.objects.update(status="delivered")
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=now - DAY)
    WebhookDelivery.objects.filter(pk=new[0].pk).update(status="failed")

    failed = webhooks.replay_since(endpoint, now - DAY / 2, only_failed=True)
    rest = webhooks.replay_since(endpoint, now - DAY / 2)
    webhooks.deliver()

    assert (failed, rest) == (1, 2)
    assert server.ids == [row.message_id for row in new]


def test_what_is_over_is_forgotten_after_some_days_and_what_waits_is_not(ada, endpoint):
    for number in range(4):
        award(ada, f"{number}")
    delivered, failed, waiting, young = rows()
    WebhookDelivery.objects.exclude(pk=young.pk).update(created_at=timezone.now() - 31 * DAY)
    WebhookDelivery.objects.filter(pk__in=[delivered.pk, young.pk]).update(status="delivered")
    WebhookDelivery.objects.filter(pk=failed.pk).update(status="failed")

    assert webhooks.forget(30) == 2
    assert rows() == [waiting, young]


def test_what_is_sent_again_while_it_would_be_forgotten_stays(ada, endpoint):
    award(ada)
    (row,) = rows()
    WebhookDelivery.objects.update(created_at=timezone.now() - 31 * DAY, status="delivered")

    def replay_before_it_is_deleted(execute, sql, params, many, context):
        if sql.startswith("DELETE"):
            webhooks.replay([row.pk])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(replay_before_it_is_deleted):
        forgotten = webhooks.forget(30)

    assert (forgotten, [each.status for each in rows()]) == (0, ["pending"])


# Privacy


def test_an_export_holds_the_events_and_no_secret(ada, endpoint):
    award(ada)

    (told,) = privacy.export(ada)["webhooks"]

    assert json.loads(told["body"])["data"]["user"] == ada.pk
    assert endpoint.secret not in str(told)


def test_erasing_deletes_what_was_delivered_and_what_was_not(ada, endpoint, server):
    ben = UserFactory()
    award(ada, "one")
    webhooks.deliver()
    award(ada, "two")
    award(ben)
    (held, *_) = [each for each in delivering._take(timezone.now()) if each.row.user_id == ada.pk]

    erased = privacy.erase(ada)

    assert erased["webhooks"] == 2
    assert {row.user_id for row in rows()} == {ben.pk}
    assert delivering._settle(held, delivering.Answer(status=200), timezone.now()) == Delivered()

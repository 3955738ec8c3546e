"""Delivering: taking what is due out of the outbox, sending it, writing down what came of it.

Any number of workers may do so at once. Each takes events by a lease, in a transaction of a moment; no request is ever
made inside one. Of one person's events for one endpoint only the earliest that waits can be taken, so that they arrive
in order. The outcome counts only for whoever still holds the lease, and a lease of somebody who was killed runs out:
so every event arrives at least once.
"""

from __future__ import annotations

import logging
import random
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gamification.conf import get_settings
from gamification.domain import webhooks
from gamification.engine import posting
from gamification.engine.posting import Answer
from gamification.models import WebhookDelivery, WebhookEndpoint
from gamification.models.webhooks import DeliveryStatus, Failure, OffReason

if TYPE_CHECKING:
    from concurrent.futures import Future

#: How many events are sent to one endpoint at the same moment, each of another person.
AT_ONCE = 8
THREADS = 32
#: Seconds that a lease goes on after the last moment of the request, to write down what came of it.
MARGIN = 30
USER_AGENT = "gamification-webhooks/1"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many sendings ended how; those that are tried again count as ``delayed``."""

    delivered: int = 0
    delayed: int = 0
    failed: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(self.delivered + other.delivered, self.delayed + other.delayed, self.failed + other.failed)

    @property
    def total(self) -> int:
        return self.delivered + self.delayed + self.failed


@dataclass(frozen=True, slots=True)
class _Held:
    """An event that this worker holds, with all that it takes to send it."""

    row: WebhookDelivery
    endpoint: WebhookEndpoint
    taken_at: datetime


def deliver(*, now: datetime | None = None, seconds: float | None = None) -> Delivered:
    """Send what is due, and what becomes due by that, and return how the sendings ended.

    It goes on until nothing is due, or for about ``seconds``. ``now`` is for tests, and stands still.
    """
    until = None if seconds is None else monotonic() + seconds
    done = Delivered()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhooks") as pool:
        while held := _take(now or timezone.now()):
            done += _send_all(pool, held, now)
            if until is not None and monotonic() >= until:
                break
    return done


def lease() -> timedelta:
    """Return for how long an event is held by whoever sends it."""
    return timedelta(seconds=get_settings().WEBHOOKS_TIMEOUT + MARGIN)


# Taking


def _take(now: datetime) -> list[_Held]:
    """Take a few events that are due, for each endpoint that is on and not resting."""
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True).exclude(paused_until__gt=now))
    random.shuffle(endpoints)  # so that none always comes last
    held: list[_Held] = []
    for endpoint in endpoints:
        if len(held) + AT_ONCE <= THREADS:
            held += [_Held(row, endpoint, now) for row in _take_for(endpoint, now)]
    return held


def _take_for(endpoint: WebhookEndpoint, now: datetime) -> list[WebhookDelivery]:
    due = WebhookDelivery.objects.due(now).filter(endpoint_id=endpoint.pk).order_by("due_at", "pk")
    if not due.exists():
        return []
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True)[:AT_ONCE])
        for row in rows:
            row.leased_until, row.attempts, row.last_attempt_at = now + lease(), row.attempts + 1, now
        WebhookDelivery.objects.bulk_update(rows, ["leased_until", "attempts", "last_attempt_at"])
    return rows


# Sending


def _send_all(pool: ThreadPoolExecutor, held: list[_Held], now: datetime | None) -> Delivered:
    """Send events side by side, and write each outcome down as soon as it is known."""
    seconds = get_settings().WEBHOOKS_TIMEOUT
    sent: dict[Future[Answer], _Held] = {pool.submit(_send, each, seconds, now): each for each in held}
    done = Delivered()
    for future in as_completed(sent):
        each, error = sent[future], future.exception()
        if error is not None:
            logger.error("A webhook could not be sent: number %s", each.row.pk, exc_info=error)
        answer = Answer(failure=Failure.CONNECTION) if error is not None else future.result()
        done += _settle(each, answer, now or timezone.now())
    return done


def _send(held: _Held, seconds: float, now: datetime | None) -> Answer:
    """Send one event. No database is asked here: it runs in a thread of its own."""
    at = now or timezone.now()
    timestamp, message_id, body = int(at.timestamp()), held.row.message_id, held.row.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": webhooks.signatures(held.endpoint.secrets_at(at), message_id, timestamp, body),
    }
    return posting.post(held.endpoint.url, body, headers, seconds)


# Writing down


def _settle(held: _Held, answer: Answer, now: datetime) -> Delivered:
    """Write down what came of an event, unless somebody else holds it by now."""
    mine = WebhookDelivery.objects.pending().filter(pk=held.row.pk, leased_until=held.row.leased_until)
    told = {"leased_until": None, "last_status": answer.status, "last_failure": answer.failure}
    if webhooks.is_success(answer.status):
        with transaction.atomic():
            number = mine.update(**told, status=DeliveryStatus.DELIVERED, delivered_at=now)
            _well(held.endpoint)
        return Delivered(delivered=number)
    with transaction.atomic():
        is_off = _badly(held, answer, now)
        asked = webhooks.retry_after(answer.retry_after, now)
        wait = webhooks.wait(held.row.attempts, random.random())  # noqa: S311 -- spreads load
        if wait is None and not is_off:
            return Delivered(failed=mine.update(**told, status=DeliveryStatus.FAILED))
        due_at = now + max(wait or timedelta(0), asked)
        number = mine.update(**told, due_at=due_at)
        if number:
            _let_follow(held, due_at)
    return Delivered(delayed=number)


def _let_follow(held: _Held, due_at: datetime) -> None:
    """Put the person's later events off with this one: they could not be taken before, and need not be looked at."""
    row = held.row
    if row.user_id is not None:
        later = {"endpoint_id": row.endpoint_id, "user_id": row.user_id, "pk__gt": row.pk, "due_at__lt": due_at}
        WebhookDelivery.objects.pending().filter(**later).update(due_at=due_at)


def _well(endpoint: WebhookEndpoint) -> None:
    """Forget the troubles of an endpoint that took an event; nothing is written where there were none."""
    had_troubles = Q(failing_since__isnull=False) | Q(troubles__gt=0)
    WebhookEndpoint.objects.filter(had_troubles, pk=endpoint.pk).update(
        failing_since=None, troubles=0, paused_until=None
    )


def _badly(held: _Held, answer: Answer, now: datetime) -> bool:
    """Let an endpoint rest that is in trouble, switch it off where that is over, and tell whether it is off.

    Of several failures at the same moment one counts: each rest is doubled by what fails after it, and not within it.
    """
    mine = WebhookEndpoint.objects.filter(pk=held.endpoint.pk)
    mine.filter(failing_since__isnull=True).update(failing_since=now)
    if webhooks.is_trouble(answer.status):
        free = Q(paused_until__isnull=True) | Q(paused_until__lte=held.taken_at)
        found = mine.filter(free).values_list("troubles", flat=True).first()
        if found is not None:
            rest = max(webhooks.pause(found + 1), webhooks.retry_after(answer.retry_after, now))
            mine.filter(free).update(troubles=found + 1, paused_until=now + rest)
    reason = OffReason.GONE if answer.status == webhooks.GONE else OffReason.FAILING
    is_over = Q() if reason == OffReason.GONE else Q(failing_since__lte=now - webhooks.FAILING_FOR)
    if mine.filter(is_over, is_active=True).update(is_active=False, off_reason=reason):
        logger.warning("The webhook endpoint number %s was switched off: %s", held.endpoint.pk, reason.value)
    return not mine.filter(is_active=True).exists()

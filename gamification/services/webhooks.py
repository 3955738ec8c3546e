"""Webhooks: who is told of what happens, delivering it, sending it again."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gamification.domain import webhooks
from gamification.engine import addresses, delivering, inputs, outbox
from gamification.engine.delivering import Delivered
from gamification.exceptions import InvalidInput, SecretAlreadyShown
from gamification.models import WebhookDelivery, WebhookEndpoint
from gamification.models.webhooks import DeliveryStatus, WebhookDeliveryQuerySet

__all__ = [
    "Delivered",
    "add",
    "check_url",
    "deliver",
    "forget",
    "replay",
    "replay_since",
    "reveal_secret",
    "rotate_secret",
    "send_test",
    "switch_on",
    "waiting",
]

OVERLAP_HOURS_MAX = 7 * 24
FORGOTTEN_AT_ONCE = 5_000
ENDPOINT_RESET = {"off_reason": "", "failing_since": None, "paused_until": None, "troubles": 0}


def add(url: str, event_types: Collection[str], *, description: str = "") -> WebhookEndpoint:
    """Add an endpoint that gets every event of the types named from now on; :func:`reveal_secret` has its secret.

    Raises:
        InvalidInput: ``url`` may not be sent to, or a type is not known.
    """
    check_url(url)
    unknown = sorted(set(event_types) - set(webhooks.EVENT_TYPES))
    if unknown or not event_types:
        known = ", ".join(webhooks.EVENT_TYPES)
        raise InvalidInput(f"event_types must name some of: {known}.", field="event_types")
    chosen = [name for name in webhooks.EVENT_TYPES if name in event_types]
    row = WebhookEndpoint(url=url, event_types=chosen, description=description)
    begin(row)
    row.save()
    return row


def begin(row: WebhookEndpoint) -> None:
    """Give a new endpoint, which is still to be saved, its secret."""
    row.secret, row.created_at = _new_secret(), timezone.now()


def check_url(url: str) -> None:
    """Refuse a URL that nothing would be sent to; a name without an address, by now, is not refused.

    Raises:
        InvalidInput: it is not https, or not public, and the project does not allow that; or it is no URL.
    """
    try:
        target = addresses.target(inputs.clean_text(url, "url"))
        addresses.addresses(target.host, target.port)
    except addresses.ForbiddenURL as error:
        raise InvalidInput(str(error), field="url") from error
    except addresses.UnknownHost:
        return


def switch_on(endpoint: WebhookEndpoint) -> int:
    """Let an endpoint get events again, first those that wait for it, and return how many that are."""
    now = timezone.now()
    with transaction.atomic():
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=True, **ENDPOINT_RESET)
        number = endpoint.deliveries.pending().update(due_at=now, attempts=0)
        transaction.on_commit(outbox.filled, robust=True)
    endpoint.refresh_from_db()
    return number


# Secrets


def reveal_secret(endpoint: WebhookEndpoint) -> str:
    """Return the secret, once: whoever needs it again makes a new one.

    Raises:
        SecretAlreadyShown: it was shown before.
    """
    unseen = WebhookEndpoint.objects.filter(pk=endpoint.pk, secret_shown_at__isnull=True)
    if not unseen.update(secret_shown_at=timezone.now()):
        raise SecretAlreadyShown
    endpoint.refresh_from_db()
    return endpoint.secret


def rotate_secret(endpoint: WebhookEndpoint, *, overlap_hours: int = 24) -> None:
    """Make a new secret. The one before signs beside it for ``overlap_hours``, from 0 to 168, and then no more.

    Raises:
        InvalidInput: ``overlap_hours`` is not a whole number in that range.
    """
    hours = inputs.clean_whole(overlap_hours, "overlap_hours", low=0, high=OVERLAP_HOURS_MAX)
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        WebhookEndpoint.objects.filter(pk=row.pk).update(
            secret=_new_secret(),
            secret_shown_at=None,
            previous_secret=row.secret if hours else "",
            previous_until=timezone.now() + timedelta(hours=hours) if hours else None,
        )
    endpoint.refresh_from_db()


def _new_secret() -> str:
    return webhooks.secret_of(secrets.token_bytes(webhooks.SECRET_BYTES))


# Delivering


def deliver(*, seconds: float | None = None, now: datetime | None = None) -> Delivered:
    """Send what is due and return how that went; any number may do so at once, none inside a transaction.

    It goes on until nothing is due, or for about ``seconds``.
    """
    return delivering.deliver(seconds=seconds, now=now)


def waiting() -> int:
    """Return how many deliveries wait, those for endpoints that are off included."""
    return WebhookDelivery.objects.pending().count()


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Put an event into the outbox that says nothing, to see that ``endpoint`` listens; it waits for nobody's."""
    with transaction.atomic():
        return outbox.put(endpoint.pk, webhooks.TEST, {"endpoint": endpoint.pk}, timezone.now())


def replay(ids: Collection[int]) -> int:
    """Let the deliveries with ``ids`` that are over, however they ended, be sent again, and return how many.

    They keep their ``webhook-id``, by which receivers know what they had.
    """
    return _again(WebhookDelivery.objects.filter(pk__in=ids))


def replay_since(endpoint: WebhookEndpoint, since: datetime, *, only_failed: bool = False) -> int:
    """Let all that happened from ``since`` on be sent again to ``endpoint``, or only what was given up of it."""
    rows = endpoint.deliveries.filter(created_at__gte=since)
    return _again(rows.filter(status=DeliveryStatus.FAILED) if only_failed else rows)


def _again(rows: WebhookDeliveryQuerySet) -> int:
    with transaction.atomic():
        number = rows.done().update(
            status=DeliveryStatus.PENDING, attempts=0, due_at=timezone.now(), leased_until=None, delivered_at=None
        )
        if number:
            transaction.on_commit(outbox.filled, robust=True)
    return number


def forget(days: int, *, now: datetime | None = None) -> int:
    """Delete deliveries that are over and older than ``days``, a few thousand to a transaction, and return how many.

    What waits stays, unless its endpoint is gone; so does what is sent again meanwhile.
    """
    before = (now or timezone.now()) - timedelta(days=inputs.clean_whole(days, "days", low=0, high=36_500))
    is_over = Q(created_at__lt=before) & ~Q(status=DeliveryStatus.PENDING)
    is_orphan = ~Q(endpoint_id__in=WebhookEndpoint.objects.values("pk"))
    rows = WebhookDelivery.objects.filter(is_over | is_orphan).order_by("pk").values_list("pk", flat=True)
    number = 0
    while part := list(rows[:FORGOTTEN_AT_ONCE]):
        number += WebhookDelivery.objects.filter(is_over | is_orphan, pk__in=part).delete()[0]
    return number

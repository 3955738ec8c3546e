"""Webhooks: who is told of what happens, and the outbox of what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime


class OffReason(models.TextChoices):
    """Why an endpoint was switched off without staff doing it."""

    GONE = "gone", _("it answered 410 Gone: it wants no more events")
    FAILING = "failing", _("nothing was delivered to it for 72 hours")


class Failure(models.TextChoices):
    """Why there was no answer."""

    TIMEOUT = "timeout", _("no answer in time")
    CONNECTION = "connection", _("the connection failed or was closed")
    TLS = "tls", _("the certificate, or the encryption, is not in order")
    NO_ADDRESS = "no_address", _("the name of the host has no address")
    FORBIDDEN = "forbidden", _("the address is not allowed: private, or not https")


class WebhookEndpoint(models.Model):
    """A URL that events are sent to.

    While a secret is being rotated, ``previous_secret`` signs beside ``secret`` until ``previous_until``. A secret is
    shown once, which ``secret_shown_at`` remembers. ``failing_since`` is when the first delivery failed after the last
    success; ``paused_until`` holds everything back after the endpoint was in trouble ``troubles`` times in a row.
    """

    url = models.CharField(_("URL"), max_length=500)
    description = models.CharField(_("description"), max_length=255, blank=True, default="")
    event_types = models.JSONField(_("events"), default=list)
    is_active = models.BooleanField(_("active"), default=True)
    secret = models.CharField(max_length=100, editable=False)
    previous_secret = models.CharField(max_length=100, blank=True, default="", editable=False)
    previous_until = models.DateTimeField(_("the previous secret signs until"), null=True, blank=True, editable=False)
    secret_shown_at = models.DateTimeField(_("secret shown at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("added at"), editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True, editable=False)
    troubles = models.PositiveIntegerField(default=0, editable=False)
    off_reason = models.CharField(
        _("switched off because"), max_length=20, choices=OffReason, blank=True, default="", editable=False
    )

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.url

    def secrets_at(self, now: datetime) -> list[str]:
        """Return the secrets that sign at ``now``, the newest first."""
        is_rotating = self.previous_until is not None and now < self.previous_until
        return [self.secret, *([self.previous_secret] if is_rotating else [])]


class DeliveryStatus(models.TextChoices):
    """What became of an event on its way to an endpoint."""

    PENDING = "pending", _("waiting")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("given up")


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def pending(self) -> WebhookDeliveryQuerySet:
        return self.filter(status=DeliveryStatus.PENDING)

    def done(self) -> WebhookDeliveryQuerySet:
        return self.exclude(status=DeliveryStatus.PENDING)

    def due(self, now: datetime) -> WebhookDeliveryQuerySet:
        """Keep what may be sent at ``now``: nobody is sending it, and nothing earlier of the same person waits."""
        earlier = WebhookDelivery.objects.pending().filter(
            endpoint_id=OuterRef("endpoint_id"), user_id=OuterRef("user_id"), pk__lt=OuterRef("pk")
        )
        is_free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
        return self.pending().filter(is_free, ~Exists(earlier), due_at__lte=now)


class WebhookDelivery(models.Model):
    """The outbox: one event on its way to one endpoint, written in the transaction in which it happened.

    ``body`` is sent to the letter. Ids grow in the order in which a person's events happened. Who sends it holds it
    until ``leased_until``. ``attempts`` counts the sendings; ``leased_until`` also says whose outcome counts.
    """

    # No constraint: whoever records while staff delete the endpoint must not fail over it.
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        verbose_name=_("endpoint"),
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="+", null=True
    )
    message_id = models.CharField(_("webhook-id"), max_length=40)
    event_type = models.CharField(_("event"), max_length=40)
    body = models.TextField(_("payload"))
    created_at = models.DateTimeField(_("happened at"))
    status = models.CharField(_("status"), max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"))
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_attempt_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    last_status = models.PositiveIntegerField(_("last answer"), null=True, blank=True)
    last_failure = models.CharField(_("last failure"), max_length=20, choices=Failure, blank=True, default="")
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        default_permissions = ("view",)
        permissions = [("replay_webhook", "Can send webhooks again")]
        indexes = [
            models.Index(fields=["endpoint", "id"], name="gamification_webhook_endpoint"),
            models.Index(
                fields=["endpoint", "due_at", "id"],
                condition=Q(status=DeliveryStatus.PENDING),
                name="gamification_webhook_due",
            ),
            models.Index(
                fields=["endpoint", "user", "id"],
                condition=Q(status=DeliveryStatus.PENDING),
                name="gamification_webhook_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.message_id}"

"""The backlog: events that were checked and wait to be recorded."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class QueuedActivityQuerySet(models.QuerySet["QueuedActivity"]):
    def waiting(self) -> QueuedActivityQuerySet:
        return self.filter(refused_at__isnull=True)

    def refused(self) -> QueuedActivityQuerySet:
        return self.filter(refused_at__isnull=False)

    def in_order(self) -> QueuedActivityQuerySet:
        """Order user by user, and each user's events by time."""
        return self.order_by("user_id", "at", "id")


class QueuedActivity(models.Model):
    """An event between being taken in and being recorded; gone once it is in the log.

    ``occurred_at`` is what was sent, ``at`` when it counts as done; ``data`` is JSON as text, so that what comes out
    is to the letter what went in. An event that was refused when it was to be recorded stays, with ``code`` and
    ``reason``, until staff try it again or drop it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=100)
    key = models.CharField(_("key"), max_length=255)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    data = models.TextField(_("data"), blank=True, default="{}")
    occurred_at = models.DateTimeField(_("occurred at"), null=True, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, blank=True, default="")
    at = models.DateTimeField(_("counts at"))
    has_backdate_limit = models.BooleanField(_("may be too late for the streak"), default=True)
    enqueued_at = models.DateTimeField(_("taken in at"))
    refused_at = models.DateTimeField(_("refused at"), null=True, blank=True)
    code = models.CharField(_("code of the refusal"), max_length=50, blank=True, default="")
    reason = models.TextField(_("reason of the refusal"), blank=True, default="")

    objects = QueuedActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity in the backlog")
        verbose_name_plural = _("activities in the backlog")
        indexes = [
            models.Index(fields=["user", "at", "id"], name="gamification_backlog_next"),
            models.Index(
                fields=["refused_at"],
                condition=models.Q(refused_at__isnull=False),
                name="gamification_backlog_refused",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.code or _('waiting')})"

"""The log of what users did, and the counters that it adds up to."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from gamification.models.append_only import AppendOnlyModel, AppendOnlyQuerySet


class ActivityQuerySet(AppendOnlyQuerySet["Activity"]):
    """The log; append-only."""

    def unvoided(self) -> ActivityQuerySet:
        """Leave out what was voided: it counts for nothing."""
        return self.filter(void__isnull=True)

    def newest_first(self) -> ActivityQuerySet:
        return self.order_by("-occurred_at", "-id")


class Activity(AppendOnlyModel):
    """One thing that a user did, exactly once per key.

    ``local_date`` is the date of ``occurred_at`` in ``timezone``, decided when it was recorded and never again.
    ``counters`` holds how far it raised each counter, ``outcome`` what the first caller was told, for replays.
    ``allowance`` is what it took of its day's: ``[events, XP]``, ``[0, 0]`` where it did not count, None where its kind
    had no limits.
    """

    # Its indexes begin with the user; another one would only cost writes.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=100)
    key = models.CharField(_("key"), max_length=255)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    data = models.JSONField(_("data"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    occurred_at = models.DateTimeField(_("occurred at"))
    timezone = models.CharField(_("time zone"), max_length=64)
    local_date = models.DateField(_("local date"))
    is_in_streak = models.BooleanField(_("part of the streak"), default=True)
    counters = models.JSONField(_("counters raised"), default=dict, blank=True)
    content_hash = models.CharField(max_length=64, editable=False)
    outcome = models.JSONField(_("outcome"), default=dict, editable=False)
    recorded_at = models.DateTimeField(_("recorded at"))
    allowance = models.JSONField(null=True, blank=True, editable=False)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="gamification_activity_once_per_key"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="gamification_activity_quantity_positive"),
        ]
        indexes = [
            models.Index(fields=["user", "local_date"], name="gamification_activity_by_day"),
            models.Index(fields=["user", "-occurred_at", "-id"], name="gamification_activity_newest"),
        ]
        permissions = [
            ("record_activity", "Can record activities for others"),
            ("void_activity", "Can void activities"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.local_date}"


class VoidedActivityQuerySet(AppendOnlyQuerySet["VoidedActivity"]):
    """What was voided; append-only."""

    def newest_first(self) -> VoidedActivityQuerySet:
        return self.order_by("-voided_at", "-id")

    def forget_actor(self) -> int:
        """Take out who decided, because that person is being erased; the one change that a row may see."""
        return self.forget("actor")


class VoidedActivity(AppendOnlyModel):
    """Says of an activity that it counts for nothing any more, and why; the activity itself stays in the log.

    ``achievements`` are the ids of those that were revoked with it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    # No constraint in the database: where the log is partitioned by user, an id alone cannot be referred to. Both rows
    # go with their user, so that nothing has to be looked for when a log is erased.
    activity = models.OneToOneField(
        Activity, on_delete=models.DO_NOTHING, related_name="void", db_constraint=False, verbose_name=_("activity")
    )
    reason = models.CharField(_("reason"), max_length=255)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    voided_at = models.DateTimeField(_("voided at"))
    achievements = models.JSONField(_("achievements revoked"), default=list, blank=True)

    objects = VoidedActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("voided activity")
        verbose_name_plural = _("voided activities")
        indexes = [models.Index(fields=["user", "-voided_at"], name="gamification_voided_newest")]

    def __str__(self) -> str:
        return f"{self.activity_id}: {self.reason}"


class UserCounter(models.Model):
    """How often a user did something; ``name`` may be a fact of its own, such as ``languages_practised:es``."""

    # Its indexes begin with the user; another one would only cost writes.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=150)
    value = models.BigIntegerField(_("value"), default=0)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="gamification_counter_once_per_name"),
            models.CheckConstraint(condition=models.Q(value__gte=0), name="gamification_counter_not_negative"),
        ]
        indexes = [models.Index(fields=["name", "-value", "user"], name="gamification_counter_board")]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"

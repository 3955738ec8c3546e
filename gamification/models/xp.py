"""The ledger of XP, and what it adds up to."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from gamification.models.append_only import AppendOnlyModel, AppendOnlyQuerySet


class Source(models.TextChoices):
    """Where a row of the ledger comes from; keys are unique within a source, so that a client's never meets ours."""

    CLIENT = "client", _("awarded")
    ACTIVITY = "activity", _("activity")
    STREAK = "streak", _("streak bonus")
    ACHIEVEMENT = "achievement", _("achievement")
    REVERSAL = "reversal", _("reversal")


class XPTransactionQuerySet(AppendOnlyQuerySet["XPTransaction"]):
    """The ledger; append-only."""

    def newest_first(self) -> XPTransactionQuerySet:
        return self.order_by("-created_at", "-id")

    def forget_actor(self) -> int:
        """Take out who decided, because that person is being erased; the one change that a row may see."""
        return self.forget("actor")


class XPTransaction(AppendOnlyModel):
    """A change of somebody's XP, never altered afterwards.

    ``earned_on`` is the local date that the XP belongs to, or None when it counts in no window.
    ``key`` names the event within its source (of reversals ``client:KEY`` or ``row:ID``); ``outcome`` is what the
    first caller was told, for replays.
    """

    # Its indexes begin with the user; another one would only cost writes.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    xp_amount = models.BigIntegerField(_("XP"))
    reason = models.CharField(_("reason"), max_length=255)
    reference_id = models.CharField(_("reference"), max_length=255, blank=True, default="")
    created_at = models.DateTimeField(_("booked at"))
    metadata = models.JSONField(_("metadata"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    source = models.CharField(_("source"), max_length=20, choices=Source)
    key = models.CharField(_("key"), max_length=300)
    earned_on = models.DateField(_("earned on"), null=True, blank=True)
    reverses = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="reversed_by", verbose_name=_("reverses")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    content_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    outcome = models.JSONField(_("outcome"), default=dict, blank=True, editable=False)

    objects = XPTransactionQuerySet.as_manager()

    class Meta:
        verbose_name = _("XP transaction")
        verbose_name_plural = _("XP transactions")
        constraints = [
            models.UniqueConstraint(fields=["user", "source", "key"], name="gamification_xp_once_per_key"),
            models.CheckConstraint(condition=~models.Q(xp_amount=0), name="gamification_xp_not_zero"),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="gamification_xp_newest"),
            models.Index(fields=["key"], name="gamification_xp_key"),
            # For what a date came to; what belongs to none has an index of its own, which costs the others nothing.
            models.Index(fields=["earned_on"], name="gamification_xp_earned_on"),
            models.Index(
                fields=["created_at"], condition=models.Q(earned_on__isnull=True), name="gamification_xp_undated"
            ),
        ]
        permissions = [("award_xp", "Can award XP"), ("reverse_xp", "Can reverse XP")]

    def __str__(self) -> str:
        return f"{self.xp_amount:+,} XP: {self.reason}"

    @property
    def stated_reason(self) -> str:
        """Return why, in the words of whoever granted an achievement, or else the reason itself."""
        stated = self.metadata.get("reason") if self.source == Source.ACHIEVEMENT else None
        return f"{self.reason}: {stated}" if isinstance(stated, str) and stated else self.reason


#: Who is on no board for others: by their own choice, or by a decision of staff.
HIDDEN = models.Q(is_visible=False) | models.Q(is_excluded=True)


class UserXPQuerySet(models.QuerySet["UserXP"]):
    def hidden(self) -> UserXPQuerySet:
        return self.filter(HIDDEN)


class UserXP(models.Model):
    """A user's total and the level that follows from it.

    ``total_xp_earned`` is the sum of the positive, unreversed rows. ``version`` grows with every write for the user.
    ``is_visible`` is the person's own choice and ``is_excluded`` a decision of staff, of which :class:`BoardExclusion`
    tells.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    total_xp = models.BigIntegerField(_("total XP"), default=0)
    total_xp_earned = models.BigIntegerField(_("XP ever earned"), default=0)
    current_level = models.PositiveIntegerField(_("level"), default=1)
    highest_level = models.PositiveIntegerField(_("highest level"), default=1)
    xp_to_next_level = models.BigIntegerField(_("XP to the next level"), default=100)
    level_progress_percentage = models.DecimalField(
        _("progress in percent"), max_digits=5, decimal_places=2, default=Decimal(0)
    )
    title = models.CharField(_("title"), max_length=100, default="Novice")
    is_visible = models.BooleanField(_("shown on leaderboards"), default=True)
    is_excluded = models.BooleanField(_("excluded from leaderboards"), default=False, db_default=False)
    version = models.PositiveBigIntegerField(default=0, editable=False)

    objects = UserXPQuerySet.as_manager()

    class Meta:
        verbose_name = _("XP and level")
        verbose_name_plural = _("XP and levels")
        constraints = [
            models.CheckConstraint(condition=models.Q(total_xp__gte=0), name="gamification_total_xp_not_negative")
        ]
        indexes = [
            models.Index(fields=["-total_xp", "user"], name="gamification_total_xp_board"),
            models.Index(fields=["user"], condition=HIDDEN, name="gamification_hidden"),
        ]

    def __str__(self) -> str:
        return f"{self.total_xp:,} XP, level {self.current_level}"

    @property
    def is_shown(self) -> bool:
        """Tell whether others see the user on leaderboards."""
        return self.is_visible and not self.is_excluded

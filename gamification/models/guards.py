"""What staff watch and decide: gains that are improbable, and who is kept off the leaderboards."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gamification.domain import flag_rules


class FlagState(models.TextChoices):
    """What staff made of a flag."""

    OPEN = "open", _("to be looked at")
    CONFIRMED = "confirmed", _("confirmed")
    DISMISSED = "dismissed", _("dismissed")


class Flag(models.Model):
    """A day of somebody that came to more than a rule expects; of each rule, person and local date at most one.

    ``figure`` is what it came to and ``expected`` the most that the rule expects, in the rule's own unit.
    """

    RULES = [
        (flag_rules.XP_A_DAY, _("XP on a day")),
        (flag_rules.XP_OVER_USUAL, _("XP far over the usual")),
        (flag_rules.ACTIVITIES_A_DAY, _("activities on a day")),
        (flag_rules.SELF_REPORTED_AN_HOUR, _("self-reported in an hour")),
        (flag_rules.MINUTES_A_DAY, _("minutes on a day")),
        (flag_rules.ZONES_A_DAY, _("time zones on a day")),
        (flag_rules.ZONES_A_WEEK, _("time zones in a week")),
    ]

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    rule = models.CharField(_("rule"), max_length=50, choices=RULES)
    date = models.DateField(_("date"))
    figure = models.BigIntegerField(_("came to"))
    expected = models.BigIntegerField(_("at most expected"))
    found_at = models.DateTimeField(_("found at"))
    state = models.CharField(_("state"), max_length=10, choices=FlagState, default=FlagState.OPEN)
    note = models.CharField(_("note"), max_length=255, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        constraints = [models.UniqueConstraint(fields=["user", "rule", "date"], name="gamification_flag_once")]
        indexes = [models.Index(fields=["state", "-id"], name="gamification_flag_state")]
        permissions = [("review_flag", "Can decide on flags")]

    def __str__(self) -> str:
        return f"{self.get_rule_display()}, {self.date}"


class BoardExclusionQuerySet(models.QuerySet["BoardExclusion"]):
    def in_force(self) -> BoardExclusionQuerySet:
        return self.filter(lifted_at__isnull=True)


class BoardExclusion(models.Model):
    """A decision of staff to keep somebody off the leaderboards of others, until it is lifted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(_("reason"), max_length=255)
    excluded_at = models.DateTimeField(_("excluded at"))
    excluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lift_reason = models.CharField(_("why it was lifted"), max_length=255, blank=True, default="")

    objects = BoardExclusionQuerySet.as_manager()

    class Meta:
        verbose_name = _("exclusion from leaderboards")
        verbose_name_plural = _("exclusions from leaderboards")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(lifted_at__isnull=True), name="gamification_excluded_once"
            )
        ]
        permissions = [("exclude_from_boards", "Can exclude people from leaderboards")]

    def __str__(self) -> str:
        return self.reason

    @property
    def is_in_force(self) -> bool:
        return self.lifted_at is None

"""Days and streaks: one row per user and local date, and the state that the last of them left."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gamification.domain.days import DayStatus


class UserStreak(models.Model):
    """A user's streak as of the last write; what it reads at some later moment is evaluated, not stored.

    The row is also the user's lock: everything that writes for a user takes it first.
    ``last_day`` is the last day with a status: the last active one, or a later one that was frozen on request.
    ``starting_freezes`` is what the balance began with; every token since then is on a ``UserDay``.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    current_streak = models.PositiveIntegerField(_("current streak"), default=0)
    longest_streak = models.PositiveIntegerField(_("longest streak"), default=0)
    last_activity_date = models.DateField(_("last active date"), null=True, blank=True)
    last_day = models.DateField(_("last day with a status"), null=True, blank=True)
    streak_freezes_available = models.PositiveSmallIntegerField(_("freezes available"), default=3)
    starting_freezes = models.PositiveSmallIntegerField(_("freezes at the start"), default=3)
    total_active_days = models.PositiveIntegerField(_("active days"), default=0)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    timezone_changed_at = models.DateTimeField(_("time zone changed at"), null=True, blank=True)
    last_at = models.DateTimeField(_("last activity at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    class Meta:
        verbose_name = _("streak")
        verbose_name_plural = _("streaks")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(longest_streak__gte=models.F("current_streak")),
                name="gamification_streak_longest_is_longest",
            )
        ]
        indexes = [
            models.Index(fields=["-current_streak", "user", "expires_at"], name="gamification_streak_current"),
            models.Index(fields=["-longest_streak", "user"], name="gamification_streak_longest"),
            models.Index(fields=["expires_at"], name="gamification_streak_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.current_streak} days"


class UserDay(models.Model):
    """What one local date came to for one user.

    ``status`` is blank where XP was booked, or a late report came in, but the day is no part of a streak.
    The freezes are tokens; ``freezes_used`` stays when the token was given back, so that the history can be told.
    """

    STATUSES = [
        (DayStatus.ACTIVE.value, _("active")),
        (DayStatus.FROZEN.value, _("frozen")),
        (DayStatus.SKIPPED.value, _("skipped")),
    ]

    # Its indexes begin with the user; another one would only cost writes.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    date = models.DateField(_("date"))
    status = models.CharField(_("status"), max_length=10, blank=True, default="", choices=STATUSES)
    reason = models.CharField(_("reason"), max_length=30, blank=True, default="")
    activities = models.PositiveIntegerField(_("activities"), default=0)
    xp = models.BigIntegerField(_("XP"), default=0)
    freezes_earned = models.PositiveSmallIntegerField(_("freezes earned"), default=0)
    freezes_used = models.PositiveSmallIntegerField(_("freezes used"), default=0)
    freezes_returned = models.PositiveSmallIntegerField(_("freezes given back"), default=0)
    is_early = models.BooleanField(_("active early"), default=False)
    is_night = models.BooleanField(_("active in the night"), default=False)
    frozen_at = models.DateTimeField(_("frozen on request at"), null=True, blank=True)

    class Meta:
        verbose_name = _("day")
        verbose_name_plural = _("days")
        constraints = [
            models.UniqueConstraint(fields=["user", "date"], name="gamification_day_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["", "active", "frozen", "skipped"]),
                name="gamification_day_status_known",
            ),
        ]
        indexes = [models.Index(fields=["date", "user", "xp"], name="gamification_day_window")]

    def __str__(self) -> str:
        return f"{self.date}: {self.status or '-'}"


class ExcusedDate(models.Model):
    """A date that nobody can miss, because staff excused it after an outage."""

    date = models.DateField(_("date"), unique=True)
    reason = models.CharField(_("reason"), max_length=255)
    excused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("excused at"), auto_now_add=True)

    class Meta:
        verbose_name = _("excused date")
        verbose_name_plural = _("excused dates")
        permissions = [("excuse_date", "Can excuse a date for everybody")]

    def __str__(self) -> str:
        return f"{self.date}: {self.reason}"

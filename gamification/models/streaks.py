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
    ``longest_kept`` is what the longest streak had come to when an excused date was taken back: the days do not tell
    it any more, and it never falls.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    current_streak = models.PositiveIntegerField(_("current streak"), default=0)
    longest_streak = models.PositiveIntegerField(_("longest streak"), default=0)
    longest_kept = models.PositiveIntegerField(_("longest streak, kept"), default=0, db_default=0)
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
    ``allowances`` maps each kind with limits to the ``[events, XP]`` that counted on the date.
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
    allowances = models.JSONField(null=True, blank=True, editable=False)

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


class ExcusedDateQuerySet(models.QuerySet["ExcusedDate"]):
    def in_force(self) -> ExcusedDateQuerySet:
        return self.filter(undone_at__isnull=True)


class ExcusedDate(models.Model):
    """A date that nobody can miss, because staff excused it after an outage; unless they took that back.

    Readings follow at once. What is stored of people follows in the background: ``refold_asked_at`` says since when
    that is due and ``refolded_at`` when it was done; in between everybody up to the user ``refold_cursor`` was looked
    at, who were ``people_seen``, and ``people_changed`` of them have other days or tokens than before.
    """

    date = models.DateField(_("date"), unique=True)
    reason = models.CharField(_("reason"), max_length=255)
    excused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("excused at"), auto_now_add=True)
    undone_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    undo_reason = models.CharField(_("why it was taken back"), max_length=255, blank=True, default="")
    refold_asked_at = models.DateTimeField(_("streaks to follow since"), null=True, blank=True)
    refolded_at = models.DateTimeField(_("streaks have followed at"), null=True, blank=True)
    refold_cursor = models.CharField(max_length=255, blank=True, default="", editable=False)
    people_seen = models.PositiveIntegerField(_("people looked at"), default=0)
    people_changed = models.PositiveIntegerField(_("people changed"), default=0)

    objects = ExcusedDateQuerySet.as_manager()

    class Meta:
        verbose_name = _("excused date")
        verbose_name_plural = _("excused dates")
        permissions = [("excuse_date", "Can excuse a date for everybody")]

    def __str__(self) -> str:
        return f"{self.date}: {self.reason}"

    @property
    def is_in_force(self) -> bool:
        return self.undone_at is None

"""Figures for staff, by date: added up from the other tables once in a while, so that nobody has to scan those."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Name(StrEnum):
    """What is counted; beside each, what its labels are. Figures without labels have the label "".

    The last three are kept for the newest date only.
    """

    XP = "xp"  # "source", of activities "activity:KIND"
    BOOKINGS = "bookings"  # rows of the ledger, labelled as XP
    UNLOCKS = "unlocks"  # the achievement's id
    FREEZES = "freezes"
    ACTIVE = "active"
    ACTIVE_IN_WEEK = "active_in_week"  # in the seven days up to the date
    ON_WEEK_STREAK = "on_week_streak"  # of those active on the date
    BOARD_READS = "board_reads"  # "hit" or "miss"
    BOARD_READERS = "board_readers"
    PLAYERS = "players"
    HOLDERS = "holders"  # the achievement's id
    LEVELS = "levels"  # the level


class DailyFigure(models.Model):
    """One number of one date, as of ``computed_at``.

    ``date`` is the local date of what people did, and the UTC date of what they read.
    """

    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=30)
    label = models.CharField(_("label"), max_length=300, blank=True, default="")
    value = models.BigIntegerField(_("value"), default=0)
    computed_at = models.DateTimeField(_("computed at"))

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("monitoring")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["date", "name", "label"], name="gamification_figure_once")]

    def __str__(self) -> str:
        return f"{self.date}: {self.name} {self.label}".rstrip()


class BoardReader(models.Model):
    """Somebody looked at a leaderboard on a UTC date; kept until the date has been counted."""

    # The one index begins with the date, by which rows are counted and removed; a few days' rows are all there is.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    date = models.DateField(_("date"))

    class Meta:
        verbose_name = _("reader of leaderboards")
        verbose_name_plural = _("readers of leaderboards")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["date", "user"], name="gamification_board_reader_once")]

    def __str__(self) -> str:
        return str(self.date)

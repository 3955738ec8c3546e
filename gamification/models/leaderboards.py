"""Snapshots of leaderboards."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LeaderboardCache(models.Model):
    """The latest snapshot of a board, and the one before it for pages that were begun on it.

    ``metric`` is the board's name, with ``@scope`` behind it where it is narrowed to a group. ``data`` holds ids and
    scores, never names. ``stale_at`` is set when a score changed after the snapshot; ``claim`` names the reader that is
    building the next one, until ``claimed_until``. ``revision`` is another one with every snapshot, so that a process
    can tell whether it has read this one already.
    """

    metric = models.CharField(_("metric"), max_length=255, unique=True)
    data = models.JSONField(_("snapshot"), default=dict)
    cached_at = models.DateTimeField(_("built at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revision = models.PositiveBigIntegerField(default=0, editable=False)
    stale_at = models.DateTimeField(_("stale since"), null=True, blank=True)
    claim = models.CharField(max_length=36, blank=True, default="", editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("leaderboard snapshot")
        verbose_name_plural = _("leaderboard snapshots")

    def __str__(self) -> str:
        return self.metric

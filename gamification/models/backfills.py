"""Back-fills: runs that unlock a definition for those who met its condition before it said so."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gamification.models.achievements import Achievement


class RunStatus(models.TextChoices):
    """What a run is doing, or has done."""

    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    ENDED_EARLY = "ended_early", _("ended early: the rule was changed")
    UNDOING = "undoing", _("being undone")
    UNDONE = "undone", _("undone")


#: Those that have something left to do.
OPEN = (RunStatus.RUNNING, RunStatus.UNDOING)


class BackfillRun(models.Model):
    """One back-fill of one definition, by the rule that it had when the run was begun.

    ``position`` is the id of the last user who was looked at, as text, so that the run can go on where it was cut off;
    an undo begins at the front again. ``expected`` is what the preview had said, ``unlocked`` counts what the run
    unlocked for as many people, ``xp`` all that they were paid, with the achievements that followed; ``undone_for``
    counts the people from whom it was taken back.
    """

    achievement = models.ForeignKey(
        Achievement, on_delete=models.CASCADE, to_field="achievement_id", related_name="backfills"
    )
    conditions = models.JSONField(_("conditions"))
    xp_reward = models.PositiveIntegerField(_("XP"))
    status = models.CharField(_("status"), max_length=20, choices=RunStatus, default=RunStatus.RUNNING)
    position = models.CharField(max_length=100, blank=True, default="", editable=False)
    expected = models.PositiveIntegerField(_("expected"))
    unlocked = models.PositiveIntegerField(_("unlocked"), default=0)
    xp = models.BigIntegerField(_("XP paid"), default=0)
    undone_for = models.PositiveIntegerField(_("undone for"), default=0)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    class Meta:
        verbose_name = _("back-fill")
        verbose_name_plural = _("back-fills")
        constraints = [
            models.UniqueConstraint(
                fields=["achievement"], condition=models.Q(status__in=OPEN), name="gamification_backfill_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.achievement_id} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

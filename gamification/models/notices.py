"""Notices: what is worth a toast and was not shown yet."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class NoticeKind(models.TextChoices):
    """What there is to celebrate."""

    ACHIEVEMENT = "achievement", _("achievement unlocked")
    LEVEL = "level", _("level reached")


class Notice(models.Model):
    """Something to celebrate, kept until it was shown once.

    ``subject`` is the id of the achievement, or the number of the level; ``xp`` what it paid, in XP points.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind)
    subject = models.CharField(_("subject"), max_length=100)
    xp = models.PositiveIntegerField(_("XP"), default=0)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

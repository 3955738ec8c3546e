"""Definitions of achievements, and who is how far with each."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from gamification.conf import get_settings
from gamification.domain.catalogue import CATEGORIES, RARITIES
from gamification.domain.conditions import compile_condition
from gamification.exceptions import AchievementInUse, InvalidCondition

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

XP_REWARD_MAX = 100_000
REVISION_BITS = 40
#: The API has pages of these names beside those of the definitions.
ID_PATTERN = r"^(?!(?:user|progress|check|initialize)\Z)[a-z0-9][a-z0-9_-]*\Z"


def new_revision() -> int:
    """Return a number that no other state of a definition has, whatever the clocks say."""
    return secrets.randbits(REVISION_BITS)


def validate_conditions(value: object) -> None:
    """Refuse a condition that cannot be evaluated, with a sentence that names the place."""
    try:
        compile_condition(value, is_known=get_settings().is_known_metric)
    except InvalidCondition as error:
        raise ValidationError(error.message, code=error.code) from error


class AchievementQuerySet(models.QuerySet["Achievement"]):
    def active(self) -> AchievementQuerySet:
        return self.filter(is_active=True)

    def unlocked_by(self, user: AbstractBaseUser) -> AchievementQuerySet:
        """Keep what ``user`` has, and did not lose again."""
        return self.filter(pk__in=UserAchievement.objects.of(user).unlocked().values("achievement__pk"))

    def listed_for(self, user: AbstractBaseUser) -> AchievementQuerySet:
        """Keep what ``user`` may know of: the active definitions, and retired ones that the user has."""
        return self.filter(models.Q(is_active=True) | models.Q(pk__in=self.unlocked_by(user).values("pk")))

    def visible_to(self, user: AbstractBaseUser) -> AchievementQuerySet:
        """Leave out hidden definitions that ``user`` has not unlocked."""
        return self.filter(models.Q(is_hidden=False) | models.Q(pk__in=self.unlocked_by(user).values("pk")))

    def update(self, **kwargs: Any) -> int:
        """Update rows so that every process notices: compiled definitions are known by the sum of the revisions."""
        return super().update(**{"revision": new_revision(), **kwargs})

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete definitions that nobody has, with the progress of those who were on the way.

        Raises:
            AchievementInUse: somebody has one of them.
        """
        rows = UserAchievement.objects.filter(achievement__in=self)
        if rows.filter(models.Q(unlocked_at__isnull=False) | models.Q(revoked_at__isnull=False)).exists():
            raise AchievementInUse
        rows.delete()
        return super().delete()


class Achievement(models.Model):
    """Something to reach: it unlocks when ``conditions`` hold and pays ``xp_reward`` once."""

    achievement_id = models.CharField(
        _("id"),
        max_length=100,
        unique=True,
        validators=[RegexValidator(ID_PATTERN, _("Use lower-case letters, digits, - and _; some words are taken."))],
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True, default="")
    category = models.CharField(_("category"), max_length=50, choices=[(name, name) for name in CATEGORIES])
    xp_reward = models.PositiveIntegerField(_("XP"), default=50, validators=[MaxValueValidator(XP_REWARD_MAX)])
    icon = models.CharField(_("icon"), max_length=50, blank=True, default="🏅")
    rarity = models.CharField(_("rarity"), max_length=20, default="common", choices=[(name, name) for name in RARITIES])
    conditions = models.JSONField(_("conditions"), validators=[validate_conditions])
    is_active = models.BooleanField(_("active"), default=True)
    is_hidden = models.BooleanField(_("hidden until unlocked"), default=False)
    order = models.IntegerField(_("order"), default=0)
    revision = models.BigIntegerField(default=new_revision, editable=False)

    objects = AchievementQuerySet.as_manager()

    class Meta:
        verbose_name = _("achievement")
        verbose_name_plural = _("achievements")
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(xp_reward__gte=0, xp_reward__lte=XP_REWARD_MAX),
                name="gamification_achievement_xp_in_range",
            )
        ]
        permissions = [
            ("initialize_achievements", "Can initialize the shipped achievements"),
            ("grant_achievement", "Can grant and revoke achievements"),
            ("run_backfill", "Can change rules in force and back-fill them"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        written = kwargs.get("update_fields")
        if written is None or "conditions" in written:
            validate_conditions(self.conditions)
        self.revision = new_revision()
        if written is not None:
            kwargs["update_fields"] = {*written, "revision"}
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return Achievement.objects.filter(pk=self.pk).delete()


class UserAchievementQuerySet(models.QuerySet["UserAchievement"]):
    def of(self, user: AbstractBaseUser) -> UserAchievementQuerySet:
        return self.filter(user_id=user.pk)

    def unlocked(self) -> UserAchievementQuerySet:
        return self.filter(unlocked_at__isnull=False, revoked_at__isnull=True)


class UserAchievement(models.Model):
    """How far a user is with an achievement: ``progress`` in whole percent, and when it was unlocked or revoked.

    ``grants`` counts how often it was unlocked, because a revoked one can be granted again.
    """

    # Its indexes begin with the user; another one would only cost writes.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    achievement = models.ForeignKey(
        Achievement,
        on_delete=models.PROTECT,
        verbose_name=_("achievement"),
        to_field="achievement_id",
        related_name="holders",
        db_index=False,
    )
    progress = models.PositiveSmallIntegerField(_("progress in percent"), default=0)
    unlocked_at = models.DateTimeField(_("unlocked at"), null=True, blank=True)
    unlock_metadata = models.JSONField(_("how it was unlocked"), default=dict, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    grants = models.PositiveIntegerField(_("times granted"), default=0)

    objects = UserAchievementQuerySet.as_manager()

    class Meta:
        verbose_name = _("user's achievement")
        verbose_name_plural = _("users' achievements")
        constraints = [
            models.UniqueConstraint(fields=["user", "achievement"], name="gamification_achievement_once"),
            models.CheckConstraint(
                condition=models.Q(progress__gte=0, progress__lte=100), name="gamification_progress_in_percent"
            ),
        ]
        indexes = [
            # With the last column holders are counted from the index alone.
            models.Index(fields=["achievement", "unlocked_at", "revoked_at"], name="gamification_unlocks"),
            models.Index(fields=["user", "-unlocked_at"], name="gamification_unlocks_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.achievement_id}: {self.progress} %"

    @property
    def is_unlocked(self) -> bool:
        return self.unlocked_at is not None and self.revoked_at is None

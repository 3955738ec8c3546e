"""Exclusions: whom staff keep off the leaderboards that others see, until they lift that."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from gamification.engine import announcing, inputs, players, saving
from gamification.engine.clock import moment
from gamification.exceptions import AlreadyExcluded, NotExcluded
from gamification.models import BoardExclusion, UserXP

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def exclude(
    user: AbstractBaseUser, *, reason: str, actor: AbstractBaseUser | None = None, now: datetime | None = None
) -> BoardExclusion:
    """Take ``user`` off every board of others at once; they still see a rank of their own, as who opted out does.

    Neither XP nor anything else is taken, and the person's own choice of visibility stays as it is.

    Raises:
        InvalidInput: there is no ``reason``.
        AlreadyExcluded: they are excluded.
    """
    reason = inputs.clean_text(reason, "reason")
    with transaction.atomic():
        player = players.lock([user])[user.pk]
        if BoardExclusion.objects.in_force().filter(user_id=user.pk).exists():
            raise AlreadyExcluded
        player.xp.is_excluded = True
        row = BoardExclusion.objects.create(
            user_id=user.pk, reason=reason, excluded_at=moment(now), excluded_by_id=actor.pk if actor else None
        )
        saving.save({user.pk: player})
        announcing.after_commit([player])
    return row


def lift(
    user: AbstractBaseUser, *, reason: str, actor: AbstractBaseUser | None = None, now: datetime | None = None
) -> BoardExclusion:
    """Let ``user`` be seen on boards again, if that is their own choice too.

    Raises:
        InvalidInput: there is no ``reason``.
        NotExcluded: they are not excluded.
    """
    reason = inputs.clean_text(reason, "reason")
    with transaction.atomic():
        player = players.lock([user])[user.pk]
        row = BoardExclusion.objects.in_force().filter(user_id=user.pk).first()
        if row is None:
            raise NotExcluded
        row.lifted_at, row.lifted_by_id, row.lift_reason = moment(now), actor.pk if actor else None, reason
        row.save()
        player.xp.is_excluded = False
        saving.save({user.pk: player})
        announcing.after_commit([player])
    return row


def is_excluded(user: AbstractBaseUser) -> bool:
    """Tell whether staff keep ``user`` off the boards of others."""
    return UserXP.objects.filter(user_id=user.pk, is_excluded=True).exists()

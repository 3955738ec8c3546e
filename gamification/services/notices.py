"""Notices: what somebody unlocked or reached and was not shown yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from gamification.models import Notice

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def take(user: AbstractBaseUser) -> tuple[Notice, ...]:
    """Return what there is to celebrate, oldest first, and forget it: of several callers at once one gets it.

    Nothing is written where there is nothing.
    """
    mine = Notice.objects.filter(user_id=user.pk)
    if not mine.exists():
        return ()
    with transaction.atomic():
        rows = tuple(mine.select_for_update().order_by("pk"))
        Notice.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return rows

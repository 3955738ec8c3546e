"""Notices: what somebody unlocked or reached and was not shown yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError, connection, transaction

from gamification.models import Notice
from gamification.outages import impatient, is_outage

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def take(user: AbstractBaseUser) -> tuple[Notice, ...]:
    """Return what there is to celebrate, oldest first, and forget it: of several callers at once one gets it.

    Nothing is written where there is nothing; where nothing can be written, they are left for the next time.
    """
    mine = Notice.objects.filter(user_id=user.pk)
    if not mine.exists():
        return ()
    try:
        with impatient(), transaction.atomic():
            if connection.features.has_select_for_update_skip_locked:
                mine = mine.select_for_update(skip_locked=True)
            rows = tuple(mine.order_by("pk"))
            Notice.objects.filter(pk__in=[row.pk for row in rows]).delete()
    except DatabaseError as error:
        if not is_outage(error):
            raise
        return ()
    return rows

"""Flags: what is improbable among recent gains, and what staff make of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from gamification.engine import flagging, inputs
from gamification.engine.clock import moment
from gamification.engine.flagging import Flagged
from gamification.exceptions import InvalidInput
from gamification.models import Flag
from gamification.models.guards import FlagState

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ["DAYS", "Flagged", "decide", "refresh"]

#: Today and yesterday: the clock of no zone is further behind.
DAYS = 2
DAYS_MAX = 366


def refresh(*, days: int = DAYS, now: datetime | None = None) -> Flagged:
    """Flag what is improbable on the newest ``days`` dates; safe to repeat: what staff decided on stays decided.

    Raises:
        InvalidInput: ``days`` is not from 1 to 366.
    """
    return flagging.refresh(moment(now), inputs.clean_whole(days, "days", low=1, high=DAYS_MAX))


def decide(
    flag: Flag, state: str, *, note: str, actor: AbstractBaseUser | None = None, now: datetime | None = None
) -> Flag:
    """Keep what staff made of ``flag``: confirmed, dismissed, or to be looked at again. Nobody loses anything by it.

    Raises:
        InvalidInput: there is no such ``state``, or no ``note``.
    """
    note = inputs.clean_text(note, "note")
    if state not in FlagState.values:
        raise InvalidInput(f"state must be one of {', '.join(FlagState.values)}.", field="state")
    with transaction.atomic():
        row = Flag.objects.select_for_update().get(pk=flag.pk)
        row.state, row.note = state, note
        row.decided_by_id, row.decided_at = actor.pk if actor else None, moment(now)
        row.save(update_fields=["state", "note", "decided_by", "decided_at"])
    return row

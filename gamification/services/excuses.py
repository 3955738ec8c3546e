"""Excused dates: after an outage nobody's streak is to suffer, and what was excused can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef

from gamification import tasks
from gamification.domain.days import DayStatus
from gamification.engine import excusing, inputs
from gamification.engine.clock import moment
from gamification.exceptions import AlreadyExcused, InvalidInput, NotExcused
from gamification.models import ExcusedDate, UserDay

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

DAYS_BACK, DAYS_AHEAD = 366, 1
PEOPLE_LOOKED_AT = 10_000


@dataclass(frozen=True, slots=True)
class Concerned:
    """Of the ``seen`` people whose streak stood or began since, how many ``missed`` a date.

    ``is_capped`` says that there are more people than were looked at.
    """

    seen: int
    missed: int
    is_capped: bool


def excuse_date(
    on: date, *, reason: str, actor: AbstractBaseUser | None = None, now: datetime | None = None
) -> ExcusedDate:
    """Let nobody miss the date ``on``: streaks that broke over it are joined, tokens used for it given back.

    Readings follow at once, what is stored in the background. Bonus XP that was paid is not recomputed.

    Raises:
        InvalidInput: ``on`` is more than 366 days ago or after tomorrow (UTC), or there is no ``reason``.
        AlreadyExcused: it is excused.
    """
    at = moment(now)
    reason = inputs.clean_text(reason, "reason")
    check(on, now=at)
    with transaction.atomic():
        row, is_new = ExcusedDate.objects.select_for_update().get_or_create(date=on, defaults={"reason": reason})
        if not is_new and row.is_in_force:
            raise AlreadyExcused(field="date")
        row.reason, row.excused_by_id, row.created_at = reason, actor.pk if actor else None, at
        row.undone_at, row.undone_by, row.undo_reason = None, None, ""
        _follow(row, at)
    return row


def unexcuse_date(
    on: date, *, reason: str, actor: AbstractBaseUser | None = None, now: datetime | None = None
) -> ExcusedDate:
    """Let the date ``on`` count again, as the rules say without the excuse.

    What was reached by it stays: the longest streak, achievements, XP.

    Raises:
        InvalidInput: there is no ``reason``.
        NotExcused: it is not excused.
    """
    at = moment(now)
    reason = inputs.clean_text(reason, "reason")
    with transaction.atomic():
        row = ExcusedDate.objects.in_force().select_for_update().filter(date=on).first()
        if row is None:
            raise NotExcused(field="date")
        row.undone_at, row.undone_by_id, row.undo_reason = at, actor.pk if actor else None, reason
        _follow(row, at)
    return row


def resume(row: ExcusedDate) -> None:
    """Go on with what a worker that was cut off has left."""
    tasks.follow_excused_date_after_commit(row.pk)


def preview(on: date) -> Concerned:
    """Return how many people a date concerns, counted among the first 10,000 of them."""
    acted = UserDay.objects.filter(user_id=OuterRef("user_id"), date=on, status=DayStatus.ACTIVE.value)
    rows = excusing.concerned(on).order_by("user_id")[: PEOPLE_LOOKED_AT + 1]
    missed = list(rows.annotate(has_acted=Exists(acted)).values_list("has_acted", flat=True))
    counted = missed[:PEOPLE_LOOKED_AT]
    return Concerned(len(counted), counted.count(False), len(missed) > len(counted))


def check(on: object, *, now: datetime | None = None) -> None:
    """Refuse a date that cannot be excused, as :func:`excuse_date` does."""
    today = moment(now).astimezone(UTC).date()
    first, last = today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
    if not isinstance(on, date) or isinstance(on, datetime) or not first <= on <= last:
        raise InvalidInput(f"date must be from {first} to {last}.", field="date")
    if ExcusedDate.objects.in_force().filter(date=on).exists():
        raise AlreadyExcused(field="date")


def _follow(row: ExcusedDate, at: datetime) -> None:
    row.refold_asked_at, row.refolded_at, row.refold_cursor, row.people_seen, row.people_changed = at, None, "", 0, 0
    row.save()
    tasks.follow_excused_date_after_commit(row.pk)

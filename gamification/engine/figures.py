"""Keeping the figures of each date: which are due, and putting them down. Reading never scans what they are made of."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count

from gamification.conf import get_settings
from gamification.engine import measures
from gamification.engine.clock import moment
from gamification.engine.measures import Measured
from gamification.models import BoardReader, DailyFigure
from gamification.models.figures import Name

#: Ninety dates are shown, and unlocks per person and week look back six more.
DAYS = 96
OF_A_DATE = (
    Name.XP,
    Name.BOOKINGS,
    Name.UNLOCKS,
    Name.FREEZES,
    Name.ACTIVE,
    Name.ACTIVE_IN_WEEK,
    Name.ON_WEEK_STREAK,
)
AS_OF_NOW = (Name.PLAYERS, Name.HOLDERS, Name.LEVELS)
#: A date has ended, and what was begun in it is committed.
SLACK = timedelta(hours=1)
#: How often a date is looked at again while late reports of it come in.
AGAIN_AFTER = timedelta(hours=6)
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The dates that were computed, newest first, and how many are still due."""

    dates: tuple[date, ...]
    remaining: int


def refresh(
    *, days: int = DAYS, now: datetime | None = None, is_again: bool = False, seconds: float | None = None
) -> Refreshed:
    """Compute the figures of the newest ``days`` dates that are due, newest first; see ``services.figures.refresh``."""
    at = moment(now)
    begun = time.monotonic()
    due = due_dates(days, at, is_again=is_again)
    done: list[date] = []
    _count_readers(at)
    for on in due:
        if done and seconds is not None and time.monotonic() - begun >= seconds:
            break
        _put(on, measures.of_date(on), OF_A_DATE, at)
        if on == at.date():
            _put(on, measures.as_of_now(), AS_OF_NOW, at)
            DailyFigure.objects.filter(name__in=AS_OF_NOW, date__lt=on).delete()
        done.append(on)
    return Refreshed(tuple(done), len(due) - len(done))


def due_dates(days: int, now: datetime, *, is_again: bool = False) -> list[date]:
    """Return which of the newest ``days`` dates have to be computed, newest first."""
    today = now.date()
    dates = [today - timedelta(days=ago) for ago in range(days)]
    if is_again:
        return dates
    rows = DailyFigure.objects.filter(name=Name.ACTIVE, date__gt=today - timedelta(days=days))
    computed = dict(rows.values_list("date", "computed_at"))
    return [on for on in dates if _is_due(on, computed.get(on), now)]


def _is_due(on: date, computed_at: datetime | None, now: datetime) -> bool:
    """Tell whether a date is open: it goes on, or may still be reported late and was not looked at for hours."""
    _, end = measures.bounds(on)
    if computed_at is None or computed_at < end + SLACK:
        return True
    # A date ends half a day later in the last zone than in UTC; late reports of it come in for so many days.
    closes = end + timedelta(days=get_settings().BACKDATE_DAYS + 1)
    return computed_at < closes and (now >= closes or now - computed_at >= AGAIN_AFTER)


def _put(on: date, measured: Measured, names: tuple[Name, ...], at: datetime) -> None:
    """Write the figures of a date over those that were there, unless those were computed later than ``at``."""
    rows = [
        DailyFigure(date=on, name=str(name), label=label, value=value, computed_at=at)
        for (name, label), value in sorted(measured.items())
    ]
    with transaction.atomic():
        if _is_older(on, measured, at):
            return
        DailyFigure.objects.bulk_create(
            rows,
            batch_size=ROWS_AT_ONCE,
            update_conflicts=True,
            unique_fields=["date", "name", "label"],
            update_fields=["value", "computed_at"],
        )
        DailyFigure.objects.filter(date=on, name__in=names, computed_at__lt=at).delete()


def _is_older(on: date, measured: Measured, at: datetime) -> bool:
    """Tell whether what was ``measured`` at ``at`` is older than what is there; until the commit nobody else writes.

    One of the figures that are always there stands for all that are written with it. It is put there first, because a
    row that does not exist cannot be locked.
    """
    name = min(name for name, label in measured if not label)
    which = {"date": on, "name": str(name), "label": ""}
    DailyFigure.objects.bulk_create([DailyFigure(**which, computed_at=at)], ignore_conflicts=True)
    return DailyFigure.objects.select_for_update().get(**which).computed_at > at


def _count_readers(at: datetime) -> None:
    """Count who looked at boards on each date, and forget who it was on the dates before yesterday."""
    for on, number in BoardReader.objects.order_by("date").values_list("date").annotate(number=Count("*")):
        _put(on, {(Name.BOARD_READERS, ""): number}, (), at)
    BoardReader.objects.filter(date__lt=at.date() - timedelta(days=1)).delete()

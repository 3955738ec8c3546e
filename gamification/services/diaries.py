"""The account of somebody's streak, date by date: what support needs to answer "why did I lose my streak?"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gamification.domain import calendar, diaries, streaks
from gamification.domain.diaries import DayRow, Entry, Loss
from gamification.engine import days, newcomers
from gamification.engine.clock import moment
from gamification.engine.results import StreakStatus
from gamification.models import ExcusedDate, UserDay, UserStreak, VoidedActivity

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

#: Of somebody with more days than these the older ones are not told: that is ten years, each day.
DAYS_READ = 3653
VOIDS_READ = 1000
COLUMNS = ("date", "status", "reason", "activities", "xp", "freezes_earned", "freezes_used", "freezes_returned")


@dataclass(frozen=True, slots=True)
class Diary:
    """How a streak reads, every date behind it (newest first), and how the last one that ended did so.

    ``excused`` maps the dates that staff excused to their rows, ``voided`` those of which an activity was voided.
    """

    row: UserStreak
    status: StreakStatus
    today: date
    entries: list[Entry]
    loss: Loss | None
    excused: dict[date, ExcusedDate]
    voided: dict[date, list[VoidedActivity]]
    is_auto: bool


def diary(user: AbstractBaseUser, *, now: datetime | None = None) -> Diary:
    """Return the account of the streak of ``user``: four queries, however long it is."""
    at = moment(now)
    row = UserStreak.objects.filter(user_id=user.pk).first() or newcomers.streak_of(user)
    excused = {each.date: each for each in ExcusedDate.objects.in_force().select_related("excused_by")}
    policy = days.policy(frozenset(excused))
    voided = _voided(user)
    rows = UserDay.objects.filter(user_id=user.pk).order_by("-date").values_list(*COLUMNS)[:DAYS_READ]
    kept = {on: DayRow(*columns) for on, *columns in rows}
    streak, zone = days.state_of(row), ZoneInfo(row.timezone)
    today = calendar.local_date(at, zone)
    is_behind = streak.last_day is not None and streak.last_day < today
    coming = streaks.act(streak, today, at, zone, policy).days if is_behind else ()
    before_today = [mark for mark in coming if mark.date < today]
    told = diaries.entries(kept, before_today, streak.freezes, today, {*excused, *voided})
    return Diary(
        row=row,
        status=days.status(row, at, policy),
        today=today,
        entries=told[::-1],
        loss=diaries.last_loss(told),
        excused=excused,
        voided=voided,
        is_auto=policy.auto_freeze,
    )


def _voided(user: AbstractBaseUser) -> dict[date, list[VoidedActivity]]:
    """Return what was voided, by the date of the activity; the newest ``VOIDS_READ`` only."""
    found: dict[date, list[VoidedActivity]] = {}
    rows = VoidedActivity.objects.filter(user_id=user.pk).newest_first().select_related("actor", "activity")
    for row in rows.defer("activity__outcome", "activity__data")[:VOIDS_READ]:
        found.setdefault(row.activity.local_date, []).append(row)
    return found

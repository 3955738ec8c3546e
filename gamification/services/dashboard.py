"""Everything that the dashboard shows, for the page and for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from gamification.domain import calendar
from gamification.engine import boards, catalogue, days, ledger, players
from gamification.engine.clock import moment
from gamification.engine.results import AchievementState, Board, CalendarDay, LevelInfo, StreakStatus, WeekDay
from gamification.models import Achievement, Activity, UserDay, XPTransaction

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

RECENT = 10


@dataclass(frozen=True, slots=True)
class Overview:
    """The dashboard of one person. ``days`` are the last 365, up to the local ``today``; ``recent`` is newest first."""

    today: date
    timezone: str
    level: LevelInfo
    streak: StreakStatus
    week: tuple[WeekDay, ...]
    days: tuple[CalendarDay, ...]
    freeze_days: tuple[UserDay, ...]
    achievements: tuple[AchievementState, ...]
    unlocked_count: int
    visible_count: int
    board: Board
    recent: tuple[XPTransaction, ...]
    is_new: bool


def overview(user: AbstractBaseUser, *, now: datetime | None = None, metric: str = "xp_all_time") -> Overview:
    """Return what the dashboard of ``user`` shows at ``now``, with the top ten of the board ``metric``.

    Raises:
        UnknownMetric: there is no such board.
    """
    at = moment(now)
    board = boards.page(metric, viewer=user, now=at)
    player = players.glance([user])[user.pk]
    today = calendar.local_date(at, player.zone)
    policy = days.policy()
    streak = days.status(player.streak, at, policy)
    listed = Achievement.objects.listed_for(user)
    achievements = tuple(catalogue.states(user, listed))
    recent = tuple(XPTransaction.objects.filter(user_id=user.pk).newest_first()[:RECENT])
    return Overview(
        today=today,
        timezone=player.streak.timezone,
        level=ledger.level_of(player.xp),
        streak=streak,
        week=days.week(player.streak, at, policy),
        days=days.calendar_days(user, today, days.covered_so_far(player.streak, at, policy)),
        freeze_days=tuple(days.with_freezes(user, RECENT)),
        achievements=achievements,
        unlocked_count=sum(state.unlocked for state in achievements),
        visible_count=len(achievements),
        board=board,
        recent=recent,
        is_new=not recent and not streak.total_active_days and not Activity.objects.filter(user_id=user.pk).exists(),
    )


def calendar_days(user: AbstractBaseUser, *, now: datetime | None = None) -> tuple[CalendarDay, ...]:
    """Return the last 365 days of ``user``, up to the local today."""
    at = moment(now)
    player = players.glance([user])[user.pk]
    today = calendar.local_date(at, player.zone)
    return days.calendar_days(user, today, days.covered_so_far(player.streak, at, days.policy()))

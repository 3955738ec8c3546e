"""Days and the streak: what the pure machine says, applied to the rows. The user must be locked to write."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gamification import signals
from gamification.conf import GamificationSettings, get_settings
from gamification.domain import calendar, rewards, streaks
from gamification.domain.days import DayReason, DayStatus
from gamification.domain.streaks import Change, Policy, Streak
from gamification.engine import players
from gamification.engine.results import CalendarDay, StreakChange, StreakStatus, WeekDay
from gamification.models import ExcusedDate, UserDay, UserStreak

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player

OUTSIDE_WINDOW = "outside_window"
CALENDAR_DAYS = 365
STREAK_METRICS = frozenset({"current_streak", "longest_streak", "active_days"})


def policy(excused: frozenset[date] | None = None) -> Policy:
    """Return the project's choices and the ``excused`` dates; one small query where nobody has read those before."""
    settings = get_settings()
    if excused is None:
        excused = frozenset(ExcusedDate.objects.in_force().values_list("date", flat=True))
    return Policy(
        auto_freeze=settings.STREAK_AUTO_FREEZE,
        freezes_max=settings.STREAK_FREEZES_MAX,
        earned_every=settings.STREAK_FREEZE_EARNED_EVERY,
        excused=excused,
    )


def state_of(row: UserStreak) -> Streak:
    """Return the stored row as the machine takes it."""
    return Streak(
        current=row.current_streak,
        longest=row.longest_streak,
        freezes=row.streak_freezes_available,
        total_active_days=row.total_active_days,
        last_day=row.last_day,
        last_activity_date=row.last_activity_date,
        last_at=row.last_at,
    )


def status(row: UserStreak, now: datetime, rules: Policy) -> StreakStatus:
    """Return how the stored streak reads at ``now``; nothing is written."""
    streak = state_of(row)
    reading = streaks.read(streak, now, ZoneInfo(row.timezone), rules)
    return StreakStatus(
        current=reading.current,
        longest=reading.longest,
        freezes=reading.freezes,
        status=reading.status.value,
        expires_at=reading.expires_at,
        last_activity_date=streak.last_activity_date,
        total_active_days=streak.total_active_days,
    )


def extend(player: Player, day: date, at: datetime, zone: ZoneInfo, rules: Policy) -> Change:
    """Make ``day`` active and return what that did to the streak.

    A late activity needs all days of the player; they are read here, unless they were loaded before.
    """
    before = state_of(player.streak)
    known = None
    if streaks.is_late(before, day):
        players.load_all_days([player])
        known = {on: row.status for on, row in player.days.items()}
    change = streaks.act(before, day, at, zone, rules, known)
    apply(player, change, rules)
    return change


def bonus(streak_before_day: date | None, day: date, change: Change, settings: GamificationSettings) -> int:
    """Return the XP of a day's first activity; a late one, before the last row, pays nothing."""
    is_first = any(mark.date == day and mark.status == DayStatus.ACTIVE for mark in change.days)
    if not is_first or (streak_before_day is not None and day < streak_before_day):
        return 0
    return rewards.streak_bonus(
        change.streak.current, per_day=settings.STREAK_BONUS_PER_DAY, maximum=settings.STREAK_BONUS_MAX
    )


def apply(player: Player, change: Change, rules: Policy, *, frozen_at: datetime | None = None) -> None:
    """Write a change of the machine into the rows; ``frozen_at`` is the moment of a freeze on request."""
    row, streak = player.streak, change.streak
    row.current_streak = streak.current
    row.longest_streak = streak.longest
    row.streak_freezes_available = streak.freezes
    row.total_active_days = streak.total_active_days
    row.last_day = streak.last_day
    row.last_activity_date = streak.last_activity_date
    row.last_at = streak.last_at
    row.expires_at = streaks.expires_at(streak, ZoneInfo(row.timezone), rules)
    for mark in change.days:
        day = player.day(mark.date)
        day.status = mark.status.value
        day.reason = str(mark.reason) or day.reason
        day.freezes_earned += mark.earned
        day.freezes_used += mark.used
        day.freezes_returned += mark.returned
        if mark.used:
            is_requested = mark.reason == DayReason.REQUESTED
            day.frozen_at = frozen_at if is_requested else day.frozen_at
            player.announce(signals.freeze_used, date=mark.date, reason=str(mark.reason))


def answer(
    player: Player, now: datetime, rules: Policy, change: Change | None, *, action: str | None = None, xp: int = 0
) -> StreakChange:
    """Return the streak as it reads at ``now`` with what led to it; without a ``change`` it was left alone."""
    read = status(player.streak, now, rules)
    return StreakChange(
        current=read.current,
        longest=read.longest,
        freezes=read.freezes,
        status=read.status,
        expires_at=read.expires_at,
        last_activity_date=read.last_activity_date,
        total_active_days=read.total_active_days,
        action=action or (change.action if change else None),
        transitions=change.transitions if change else (),
        reason=None if change else OUTSIDE_WINDOW,
        xp_awarded=xp,
    )


def covered_so_far(row: UserStreak, now: datetime, rules: Policy) -> dict[date, str]:
    """Return the status of each lapsed day that tokens cover as things stand, though nothing is written yet."""
    marks = streaks.covered_so_far(state_of(row), now, ZoneInfo(row.timezone), rules)
    return {mark.date: mark.status.value for mark in marks}


def week(row: UserStreak, now: datetime, rules: Policy) -> tuple[WeekDay, ...]:
    """Return Monday to Sunday of the user's current week."""
    today = calendar.local_date(now, ZoneInfo(row.timezone))
    monday = today - timedelta(days=today.weekday())
    dates = [monday + timedelta(days=offset) for offset in range(7)]
    written = dict(UserDay.objects.filter(user_id=row.user_id, date__in=dates).values_list("date", "status"))
    found = {**written, **covered_so_far(row, now, rules)}
    return tuple(WeekDay(on, found.get(on, ""), on == today, on > today) for on in dates)


def with_freezes(user: AbstractBaseUser, limit: int) -> list[UserDay]:
    """Return the days on which a freeze was used, newest first, also where it was given back."""
    return list(UserDay.objects.filter(user_id=user.pk, freezes_used__gt=0).order_by("-date")[:limit])


def calendar_days(
    user: AbstractBaseUser, today: date, covered: dict[date, str] | None = None
) -> tuple[CalendarDay, ...]:
    """Return the 365 days that end with ``today``; ``covered`` are statuses that are not written yet."""
    first = today - timedelta(days=CALENDAR_DAYS - 1)
    rows = UserDay.objects.filter(user_id=user.pk, date__range=(first, today)).values_list(
        "date", "status", "activities", "xp"
    )
    found = {row[0]: CalendarDay(*row) for row in rows}
    found |= {on: replace(found.get(on) or CalendarDay(on), status=status) for on, status in (covered or {}).items()}
    dates = (first + timedelta(days=offset) for offset in range(CALENDAR_DAYS))
    return tuple(found.get(on) or CalendarDay(on) for on in dates)

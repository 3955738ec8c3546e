"""Streaks: how they read, freezes, time zones, and the days behind them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction

from gamification.domain import calendar, streaks
from gamification.domain.streaks import Change
from gamification.engine import announcing, days, events, inputs, newcomers, players, recording, saving
from gamification.engine.clock import moment
from gamification.engine.events import Event, Rules
from gamification.engine.results import StreakChange, StreakStatus, WeekDay
from gamification.exceptions import GamificationError, TimezoneChangedRecently, TimezoneTooFar
from gamification.models import Activity, UserDay, UserStreak
from gamification.signals import streak_changed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player

VISIT = "daily_visit"
TIMEZONE_REST = timedelta(hours=24)


def initialize(user: AbstractBaseUser) -> StreakStatus:
    """Give ``user`` a streak of 0 with the freezes of a beginner; what exists stays as it is."""
    with transaction.atomic():
        row = players.lock([user])[user.pk].streak
    return days.status(row, moment(None), days.policy())


def status(user: AbstractBaseUser, *, now: datetime | None = None) -> StreakStatus:
    """Return how the streak of ``user`` reads at ``now``; nothing is written."""
    return days.status(stored(user), moment(now), days.policy())


def touch(user: AbstractBaseUser, *, now: datetime | None = None) -> StreakChange:
    """Record a visit of today and return what it did; again on the same local day the streak is ``maintained``."""
    at = moment(now)
    with transaction.atomic():
        locked = players.lock([user], calendar.earliest_date(at))
        today = calendar.local_date(at, locked[user.pk].zone)
        visit = events.check(Event(user, VISIT, f"visit:{today.isoformat()}"), Rules(at))
        (answer,) = recording.record_locked(locked, [visit], at)
        announcing.after_commit(locked.values())
        if isinstance(answer, GamificationError):
            raise answer
        return _seen_again(locked[user.pk], at) if answer.is_replay else answer.streak


def freeze(user: AbstractBaseUser, *, now: datetime | None = None) -> StreakChange:
    """Cover today with a freeze; asked again on the same day it answers the same and uses no second one.

    Raises:
        AlreadyActiveToday, NoActiveStreak, NoFreezesLeft: there is nothing to freeze, or nothing to do it with.
    """
    at = moment(now)
    with transaction.atomic():
        locked = players.lock([user], calendar.earliest_date(at))
        player, policy = locked[user.pk], days.policy(locked.site.excused)
        before = days.state_of(player.streak)
        change = streaks.freeze(before, at, player.zone, policy)
        if change.transitions:
            days.apply(player, change, policy, frozen_at=at)
            saving.save(locked)
        told = replace(days.answer(player, at, policy, change, action=streaks.FROZEN), is_replay=not change.transitions)
        if change.transitions:
            player.announce(streak_changed, change=told)
        announcing.after_commit([player])
    return told


def set_timezone(
    user: AbstractBaseUser, name: str, *, now: datetime | None = None, by_staff: bool = True
) -> StreakStatus:
    """Count the days of ``user`` in the zone ``name`` from now on; past days stay as they were counted.

    Raises:
        UnknownTimezone: there is no such zone.
        TimezoneChangedRecently: the user (not staff) changed it less than 24 hours ago.
        TimezoneTooFar: the user (not staff) would go between zones that are more than 24 hours apart, and gain days.
    """
    at = moment(now)
    zone = inputs.clean_timezone(name)
    with transaction.atomic():
        player = players.lock([user])[user.pk]
        row, policy = player.streak, days.policy()
        if row.timezone != zone.key or row.timezone_changed_at is None:
            changed_at = row.timezone_changed_at
            if not by_staff and changed_at is not None and at - changed_at < TIMEZONE_REST:
                raise TimezoneChangedRecently(retry_after=math.ceil((changed_at + TIMEZONE_REST - at).total_seconds()))
            if not by_staff and _are_too_far({zone.key, *_zones_counted_in(user)}, at):
                raise TimezoneTooFar
            row.timezone, row.timezone_changed_at = zone.key, at
            row.expires_at = streaks.expires_at(days.state_of(row), zone, policy)
            saving.save({user.pk: player})
            announcing.after_commit([player])
        return days.status(row, at, policy)


def _zones_counted_in(user: AbstractBaseUser) -> set[str]:
    return set(Activity.objects.filter(user_id=user.pk).order_by().values_list("timezone", flat=True).distinct())


def _are_too_far(zones: Iterable[str], at: datetime) -> bool:
    """Tell whether two of ``zones`` can be more than 24 hours apart in the year of ``at``.

    Whoever keeps to less has, over any time, at most a day more than somebody who stays where they are.
    """
    offsets = [
        offset
        for zone in map(ZoneInfo, zones)
        for month in (1, 7)
        if (offset := datetime(at.year, month, 1, tzinfo=zone).utcoffset()) is not None
    ]
    return max(offsets) - min(offsets) > timedelta(hours=24)


def timezone(user: AbstractBaseUser) -> str:
    """Return the IANA name of the zone in which the days of ``user`` are counted."""
    return stored(user).timezone


def days_between(user: AbstractBaseUser, *, since: date, until: date) -> list[UserDay]:
    """Return the days of ``user`` from ``since`` to ``until``, both included, oldest first; empty days are left out."""
    return list(UserDay.objects.filter(user_id=user.pk, date__range=(since, until)).order_by("date"))


def week(user: AbstractBaseUser, *, now: datetime | None = None) -> tuple[WeekDay, ...]:
    """Return Monday to Sunday of the user's current week."""
    return days.week(stored(user), moment(now), days.policy())


def freeze_history(user: AbstractBaseUser, *, limit: int = 20) -> list[UserDay]:
    """Return the days on which a freeze was used, newest first, also where it was given back."""
    return days.with_freezes(user, limit)


def stored(user: AbstractBaseUser) -> UserStreak:
    """Return the row as it was last written, for reading; that of a beginner where there is none."""
    return UserStreak.objects.filter(user_id=user.pk).first() or newcomers.streak_of(user)


def _seen_again(player: Player, at: datetime) -> StreakChange:
    """Return the answer to a second visit of the day."""
    streak = days.state_of(player.streak)
    last = streak.last_activity_date
    is_active = last is not None and last >= calendar.local_date(at, player.zone)  # not where that visit was voided
    seen = Change(streak, transitions=(streaks.MAINTAINED,) if is_active else ())
    return replace(days.answer(player, at, days.policy(), seen), is_replay=True)

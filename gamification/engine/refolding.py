"""What is stored of streaks, folded anew: once a date was excused or is no longer so, or an activity was voided.

Statuses, tokens, the current streak and its end become what the rules in force make of the log, and XP that was paid
stays as it is. Only without an activity may the longest streak fall. The users must be locked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gamification.domain import replays, streaks
from gamification.domain.days import DayStatus, run_lengths
from gamification.domain.replays import Day, Told
from gamification.engine import days as stored_days
from gamification.models import Activity, UserDay

if TYPE_CHECKING:
    from gamification.domain.streaks import Policy, Streak
    from gamification.engine.players import Player

DAY_COLUMNS = ("status", "reason", "freezes_earned", "freezes_used", "freezes_returned")


def refold(locked: Mapping[Any, Player], on: date, policy: Policy) -> dict[Any, Player]:
    """Let what is stored of locked players follow from ``policy`` from the date ``on``; return those who changed."""
    kept = _days_of(locked)
    events = _events_of(locked)
    return {pk: player for pk, player in locked.items() if _refold(player, kept[pk], events[pk], on, policy)}


def refold_without(player: Player, activity: Activity, policy: Policy) -> bool:
    """Let what is stored of a locked player be as if ``activity``, which counted for the streak, had not been.

    Tell whether its day is still one that was begun on time, as one is that a streak bonus is paid for.
    """
    alone = {player.user.pk: player}
    kept, events = _days_of(alone)[player.user.pk], _events_of(alone)[player.user.pk]
    position = next(number for number, event in enumerate(events) if event.activity == activity.pk)
    row = player.streak
    streak, folded = replays.without(kept, events, position, row.starting_freezes, policy)
    runs = _write(player, kept, streak, folded)
    active = [on for on, day in folded.items() if day.status == DayStatus.ACTIVE]
    # What the days do not tell any more cannot be folded; so many active days there must have been.
    row.longest_kept = min(row.longest_kept, len(active))
    row.longest_streak = max(row.longest_kept, *runs)
    row.total_active_days = len(active)
    row.last_activity_date, row.last_at = max(active, default=None), streak.last_at
    row.expires_at = streaks.expires_at(stored_days.state_of(row), ZoneInfo(row.timezone), policy)
    return replays.begins_on_time((event for event in events if event.activity != activity.pk), activity.local_date)


def _refold(player: Player, kept: dict[date, Day], events: list[Told], on: date, policy: Policy) -> bool:
    row = player.streak
    as_stored = stored_days.state_of(row), row.expires_at
    position = replays.first_affected(events, on)
    if position is not None:
        streak, known = replays.before(kept, events, position, row.starting_freezes)
        if streak.last_at is not None and _is_told(kept, events, on):
            longest = max(_write(player, kept, *replays.replay(streak, known, events[position:], policy)))
            row.longest_streak = max(row.longest_streak, longest)
            row.longest_kept = max(row.longest_kept, row.longest_streak if row.longest_streak > longest else 0)
    row.expires_at = streaks.expires_at(stored_days.state_of(row), ZoneInfo(row.timezone), policy)
    return bool(player.changed_days) or as_stored != (stored_days.state_of(row), row.expires_at)


def _is_told(kept: Mapping[date, Day], events: Iterable[Told], on: date) -> bool:
    """Tell whether the log knows of every active day from ``on``: where it was cut off, nothing can be folded anew."""
    told = {event.day for event in events if not event.is_freeze}
    return all(day in told for day, as_kept in kept.items() if day >= on and as_kept.status == DayStatus.ACTIVE)


def _write(player: Player, kept: Mapping[date, Day], streak: Streak, folded: Mapping[date, Day]) -> list[int]:
    """Write what was folded into the rows, and return how long the runs are, one of 0 at least."""
    row = player.streak
    for on in sorted({*kept, *folded}):
        before = kept.get(on, Day())
        after = folded.get(on, Day()).remembering(before)
        if after == before:
            continue
        day = player.day(on)
        day.status, day.reason = after.status, after.reason
        day.freezes_earned, day.freezes_used, day.freezes_returned = after.earned, after.used, after.returned
    row.current_streak = streak.current
    row.streak_freezes_available = streak.freezes
    row.last_day = streak.last_day
    return [0, *(length for _, length in run_lengths({on: day.status for on, day in folded.items()}))]


def _days_of(locked: Mapping[Any, Player]) -> Mapping[Any, dict[date, Day]]:
    """Return all days of players by date, as what they are to a streak."""
    found: defaultdict[Any, dict[date, Day]] = defaultdict(dict)
    rows = UserDay.objects.filter(user_id__in=locked).values_list("user_id", "date", *DAY_COLUMNS)
    for user_id, on, *columns in rows.iterator(chunk_size=5000):
        found[user_id][on] = Day(*columns)
    return found


def _events_of(locked: Mapping[Any, Player]) -> Mapping[Any, list[Told]]:
    """Return what counts for the streaks of players, in the order in which it was told."""
    told: defaultdict[Any, list[tuple[datetime, Told]]] = defaultdict(list)
    rows = Activity.objects.unvoided().filter(user_id__in=locked, is_in_streak=True).order_by("user_id", "pk")
    columns = rows.values_list("user_id", "recorded_at", "pk", "local_date", "occurred_at", "timezone")
    for user_id, recorded_at, pk, day, at, zone in columns.iterator(chunk_size=5000):
        told[user_id].append((recorded_at, Told(day, at, ZoneInfo(zone), activity=pk)))
    asked = UserDay.objects.filter(user_id__in=locked, frozen_at__isnull=False).order_by("frozen_at")
    freezes: Iterable[Any] = asked.values_list("user_id", "date", "frozen_at")
    for user_id, day, asked_at in freezes:
        events, freeze = told[user_id], Told(day, asked_at, locked[user_id].zone, is_freeze=True)
        later = (number for number, (when, event) in enumerate(events) if _follows(event, when, freeze))
        events.insert(next(later, len(events)), (asked_at, freeze))
    return defaultdict(list, {pk: [event for _, event in events] for pk, events in told.items()})


def _follows(event: Told, recorded_at: datetime, freeze: Told) -> bool:
    """Tell whether ``event`` came after ``freeze``: of a day with an activity none can be asked for."""
    return recorded_at > freeze.at or (recorded_at == freeze.at and event.day >= freeze.day)

"""Facts about a user that follow from the records, and what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gamification.conf import get_settings
from gamification.domain.activity_types import ACHIEVEMENTS_UNLOCKED, EARLY_DAYS, NIGHT_DAYS
from gamification.domain.days import DayStatus, run_lengths
from gamification.domain.streaks import Streak
from gamification.engine.records import Records
from gamification.models import Activity, UserDay, XPTransaction

if TYPE_CHECKING:
    from gamification.engine.players import Player


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that can be derived: its name, what is stored, what follows from the records, how to store it.

    Without ``mend`` it can only be told: the records themselves disagree.
    """

    name: str
    stored: Any
    derived: Any
    mend: Callable[[], None] | None


def column(row: Any, name: str, derived: Any, prefix: str = "") -> Fact:
    return Fact(f"{prefix}{name}", getattr(row, name), derived, partial(setattr, row, name, derived))


def highest_level_of(player: Player, records: Records) -> int:
    """Return the level of the highest total ever; one above is right if somebody was told so, by earlier settings."""
    highest = get_settings().levels.level_of(records.highest_xp)
    if player.xp.highest_level > highest:
        for model in (Activity, XPTransaction):
            outcomes = model._default_manager.filter(user_id=player.user.pk).values_list("outcome", flat=True)
            told = (outcome.get("highest_level", 1) for outcome in outcomes.iterator(chunk_size=2000))
            highest = max(highest, max(told, default=1))
    return highest


def counters_of(player: Player, records: Records) -> Counter[str]:
    """Return every counter by name, as the log and the unlocks say."""
    derived = Counter(records.counters)
    for name in records.counters:
        counter, is_fact, _ = name.partition(":")
        derived[counter] += int(bool(is_fact))
    derived[EARLY_DAYS] = len(records.early)
    derived[NIGHT_DAYS] = len(records.night)
    derived[ACHIEVEMENTS_UNLOCKED] = sum(row.is_unlocked for row in player.unlocks.values())
    return derived


def streak_of(player: Player, records: Records) -> Streak:
    """Return the streak by the statuses that the days have once they are mended, and by their freezes."""
    row = player.streak
    statuses = {on: day.status for on, day in player.days.items() if stands(day)}
    statuses |= dict.fromkeys(records.active_dates, DayStatus.ACTIVE.value)
    runs = run_lengths(statuses)
    balance = sum(day.freezes_earned + day.freezes_returned - day.freezes_used for day in player.days.values())
    held = {on for on, status in statuses.items() if status in (DayStatus.ACTIVE, DayStatus.FROZEN)}
    return Streak(
        current=runs[-1][1] if runs else 0,
        longest=max([row.longest_kept, *(length for _, length in runs)]),
        freezes=row.starting_freezes + balance,
        total_active_days=len(records.active_dates),
        last_day=max(held, default=None),
        last_activity_date=max(records.active_dates, default=None),
        last_at=records.last_at,
    )


def stands(day: UserDay) -> bool:
    """Tell whether a day is frozen by a token that was not given back, or skipped; activities say what is active."""
    if day.status == DayStatus.FROZEN:
        return day.freezes_used > day.freezes_returned
    return day.status == DayStatus.SKIPPED

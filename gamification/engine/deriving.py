"""What the log, the ledger and the freezes say about a user, held against what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gamification.conf import get_settings
from gamification.domain import streaks
from gamification.domain.activity_types import ACHIEVEMENTS_UNLOCKED, EARLY_DAYS, NIGHT_DAYS
from gamification.domain.days import DayStatus, run_lengths
from gamification.domain.streaks import Policy
from gamification.engine import ledger
from gamification.engine.ledger import Booking
from gamification.engine.records import Records
from gamification.models import Achievement, UserAchievement, UserDay, XPTransaction
from gamification.models.xp import Source

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


def drifted(player: Player, records: Records, policy: Policy, now: datetime) -> Iterator[Fact]:
    """Yield the facts about ``player`` that are not what ``records`` say. All days must be loaded.

    Each group is derived when it is asked for, so that what was mended before counts.
    """
    reversals = (Fact(f"reversal {pk}", was, must_be, None) for pk, (was, must_be) in records.reversals.items())
    for fact in chain(
        _days(player, records),
        _xp(player, records),
        _unlocks(player, records),
        _rewards(player, records, now),
        _counters(player, records),
        _streak(player, records, policy),
        reversals,
    ):
        if fact.stored != fact.derived:
            yield fact


def _column(row: Any, name: str, derived: Any, prefix: str = "") -> Fact:
    return Fact(f"{prefix}{name}", getattr(row, name), derived, partial(setattr, row, name, derived))


def _days(player: Player, records: Records) -> Iterator[Fact]:
    dates = {*player.days, *records.xp_of_day, *records.activities_of_day, *records.night}
    for on in sorted(dates):
        is_missing = on not in player.days
        row = player.days.get(on) or player.day(on)
        status = row.status if _stands(row) else ""
        derived = {
            "status": DayStatus.ACTIVE.value if on in records.active_dates else status,
            "activities": records.activities_of_day[on],
            "xp": records.xp_of_day[on],
            "is_early": on in records.early,
            "is_night": on in records.night,
            "allowances": records.allowances.get(on),
        }
        for name, value in derived.items():
            fact = _column(row, name, value, prefix=f"day {on}: ")
            if fact.stored != fact.derived:
                player.changed_days.add(on)
            yield fact
        if is_missing and not any(derived.values()):
            player.days.pop(on)
            player.changed_days.discard(on)


def _xp(player: Player, records: Records) -> Iterator[Fact]:
    row = player.xp
    yield _column(row, "total_xp", records.total_xp)
    yield _column(row, "total_xp_earned", records.total_xp_earned)
    yield _column(row, "is_excluded", records.is_excluded)
    info = get_settings().levels.describe(records.total_xp, highest_level=row.highest_level)
    for name in ("current_level", "highest_level", "xp_to_next_level", "level_progress_percentage", "title"):
        yield _column(row, name, getattr(info, name))


def _counters(player: Player, records: Records) -> Iterator[Fact]:
    derived = Counter(records.counters)
    for name in records.counters:
        counter, is_fact, _ = name.partition(":")
        derived[counter] += int(bool(is_fact))
    derived[EARLY_DAYS] = len(records.early)
    derived[NIGHT_DAYS] = len(records.night)
    derived[ACHIEVEMENTS_UNLOCKED] = sum(row.is_unlocked for row in player.unlocks.values())
    for name in sorted({*derived, *player.counters}):
        stored = player.counters.get(name, 0)
        mend = partial(player.raise_counter, name, derived[name] - stored)
        yield Fact(f"counter {name}", stored, derived[name], mend)


def _streak(player: Player, records: Records, policy: Policy) -> Iterator[Fact]:
    """Derive the streak from the statuses that the days have once they are mended, and from their freezes."""
    row = player.streak
    statuses = {on: day.status for on, day in player.days.items() if _stands(day)}
    statuses |= dict.fromkeys(records.active_dates, DayStatus.ACTIVE.value)
    runs = run_lengths(statuses)
    balance = sum(day.freezes_earned + day.freezes_returned - day.freezes_used for day in player.days.values())
    held = {on for on, status in statuses.items() if status in (DayStatus.ACTIVE, DayStatus.FROZEN)}
    derived = streaks.Streak(
        current=runs[-1][1] if runs else 0,
        longest=max([row.longest_kept, *(length for _, length in runs)]),
        freezes=row.starting_freezes + balance,
        total_active_days=len(records.active_dates),
        last_day=max(held, default=None),
        last_activity_date=max(records.active_dates, default=None),
        last_at=records.last_at,
    )
    yield _column(row, "current_streak", derived.current)
    yield _column(row, "longest_streak", derived.longest)
    yield _column(row, "streak_freezes_available", derived.freezes)
    yield _column(row, "total_active_days", derived.total_active_days)
    yield _column(row, "last_day", derived.last_day)
    yield _column(row, "last_activity_date", derived.last_activity_date)
    yield _column(row, "last_at", derived.last_at)
    yield _column(row, "expires_at", streaks.expires_at(derived, ZoneInfo(row.timezone), policy))


def _stands(day: UserDay) -> bool:
    """Tell whether a day is frozen by a token that was not given back, or skipped; activities say what is active."""
    if day.status == DayStatus.FROZEN:
        return day.freezes_used > day.freezes_returned
    return day.status == DayStatus.SKIPPED


def _unlocks(player: Player, records: Records) -> Iterator[Fact]:
    """Yield the unlocks that only the ledger still knows of, and the progress of what is unlocked."""
    for name, grants in records.grants.items():
        if name not in player.unlocks:
            is_live = f"{name}:{grants}" in records.live_rewards
            yield Fact(f"grants of {name}", 0, grants, partial(_restore, player, name, grants, is_live=is_live))
    for name, row in player.unlocks.items():
        if row.is_unlocked:
            yield Fact(f"progress of {name}", row.progress, 100, partial(_set_progress, player, name))


def _restore(player: Player, name: str, grants: int, *, is_live: bool) -> None:
    """Write the row of an achievement again that the ledger knows of; a live reward says that it is held."""
    if not Achievement.objects.filter(achievement_id=name).exists():
        return
    paid = XPTransaction.objects.get(user_id=player.user.pk, source=Source.ACHIEVEMENT, key=f"{name}:{grants}")
    row = player.unlock_row(name)
    row.grants = grants
    if is_live and not row.is_unlocked:
        row.unlocked_at, row.revoked_at, row.progress = paid.created_at, None, 100
        row.unlock_metadata = {"by": "repair", "xp": paid.xp_amount}


def _set_progress(player: Player, name: str) -> None:
    player.unlock_row(name).progress = 100


def _rewards(player: Player, records: Records, now: datetime) -> Iterator[Fact]:
    """Yield, for each achievement, which grant of it should have paid and which has."""
    due = {name: f"{name}:{row.grants}" for name, row in player.unlocks.items() if _pays(row)}
    for key in sorted({*due.values(), *records.live_rewards}):
        is_due, is_paid = key in due.values(), key in records.live_rewards
        yield Fact(f"reward {key}", is_paid, is_due, partial(_pay, player, key, now, is_due=is_due))


def _pays(row: UserAchievement) -> bool:
    return row.is_unlocked and bool(row.unlock_metadata.get("xp"))


def _pay(player: Player, key: str, now: datetime, *, is_due: bool) -> None:
    """Book the reward that is missing, or take back the one too many."""
    name = key.rpartition(":")[0]
    if is_due:
        xp = player.unlocks[name].unlock_metadata["xp"]
        missing = Booking(xp, Source.ACHIEVEMENT, "achievement_unlocked", key, reference_id=name)
        ledger.book(player, missing, now)
    else:
        paid = XPTransaction.objects.get(user_id=player.user.pk, source=Source.ACHIEVEMENT, key=key)
        ledger.book(player, ledger.opposite(paid, "repair"), now)

"""What the log, the ledger and the freezes say about a user, held against what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gamification.conf import get_settings
from gamification.domain import streaks
from gamification.domain.days import DayStatus
from gamification.domain.streaks import Policy
from gamification.engine import facts, unlock_facts
from gamification.engine.facts import Fact
from gamification.engine.records import Records

if TYPE_CHECKING:
    from gamification.engine.players import Player
    from gamification.engine.rules import Rulebook


def drifted(player: Player, records: Records, policy: Policy, rules: Rulebook, now: datetime) -> Iterator[Fact]:
    """Yield the facts about ``player`` that are not what ``records`` say. All days and unlocks must be loaded.

    Each group is derived when it is asked for, so that what was mended before counts.
    """
    told = (Fact(name, was, must_be, None) for name, (was, must_be) in records.contradictions.items())
    for fact in chain(
        _days(player, records),
        _xp(player, records),
        unlock_facts.unlocks(player, records),
        unlock_facts.rewards(player, records, now),
        _counters(player, records),
        _streak(player, records, policy),
        unlock_facts.progress(player, records, rules),
        told,
    ):
        if fact.stored != fact.derived:
            yield fact


def _days(player: Player, records: Records) -> Iterator[Fact]:
    dates = {*player.days, *records.xp_of_day, *records.activities_of_day, *records.night}
    for on in sorted(dates):
        is_missing = on not in player.days
        row = player.days.get(on) or player.day(on)
        status = row.status if facts.stands(row) else ""
        derived = {
            "status": DayStatus.ACTIVE.value if on in records.active_dates else status,
            "activities": records.activities_of_day[on],
            "xp": records.xp_of_day[on],
            "is_early": on in records.early,
            "is_night": on in records.night,
            "allowances": records.allowances.get(on),
        }
        for name, value in derived.items():
            fact = facts.column(row, name, value, prefix=f"day {on}: ")
            if fact.stored != fact.derived:
                player.changed_days.add(on)
            yield fact
        if is_missing and not any(derived.values()):
            player.days.pop(on)
            player.changed_days.discard(on)


def _xp(player: Player, records: Records) -> Iterator[Fact]:
    row = player.xp
    yield facts.column(row, "total_xp", records.total_xp)
    yield facts.column(row, "total_xp_earned", records.total_xp_earned)
    yield facts.column(row, "is_excluded", records.is_excluded)
    info = get_settings().levels.describe(records.total_xp, highest_level=facts.highest_level_of(player, records))
    for name in ("current_level", "highest_level", "xp_to_next_level", "level_progress_percentage", "title"):
        yield facts.column(row, name, getattr(info, name))


def _counters(player: Player, records: Records) -> Iterator[Fact]:
    derived = facts.counters_of(player, records)
    for name in sorted({*derived, *player.counters}):
        stored = player.counters.get(name, 0)
        mend = partial(player.raise_counter, name, derived[name] - stored)
        yield Fact(f"counter {name}", stored, derived[name], mend)


def _streak(player: Player, records: Records, policy: Policy) -> Iterator[Fact]:
    row, derived = player.streak, facts.streak_of(player, records)
    yield facts.column(row, "current_streak", derived.current)
    yield facts.column(row, "longest_streak", derived.longest)
    yield facts.column(row, "streak_freezes_available", derived.freezes)
    yield facts.column(row, "total_active_days", derived.total_active_days)
    yield facts.column(row, "last_day", derived.last_day)
    yield facts.column(row, "last_activity_date", derived.last_activity_date)
    yield facts.column(row, "last_at", derived.last_at)
    yield facts.column(row, "expires_at", streaks.expires_at(derived, ZoneInfo(row.timezone), policy))

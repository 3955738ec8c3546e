"""Counters: what an activity adds up to. The user must be locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gamification.domain import calendar
from gamification.domain.activity_types import EARLY_DAYS, NIGHT_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from gamification.engine.players import Player


def count(player: Player, raised: dict[str, int], at: datetime, zone: ZoneInfo) -> set[str]:
    """Raise the counters of one activity and return the names of those that changed.

    A fact (``languages_practised:es``) also raises its counter, the first time it is seen. Early mornings and nights
    count once per local date; a night belongs to the date of 22:00.
    """
    changed = set(raised)
    for name, amount in raised.items():
        counter, is_fact, _ = name.partition(":")
        if is_fact and not player.counters.get(name):
            player.raise_counter(counter, 1)
            changed.add(counter)
        player.raise_counter(name, amount)
    if calendar.is_early(at, zone):
        row = player.day(calendar.local_date(at, zone))
        if not row.is_early:
            row.is_early = True
            player.raise_counter(EARLY_DAYS, 1)
            changed.add(EARLY_DAYS)
    if (night := calendar.night_of(at, zone)) is not None:
        row = player.day(night)
        if not row.is_night:
            row.is_night = True
            player.raise_counter(NIGHT_DAYS, 1)
            changed.add(NIGHT_DAYS)
    return changed


def uncount(player: Player, raised: Mapping[str, int], early: date | None, night: date | None) -> None:
    """Lower the counters of an activity that is voided; a fact's counter with the last one that stated it.

    ``early`` and ``night`` are the dates whose early morning or night nothing tells of any more.
    """
    for name, amount in raised.items():
        counter, is_fact, _ = name.partition(":")
        _lower(player, name, amount)
        if is_fact and not player.counters.get(name):
            _lower(player, counter, 1)
    if early is not None and (row := player.day(early)).is_early:
        row.is_early = False
        _lower(player, EARLY_DAYS, 1)
    if night is not None and (row := player.day(night)).is_night:
        row.is_night = False
        _lower(player, NIGHT_DAYS, 1)


def _lower(player: Player, name: str, by: int) -> None:
    """Lower a counter, never below 0: one that had drifted is no reason to refuse."""
    player.raise_counter(name, -min(by, player.counters.get(name, 0)))

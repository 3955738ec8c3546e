"""What the shipped activities and the daily streak pay, in XP points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCENARIO_BASE = {"beginner": 50, "intermediate": 100, "advanced": 150}
SCENARIO_MINUTES_MAX = 50


def scenario_xp(data: Mapping[str, Any]) -> int:
    """Return what a scenario pays: 50 to 200 by difficulty and minutes, and half as much again when perfect."""
    minutes = min(int(data.get("minutes", 0)), SCENARIO_MINUTES_MAX)
    xp = SCENARIO_BASE[data.get("difficulty", "beginner")] + minutes
    return xp + xp // 2 if data.get("perfect") else xp


def streak_bonus(current: int, *, per_day: int, maximum: int) -> int:
    """Return the bonus of the day that made the streak ``current`` days long."""
    return min(maximum, per_day * current)

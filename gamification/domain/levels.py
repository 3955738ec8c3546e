"""Levels and titles: how a total of XP becomes a level, a title and progress to the next one."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_TITLES: tuple[tuple[int, str], ...] = (
    (1, "Novice"),
    (10, "Apprentice"),
    (20, "Adept"),
    (30, "Expert"),
    (40, "Master"),
    (50, "Grandmaster"),
    (70, "Legend"),
    (90, "Mythic"),
)


@dataclass(frozen=True, slots=True)
class LevelInfo:
    """What a total of XP amounts to.

    ``xp_to_next_level`` is in XP points and 0 at the top level. ``level_progress_percentage`` is floored to two
    decimals, so that 100.00 never shows before the level is reached.
    """

    total_xp: int
    current_level: int
    highest_level: int
    title: str
    xp_to_next_level: int
    level_progress_percentage: Decimal


@dataclass(frozen=True)
class LevelTable:
    """The thresholds of every level and the titles, built once from the settings."""

    costs: tuple[int, ...]
    thresholds: tuple[int, ...]
    titles: tuple[tuple[int, str], ...]

    @property
    def max_level(self) -> int:
        return len(self.thresholds)

    def level_of(self, total_xp: int) -> int:
        """Return the level, from 1, that ``total_xp`` reaches."""
        return max(1, bisect_right(self.thresholds, total_xp))

    def title_of(self, level: int) -> str:
        """Return the title of the highest step at or below ``level``."""
        return next(title for first, title in reversed(self.titles) if first <= level)

    def describe(self, total_xp: int, *, highest_level: int = 1) -> LevelInfo:
        """Return level, title and progress of ``total_xp``; ``highest_level`` is what was reached before."""
        level = self.level_of(total_xp)
        highest = max(level, highest_level)
        if level == self.max_level:
            return LevelInfo(total_xp, level, highest, self.title_of(level), 0, Decimal(100))
        floor, cost = self.thresholds[level - 1], self.costs[level - 1]
        hundredths = max(0, total_xp - floor) * 10_000 // cost
        return LevelInfo(
            total_xp=total_xp,
            current_level=level,
            highest_level=highest,
            title=self.title_of(level),
            xp_to_next_level=floor + cost - total_xp,
            level_progress_percentage=Decimal(hundredths) / 100,
        )


@lru_cache(maxsize=32)
def level_table(
    base: int = 100,
    multiplier: str = "1.15",
    max_level: int = 100,
    titles: tuple[tuple[int, str], ...] = DEFAULT_TITLES,
) -> LevelTable:
    """Build the table in which level L costs ``base * multiplier ** (L - 1)``, rounded half up, exact in integers."""
    ratio = Fraction(multiplier)
    costs = tuple(_round_half_up(base * ratio**step) for step in range(max_level - 1))
    thresholds = tuple(accumulate(costs, initial=0))
    return LevelTable(costs, thresholds, _sorted_titles(titles))


def _round_half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _sorted_titles(titles: Sequence[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    return tuple(sorted((int(first), str(title)) for first, title in titles))

"""What the services answer: frozen values, with the names that the API uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gamification.domain.levels import LevelInfo

if TYPE_CHECKING:
    from gamification.models import Achievement, Activity, VoidedActivity, XPTransaction

__all__ = [
    "AchievementState",
    "Award",
    "Board",
    "CalendarDay",
    "LevelInfo",
    "Receipt",
    "Seeded",
    "Standing",
    "StreakChange",
    "StreakStatus",
    "Voided",
    "WeekDay",
    "XPStats",
]


@dataclass(frozen=True, slots=True)
class StreakStatus:
    """How a streak reads at some moment; ``status`` is active, at_risk, frozen, broken or none."""

    current: int
    longest: int
    freezes: int
    status: str
    expires_at: datetime | None
    last_activity_date: date | None
    total_active_days: int


@dataclass(frozen=True, slots=True)
class StreakChange(StreakStatus):
    """A status and what led to it. ``action`` is None when the streak was left alone; ``reason`` then may say why."""

    action: str | None
    transitions: tuple[str, ...]
    reason: str | None = None
    is_replay: bool = False
    xp_awarded: int = 0


@dataclass(frozen=True, slots=True)
class WeekDay:
    """A day of the current week; ``status`` is active, frozen, skipped or empty."""

    date: date
    status: str
    is_today: bool
    is_future: bool


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of the year's calendar; ``status`` is active, frozen, skipped or empty, ``xp`` in points."""

    date: date
    status: str = ""
    activities: int = 0
    xp: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one activity changed. ``xp_awarded`` is all that was booked by it, bonus and achievements included.

    ``capped_by`` names the limit of its kind that it met, if it met any.
    """

    activity: Activity
    is_replay: bool
    xp_awarded: int
    streak: StreakChange
    level: LevelInfo
    level_up: bool
    achievements_unlocked: tuple[str, ...]
    capped_by: str | None = None


@dataclass(frozen=True, slots=True)
class Award:
    """What one award changed. ``xp_awarded`` is the amount itself, without the achievements that it unlocked."""

    transaction: XPTransaction
    is_replay: bool
    xp_awarded: int
    level: LevelInfo
    level_up: bool
    achievements_unlocked: tuple[str, ...]
    previous_level: int = 1


@dataclass(frozen=True, slots=True)
class Voided:
    """What voiding an activity took back. ``xp_taken_back`` is all that was booked, as XP points of 0 or more.

    ``achievements_revoked`` are the ids of those that stood on it, where they are not kept.
    """

    void: VoidedActivity
    xp_taken_back: int
    streak: StreakStatus
    level: LevelInfo
    achievements_revoked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AchievementState:
    """A definition as one user sees it; ``current`` and ``target`` are the raw values behind ``progress`` (percent).

    Of a hidden one that is still locked only ``is_masked`` and ``position`` may be shown.
    """

    achievement: Achievement
    position: int
    unlocked: bool
    unlocked_at: datetime | None
    unlock_metadata: dict[str, Any]
    progress: int
    current: int
    target: int
    is_masked: bool = False


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many of the shipped definitions were created, updated or left as they were."""

    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class XPStats:
    """Sums of XP over local dates; ``best_day`` is None before any XP, ``daily_average`` is over the last 30 days."""

    today: int
    last_7_days: int
    last_30_days: int
    by_reason: dict[str, int]
    best_day: tuple[date, int] | None
    daily_average: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of a board. ``rank`` is None at score 0; ``to_next_rank`` is the points missing, None when first."""

    rank: int | None
    user_id: Any
    name: str
    score: int
    level: int
    title: str
    is_me: bool
    avatar_url: str = ""
    to_next_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A page of a board. ``total`` counts the visible users with a score; ``next`` continues after the last entry."""

    metric: str
    entries: tuple[Standing, ...]
    me: Standing | None
    around: tuple[Standing, ...]
    total: int
    cached_at: datetime
    expires_at: datetime
    next: str = ""

"""What the cards show: values of the services, arranged for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from gamification.conf import get_settings
from gamification.dashboard import words
from gamification.domain.catalogue import CATEGORIES
from gamification.engine.texts import translated
from gamification.models.xp import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from gamification.engine.results import AchievementState, CalendarDay, LevelInfo
    from gamification.models import XPTransaction

#: Each category with its name and its icon.
CATEGORY_LABELS = {
    "scenarios": (gettext_lazy("Scenarios"), "clapperboard"),
    "study_time": (gettext_lazy("Study time"), "timer"),
    "streaks": (gettext_lazy("Streaks"), "flame"),
    "vocabulary": (gettext_lazy("Vocabulary"), "book-open"),
    "conversations": (gettext_lazy("Conversations"), "messages-square"),
    "milestones": (gettext_lazy("Milestones"), "flag"),
    "perfection": (gettext_lazy("Perfection"), "gem"),
    "engagement": (gettext_lazy("Engagement"), "sun-moon"),
    "special": (gettext_lazy("Special"), "globe"),
}
RARITY_LABELS = {
    "common": pgettext_lazy("rarity", "Common"),
    "rare": pgettext_lazy("rarity", "Rare"),
    "epic": pgettext_lazy("rarity", "Epic"),
    "legendary": pgettext_lazy("rarity", "Legendary"),
}
SOURCE_ICONS = {
    Source.CLIENT: "gift",
    Source.ACTIVITY: "zap",
    Source.STREAK: "flame",
    Source.ACHIEVEMENT: "trophy",
    Source.REVERSAL: "history",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several views to switch between: its ``name`` in the address, and what people read."""

    name: str
    label: str
    icon: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Badge:
    """An achievement, and how many people have it, in words; empty where that is not known or not told."""

    state: AchievementState
    holders: str


@dataclass(frozen=True, slots=True)
class AchievementGrid:
    """The achievements to show and the filters over them; ``more`` is how many were left out."""

    badges: tuple[Badge, ...]
    choices: tuple[Choice, ...]
    category: str
    timezone: str
    more: int
    unlocked: int
    total: int


@dataclass(frozen=True, slots=True)
class Sums:
    """XP points of the last year: today's, those of the last 7 days, and of the best day."""

    today: int
    week: int
    best: int


@dataclass(frozen=True, slots=True)
class Booking:
    """A row of the ledger as its owner reads it; ``amount`` is in XP points.

    ``on`` is the day it was earned, ``at`` the moment it was booked, unless that was another day.
    """

    amount: int
    label: str
    icon: str
    on: date
    at: datetime | None


def achievement_grid(
    states: Iterable[AchievementState],
    shares: Mapping[str, float],
    *,
    timezone: str,
    category: str = "",
    limit: int | None = None,
) -> AchievementGrid:
    """Return the achievements of ``category`` (all without one), the first ``limit`` of them.

    ``shares`` are the percents of people who have each; empty where they are not known.

    Hidden ones that are still locked stand among all, and in no category: a filter would tell where they belong.
    """
    everything = tuple(states)
    known = [state for state in everything if not state.is_masked]
    present = {state.achievement.category for state in known}
    chosen = tuple(state for state in known if state.achievement.category == category) if category else everything
    choices = [Choice("", _("All"), "layers", not category)]
    choices += [
        Choice(name, str(CATEGORY_LABELS[name][0]), CATEGORY_LABELS[name][1], name == category)
        for name in CATEGORIES
        if name in present
    ]
    shown = badges(chosen[:limit], shares)
    unlocked = sum(state.unlocked for state in chosen)
    more = len(chosen) - len(shown)
    return AchievementGrid(shown, tuple(choices), category, timezone, more, unlocked, len(chosen))


def badges(states: Iterable[AchievementState], shares: Mapping[str, float]) -> tuple[Badge, ...]:
    """Return ``states`` with how rare they are; of a secret nothing is told."""
    return tuple(
        Badge(state, words.holders(state, shares) if shares and not state.is_masked else "") for state in states
    )


def next_title(level: LevelInfo) -> tuple[int, str] | None:
    """Return the next title with the level that brings it, or None when there is none left."""
    titles = get_settings().levels.titles
    return next(((first, translated(title)) for first, title in titles if first > level.current_level), None)


def sums(days: Sequence[CalendarDay]) -> Sums:
    """Return the sums of ``days``, which end with today."""
    amounts = [day.xp for day in days]
    return Sums(today=sum(amounts[-1:]), week=sum(amounts[-7:]), best=max(amounts, default=0))


def bookings(
    transactions: Iterable[XPTransaction], states: Sequence[AchievementState], timezone: str
) -> tuple[Booking, ...]:
    """Return rows of the ledger in words; ``states`` gives the achievements' names."""
    names = {
        state.achievement.achievement_id: translated(state.achievement.name) for state in states if not state.is_masked
    }
    zone = ZoneInfo(timezone)
    return tuple(_booking(row, names, row.created_at.astimezone(zone)) for row in transactions)


def _booking(row: XPTransaction, names: dict[str, str], at: datetime) -> Booking:
    on = row.earned_on or at.date()
    icon = SOURCE_ICONS.get(Source(row.source), "zap")
    return Booking(row.xp_amount, _label(row, names), icon, on, at if on == at.date() else None)


def _label(row: XPTransaction, names: dict[str, str]) -> str:
    if row.source == Source.STREAK:
        return _("Streak bonus")
    if row.source == Source.ACHIEVEMENT:
        return names.get(row.reference_id) or _("Achievement")
    if row.source == Source.ACTIVITY:
        kind = get_settings().activity_types.get(row.reason)
        return translated(kind.label) if kind and kind.label else row.reason.replace("_", " ").capitalize()
    if row.source == Source.REVERSAL:
        return _("Correction")
    return row.reason

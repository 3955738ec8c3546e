"""One user's record told naively, from what a test did, and what must hold of the rows whatever was done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gamification.models import (
    Activity,
    UserAchievement,
    UserCounter,
    UserDay,
    UserStreak,
    UserXP,
    VoidedActivity,
    XPTransaction,
)
from gamification.services import integrity
from gamification.tests.domain.naive import Naive

UTC_ZONE = ZoneInfo("UTC")
#: Kind, data, what it pays and what it raises for one of it.
KINDS: list[tuple[str, dict[str, Any], int, dict[str, int]]] = [
    ("daily_visit", {}, 0, {}),
    ("words_learned", {}, 0, {"words_learned": 1}),
    ("conversation_completed", {"minutes": 15}, 0, {"conversations_completed": 1, "study_minutes": 15}),
    (
        "scenario_completed",
        {"difficulty": "beginner", "minutes": 30, "language": "es"},
        80,
        {"scenarios_completed": 1, "study_minutes": 30, "languages_practised:es": 1},
    ),
    (
        "scenario_completed",
        {"difficulty": "advanced", "minutes": 60, "language": "fr-CA", "perfect": True},
        300,
        {"scenarios_completed": 1, "study_minutes": 60, "perfect_scenarios": 1, "languages_practised:fr": 1},
    ),
]
TABLES = (Activity, VoidedActivity, XPTransaction, UserAchievement, UserCounter, UserDay, UserStreak, UserXP)


@dataclass
class Told:
    """An activity that was recorded: what was sent, and what it should have come to."""

    row: Activity
    pays: int
    raises: dict[str, int]
    zone: ZoneInfo
    is_void: bool = False

    @property
    def local(self) -> datetime:
        return self.row.occurred_at.astimezone(self.zone)

    @property
    def is_early(self) -> bool:
        return 5 <= self.local.hour < 8

    @property
    def night(self) -> date | None:
        if self.local.hour >= 22:
            return self.local.date()
        return self.local.date() - timedelta(days=1) if self.local.hour < 2 else None


@dataclass
class Model:
    """What was done to a user so far; ``streak`` is told as long as nothing was voided."""

    zone: ZoneInfo = UTC_ZONE
    told: list[Told] = field(default_factory=list)
    awarded: int = 0
    streak: Naive | None = field(default_factory=lambda: Naive(UTC_ZONE, 3))

    @property
    def counting(self) -> list[Told]:
        return [each for each in self.told if not each.is_void]

    def counters(self) -> dict[str, int]:
        """Return what the activities that count add up to."""
        found: Counter[str] = Counter()
        for each in self.counting:
            found.update(each.raises)
        found["languages_practised"] = sum(name.startswith("languages_practised:") for name in found)
        found["early_days"] = len({each.local.date() for each in self.counting if each.is_early})
        found["night_days"] = len({each.night for each in self.counting} - {None})
        return {name: value for name, value in found.items() if value}


def rows_of(user: Any) -> dict[str, list[dict[str, Any]]]:
    """Return every row of ``user``."""
    return {model.__name__: list(model._default_manager.filter(user=user).order_by("pk").values()) for model in TABLES}


def check(user: Any, model: Model, now: datetime) -> None:
    """Hold the rows of ``user`` against ``model`` and against each other."""
    if not UserStreak.objects.filter(user=user).exists():
        assert not any(rows_of(user).values())
        return
    ledger = list(XPTransaction.objects.filter(user=user).select_related("reverses").order_by("pk"))
    days = {row.date: row for row in UserDay.objects.filter(user=user)}
    _check_ledger(ledger)
    _check_total(UserXP.objects.get(user=user), ledger)
    _check_sources(user, model, ledger)
    _check_counters(user, model)
    _check_days(model, days, ledger)
    _check_streak(UserStreak.objects.get(user=user), model, days)
    assert [str(drift) for drift in integrity.verify(users=[user], now=now)] == []


def _live(ledger: list[XPTransaction]) -> list[XPTransaction]:
    taken_back = {row.reverses_id for row in ledger}
    return [row for row in ledger if row.pk not in taken_back and row.reverses_id is None]


def _check_ledger(ledger: list[XPTransaction]) -> None:
    """At most one reversal for each row, equal and opposite, on the same date; never one of a reversal."""
    reversals = [row for row in ledger if row.reverses_id is not None]
    assert len({row.reverses_id for row in reversals}) == len(reversals)
    for row in reversals:
        original = row.reverses
        assert original is not None
        assert (row.user_id, row.xp_amount, row.earned_on) == (
            original.user_id,
            -original.xp_amount,
            original.earned_on,
        )
        assert (row.source, original.reverses_id) == ("reversal", None)
    assert len({(row.source, row.key) for row in ledger}) == len(ledger)


def _check_total(row: UserXP, ledger: list[XPTransaction]) -> None:
    """The total is the sum of the rows; level, title, progress are read off a table that is walked through."""
    total, running = sum(entry.xp_amount for entry in ledger), 0
    assert row.total_xp == total >= 0
    taken_back = {entry.reverses_id for entry in ledger}
    assert row.total_xp_earned == sum(max(0, entry.xp_amount) for entry in ledger if entry.pk not in taken_back)
    for entry in ledger:
        running += entry.xp_amount
    level, left = 1, total
    while level < 100 and left >= _cost(level):
        left -= _cost(level)
        level += 1
    assert (row.current_level, row.xp_to_next_level) == (level, _cost(level) - left)
    assert int(row.level_progress_percentage * 100) == 10_000 * left // _cost(level)
    assert row.title == ("Novice" if level < 10 else "Apprentice" if level < 20 else row.title)
    assert row.highest_level >= row.current_level


def _cost(level: int) -> int:
    """Return 100 * 1.15 ** (level - 1), rounded half up."""
    return (200 * 23 ** (level - 1) + 20 ** (level - 1)) // (2 * 20 ** (level - 1))


def _check_sources(user: Any, model: Model, ledger: list[XPTransaction]) -> None:
    """Activities, days and achievements that pay have one live row each at most, and what was taken back has none."""
    live = _live(ledger)
    booked = {int(row.key): row.xp_amount for row in ledger if row.source == "activity"}
    assert booked == {each.row.pk: each.pays for each in model.told if each.pays}
    paying = {int(row.key) for row in live if row.source == "activity"}
    assert not paying & {each.row.pk for each in model.told if each.is_void}
    bonuses = [row.earned_on for row in live if row.source == "streak"]
    active = {each.row.local_date for each in model.counting if each.row.is_in_streak}
    assert len(set(bonuses)) == len(bonuses)
    assert set(bonuses) <= active
    assert sum(row.xp_amount for row in ledger if row.source == "client") == model.awarded
    due = {
        f"{row.achievement_id}:{row.grants}": row.unlock_metadata["xp"]
        for row in UserAchievement.objects.filter(user=user, unlocked_at__isnull=False, revoked_at__isnull=True)
        if row.unlock_metadata["xp"]
    }
    assert {row.key: row.xp_amount for row in live if row.source == "achievement"} == due


def _check_counters(user: Any, model: Model) -> None:
    """Counters are what the activities that count say."""
    stored = dict(UserCounter.objects.filter(user=user).values_list("name", "value"))
    held = UserAchievement.objects.filter(user=user, unlocked_at__isnull=False, revoked_at__isnull=True).count()
    assert stored.pop("achievements_unlocked", 0) == held
    assert {name: value for name, value in stored.items() if value} == model.counters()


def _check_days(model: Model, days: dict[date, UserDay], ledger: list[XPTransaction]) -> None:
    """Each day has its activities, its XP, its early morning and its night."""
    activities = Counter(each.local.date() for each in model.counting)
    booked: Counter[date] = Counter()
    for row in ledger:
        if row.earned_on is not None:
            booked[row.earned_on] += row.xp_amount
    assert {on: row.activities for on, row in days.items() if row.activities} == dict(activities)
    assert {on: row.xp for on, row in days.items() if row.xp} == {on: xp for on, xp in booked.items() if xp}
    assert {on for on, row in days.items() if row.is_early} == {
        each.local.date() for each in model.counting if each.is_early
    }
    assert {on for on, row in days.items() if row.is_night} == {each.night for each in model.counting} - {None}


def _check_streak(row: UserStreak, model: Model, days: dict[date, UserDay]) -> None:
    """The streak is what the days say; while nothing was voided they are those of the naive telling."""
    active = {on for on, day in days.items() if day.status == "active"}
    frozen = {on for on, day in days.items() if day.status == "frozen"}
    assert active == {each.row.local_date for each in model.counting if each.row.is_in_streak}
    covered = {on for on, day in days.items() if day.status}
    runs, running, on = [0], 0, min(covered, default=date(2026, 1, 1))
    while on <= max(covered, default=date(2025, 1, 1)):
        running = running + (on in active) if on in covered else 0
        runs.append(running)
        on += timedelta(days=1)
    assert (row.current_streak, row.longest_streak, row.total_active_days) == (running, max(runs), len(active))
    assert row.longest_streak >= row.current_streak >= 0
    assert (row.last_day, row.last_activity_date) == (max(active | frozen, default=None), max(active, default=None))
    times = [each.row.occurred_at for each in model.counting if each.row.is_in_streak]
    assert row.last_at == max(times, default=None)
    tokens = 3 + sum(day.freezes_earned + day.freezes_returned - day.freezes_used for day in days.values())
    assert 0 <= row.streak_freezes_available == tokens <= 3
    assert all(day.freezes_used > day.freezes_returned for day in days.values() if day.status == "frozen")
    if model.streak is not None:
        naive = model.streak
        assert active == {on for on, status in naive.days.items() if status == "active"}
        assert frozen == {on for on, status in naive.days.items() if status == "frozen"}
        assert (row.current_streak, row.longest_streak, row.streak_freezes_available) == (
            naive.stored_current,
            naive.longest,
            naive.tokens,
        )
        deadline = naive.first_broken_second()
        assert row.expires_at == (deadline.astimezone(UTC) if deadline else None)

"""Twelve years of somebody else's project: every streak and every rank, held against an independent computation."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model

from gamification.models import Activity
from gamification.services import integrity, leaderboards, streaks

pytestmark = pytest.mark.django_db

KIND = {"counters": {"contributions": 1}, "xp": 1}
GAMIFICATION = {
    "ACTIVITY_TYPES": {"commit": KIND, "merge": KIND},
    "LEADERBOARD_COUNTERS": ["contributions"],
    "STREAK_FREEZES": 0,
    "STREAK_FREEZE_EARNED_EVERY": 0,
    "STREAK_BONUS_MAX": 0,
    # Everybody's rank is read from the snapshot; the live ranks are held against it elsewhere.
    "LEADERBOARD_OPTIONS": {"depth": 2000},
}
BOARDS = {"all": "contributions", "rolling_7": "xp_weekly", "rolling_30": "xp_monthly"}
DATES = ("2014-03-10", "2016-02-29", "2018-03-12", "2020-10-26", "2023-03-27", "2025-03-10", "2026-08-22")
LAST = DATES[-1]
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SLOW = pytest.mark.slow


@dataclass(frozen=True)
class Contributions:
    """The rows in the order of the file, and what they come to."""

    rows: list[dict[str, str]]
    expected: dict[str, Any]

    def between(self, begins: datetime, ends: datetime) -> list[dict[str, str]]:
        return [row for row in self.rows if begins <= datetime.fromisoformat(row["occurred_at"]) < ends]


@cache
def read(folder: Path) -> Contributions:
    with gzip.open(folder / "contributions.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    with gzip.open(folder / "contributions_expected.json.gz", "rt") as file:
        return Contributions(rows, json.load(file))


@pytest.fixture
def contributions(shared, settings) -> Contributions:
    settings.GAMIFICATION = GAMIFICATION
    return read(shared / "data")


@pytest.fixture
def load(manage, tmp_path):
    """Return a function that imports rows at a moment and returns what was said; all of them go in."""

    def _load(rows: Iterable[dict[str, str]], now: datetime) -> str:
        path = tmp_path / "contributions.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["user", "kind", "occurred_at", "key"])
            writer.writeheader()
            writer.writerows(rows)
        with time_machine.travel(now, tick=False):
            outcome = manage("import_activities", path, "--create-users")
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out

    return _load


def midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


def ranks(board: str, now: datetime) -> dict[str, int]:
    """Return everybody's rank, by name: page after page."""
    names = dict(get_user_model().objects.values_list("pk", "username"))
    found: dict[str, int] = {}
    cursor = ""
    while True:
        page = leaderboards.top(board, limit=100, cursor=cursor, now=now)
        found |= {names[entry.user_id]: entry.rank for entry in page.entries}
        if not page.next:
            return found
        cursor = page.next


def readings(now: datetime) -> dict[str, dict[str, int]]:
    """Return what is told of everybody's days, by name."""
    numbers: dict[Any, int] = {}
    for user_id in Activity.objects.values_list("user_id", flat=True):
        numbers[user_id] = numbers.get(user_id, 0) + 1
    told = {}
    for user in get_user_model().objects.filter(pk__in=numbers):
        status = streaks.status(user, now=now)
        told[user.username] = {
            "activities": numbers[user.pk],
            "active_days": status.total_active_days,
            "current": status.current,
            "longest": status.longest,
        }
    return told


def check(contributions: Contributions, day: str, load: Any, *, shuffled: bool = False) -> None:
    """Import what was done before ``day``, hold everything against what it should be, and verify it.

    The expected boards are those of the second before the day; the expected streaks know what was done on it, too.
    """
    expected, begins = contributions.expected[day], midnight(day)
    ends = begins + DAY
    rows, late = contributions.between(LONG_AGO, begins), contributions.between(begins, ends)
    if shuffled:
        Random(day).shuffle(rows)
    busy = {row["user"] for row in late}

    load(rows, begins)
    before = readings(begins)
    found_ranks = {name: ranks(board, begins - SECOND) for name, board in BOARDS.items()}
    load(late, ends)

    assert found_ranks == {name: board["ranks"] for name, board in expected["boards"].items()}
    assert without(before, busy) == without(expected["streaks"], busy)
    assert readings(ends - SECOND) == expected["streaks"]


def without(found: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


@pytest.mark.parametrize("day", [pytest.param(day, marks=SLOW if day > "2017" else ()) for day in DATES[:-1]])
def test_every_streak_and_every_rank_is_right(contributions, load, day):
    check(contributions, day, load)


@SLOW
def test_so_they_are_with_all_rows_and_again_changes_nothing(contributions, load):
    check(contributions, LAST, load)
    before = readings(midnight(LAST))

    told = load(contributions.rows, midnight(LAST) + DAY)

    assert told.splitlines()[1:4] == [
        "  recorded             0",
        "  replayed        20,624",
        "  refused              0",
    ]
    assert readings(midnight(LAST)) == before
    assert list(integrity.verify(now=midnight(LAST))) == []


@pytest.mark.parametrize("day", ["2016-02-29", pytest.param(LAST, marks=SLOW)])
def test_the_order_of_the_rows_makes_no_difference(contributions, load, day):
    check(contributions, day, load, shuffled=True)

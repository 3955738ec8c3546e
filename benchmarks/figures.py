"""The figures of the monitoring page among a million people: computing a date, and reading ninety.

The ledger has 1,000,000 rows, with ``FULL=1`` in the environment ten million; all of the last 100 dates.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import partial
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import people
from benchmarks.harness import Measurement, cost, seconds
from benchmarks.people import CHECKED, UNCHECKED, before, numbers
from gamification.engine import measures
from gamification.models import Achievement
from gamification.services import achievements, figures

DATABASES = ("sqlite", "postgresql")
DATES = 100
NOW = datetime.combine(people.TODAY, time(12), UTC)
SCAN = "adding up the ledger by date and source"
#: How many of the definitions each has unlocked, and on how many more everybody is on the way.
UNLOCKED, ON_THE_WAY = 3, 3
SOURCES = "CASE i % 10 WHEN 0 THEN 'streak' WHEN 1 THEN 'achievement' WHEN 2 THEN 'client' ELSE 'activity' END"


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    """Yield what a date costs to compute, and what ninety cost to read, beside a scan of the ledger."""
    users = 20_000 if is_quick else 1_000_000
    ledger = 100_000 if is_quick else 10_000_000 if os.environ.get("FULL") == "1" else 1_000_000
    achievements.initialize()
    people.populate(people.Crowd(users))
    _fill(users, ledger)
    whole = seconds(lambda: figures.refresh(now=NOW))
    labels: dict[str, Any] = {"rounds": 3, "against": SCAN}
    rows = f"{users:,} people, {ledger:,} rows of the ledger"
    with CaptureQueriesContext(connection) as queries:
        figures.refresh(days=1, now=NOW)
    note = f"{len(queries)} statements; all 96 dates took {whole:.0f} s"
    yield cost(f"a date that was, {rows}", database, _scan, partial(measures.of_date, people.TODAY), **labels)
    today = partial(figures.refresh, days=1, now=NOW)
    yield cost(f"today, with levels and holders, {rows}", database, _scan, today, note=note, **labels)
    yield cost(
        f"reading 90 dates, {rows}", database, _scan, partial(figures.read, 90, now=NOW), note="2 statements", **labels
    )


def _scan() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT earned_on, source, SUM(xp_amount) FROM gamification_xptransaction GROUP BY earned_on, source"
        )
        cursor.fetchall()


def _fill(users: int, ledger: int) -> None:
    """Write a ledger in order of time, a day for every second row of it, and achievements."""
    on = before(f"{DATES - 1} - i * {DATES} / {ledger}")
    no = "false" if connection.vendor == "postgresql" else "0"
    booked = (
        "INSERT INTO gamification_xptransaction (user_id, xp_amount, reason, reference_id, created_at, metadata, "
        f"source, key, earned_on, content_hash, outcome) {numbers(0, ledger - 1)} SELECT 1 + i % {users}, "
        f"5 + i % 199, CASE i % 10 WHEN 2 THEN 'gift' ELSE 'scenario_completed' END, '', "
        f"'2026-06-10 12:00:00+00', '{{}}', {SOURCES}, 'k' || i, {on}, '', '{{}}' FROM s"
    )
    # The same people for a week at a time, so that there are streaks.
    active = max(1, ledger // DATES // 2)
    week = f"(i / {active} / 14)"
    days = (
        f"{people.INTO_DAYS} {numbers(0, active * DATES - 1)} SELECT 1 + (i % {active} * 7 + {week} * {active}) % "
        f"{users}, {before(f'{DATES - 1} - i / {active}')}, 'active', '', 2, 100, 0, i % 50 / 49, 0, {no}, {no} FROM s"
    )
    moment = f"({before(f'i % {DATES}')})"
    moment = f"{moment}::timestamptz" if connection.vendor == "postgresql" else f"{moment} || ' 12:00:00'"
    names = [each.achievement_id for each in Achievement.objects.all()]
    cases = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(names))
    unlocks = (
        "INSERT INTO gamification_userachievement (user_id, achievement_id, progress, unlock_metadata, grants, "
        f"unlocked_at) {numbers(0, users * (UNLOCKED + ON_THE_WAY) - 1)} SELECT 1 + i % {users}, "
        f"CASE (i % {users} + i / {users}) % {len(names)} {cases} END, 50, '{{}}', 0, "
        f"CASE WHEN i / {users} < {UNLOCKED} THEN {moment} END FROM s"
    )
    with connection.cursor() as cursor:
        for setting in UNCHECKED[connection.vendor]:
            cursor.execute(setting)
        for statement in (booked, days, unlocks):
            cursor.execute(statement)
        for setting in CHECKED[connection.vendor]:
            cursor.execute(setting)
    people.vacuum()

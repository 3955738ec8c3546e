"""One activity at a time: ``record`` against raw statements that write the same rows.

The floor knows everything beforehand: it reads nothing, checks nothing and computes nothing. It adds a row to the log
and one to the ledger, raises three counters and the day, the streak and the total, and overwrites the progress of four
achievements, in one transaction over the database's own driver.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
from django.contrib.auth import get_user_model
from django.db import connection, connections, transaction

from benchmarks.harness import Measurement, speed, verified
from gamification.services import achievements, activities
from gamification.services.activities import Event

DATABASES = ("sqlite", "postgresql")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DATA = {"difficulty": "beginner", "minutes": 20, "language": "es"}
PER_ROUND = 300
PAST_DAYS = 12

ACTIVITY = """INSERT INTO gamification_activity (user_id, kind, key, quantity, data, occurred_at, timezone, local_date,
    is_in_streak, counters, content_hash, outcome, recorded_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id"""
LEDGER = """INSERT INTO gamification_xptransaction (user_id, xp_amount, reason, reference_id, created_at, metadata,
    source, key, earned_on, content_hash, outcome) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
COUNTERS = """INSERT INTO gamification_usercounter (user_id, name, value)
    VALUES (%s, %s, %s), (%s, %s, %s), (%s, %s, %s)
    ON CONFLICT (user_id, name) DO UPDATE SET value = gamification_usercounter.value + excluded.value"""
DAY = """INSERT INTO gamification_userday (user_id, date, status, reason, activities, xp, freezes_earned, freezes_used,
    freezes_returned, is_early, is_night) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (user_id, date) DO UPDATE SET activities = gamification_userday.activities + excluded.activities,
    xp = gamification_userday.xp + excluded.xp"""
STREAK = """UPDATE gamification_userstreak SET current_streak = %s, longest_streak = %s, last_activity_date = %s,
    last_day = %s, last_at = %s, expires_at = %s, total_active_days = %s WHERE user_id = %s"""
TOTAL = """UPDATE gamification_userxp SET total_xp = total_xp + %s, total_xp_earned = total_xp_earned + %s,
    current_level = %s, highest_level = %s, xp_to_next_level = %s, level_progress_percentage = %s, title = %s,
    version = version + 1 WHERE user_id = %s"""
PROGRESS = f"""INSERT INTO gamification_userachievement (user_id, achievement_id, progress, unlock_metadata, grants)
    VALUES {", ".join(["(%s, %s, %s, %s, %s)"] * 4)}
    ON CONFLICT (user_id, achievement_id) DO UPDATE SET progress = excluded.progress"""
RISING = ("scenario_expert", "scenario_master", "scenario_marathoner", "dedicated_student")


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    users = seed(100 if is_quick else 1000)
    floor = _floor(database, users)
    numbers = count()

    def product() -> None:
        for _ in range(PER_ROUND):
            number = next(numbers)
            user, now = users[number % len(users)], _moment(number, len(users))
            receipt = activities.record(user, "scenario_completed", key=f"one-{number}", data=DATA, now=now)
            if receipt.achievements_unlocked or receipt.is_replay:
                raise SystemExit("The floor unlocks nothing and replays nothing, so neither may this.")

    yield speed(
        "the floor's statements through Django's cursor",
        database,
        floor,
        _through_django(database, users),
        rounds=3 if is_quick else 15,
        operations=PER_ROUND,
        against="raw driver, same tables",
    )
    yield speed(
        "one record of a scenario",
        database,
        floor,
        product,
        rounds=3 if is_quick else 15,
        operations=PER_ROUND,
        against="raw driver, same tables",
        goal=">= 0.6" if database == "sqlite" else ">= 0.75",
    )
    verified()


def seed(number: int) -> list[Any]:
    """Return that many people, each with twelve days of scenarios; today's first is done."""
    achievements.initialize()
    model = get_user_model()
    made = [model(username=f"person{number}", password="!") for number in range(number)]
    users: list[Any] = model._default_manager.bulk_create(made)
    for day in range(PAST_DAYS, -1, -1):
        at = NOON - timedelta(days=day)
        past = [Event(user, "scenario_completed", f"past-{day}", 1, DATA, at) for user in users]
        activities.record_many(past, now=at)
    return users


def _moment(number: int, users: int) -> datetime:
    return NOON + timedelta(minutes=1 + number // users)


def _floor(database: str, users: list[Any]) -> Any:
    """Return the function that writes as many rows into a copy of the database, over the bare driver."""
    raw = raw_copy(database)
    numbers = count()

    def floor() -> None:
        for _ in range(PER_ROUND):
            number = next(numbers)
            _write(raw.execute, users[number % len(users)].pk, number, _moment(number, len(users)))
            raw.commit()

    return floor


def _through_django(database: str, users: list[Any]) -> Any:
    """Return the floor over Django's own cursor and transaction, in another copy of the database."""
    connections.settings["floor"] = {**connection.settings_dict, "NAME": raw_copy(database).name}
    numbers = count()

    def plumbing() -> None:
        for _ in range(PER_ROUND):
            number = next(numbers)
            with transaction.atomic("floor"), connections["floor"].cursor() as cursor:
                _write(partial(_execute, cursor), users[number % len(users)].pk, number, _moment(number, len(users)))

    return plumbing


def _execute(cursor: Any, statement: str, values: tuple[Any, ...]) -> Any:
    cursor.execute(statement, [_plain(value) for value in values] if connection.vendor == "sqlite" else values)
    return cursor


def _write(execute: Any, user: int, number: int, now: datetime) -> None:
    today, key = now.date(), f"one-{number}"
    what = (user, "scenario_completed", key, 1, DATA_TEXT, now, "UTC", today)
    (activity,) = execute(ACTIVITY, (*what, True, RAISED, "0" * 64, OUTCOME, now)).fetchone()
    paid = (user, 70, "scenario_completed", key, now, "{}", "activity", str(activity), today)
    execute(LEDGER, (*paid, "", "{}"))
    counters = ("scenarios_completed", 1), ("study_minutes", 20), ("languages_practised:es", 1)
    execute(COUNTERS, tuple(value for name, by in counters for value in (user, name, by)))
    execute(DAY, (user, today, "active", "", 1, 70, 0, 0, 0, False, False))
    execute(STREAK, (13, 13, today, today, now, now + timedelta(days=3), 13, user))
    execute(TOTAL, (70, 70, 9, 9, 200, 50.25, "Novice", user))
    rows = ((user, name, 50 + number % 40, "{}", 0) for name in RISING)
    execute(PROGRESS, tuple(value for row in rows for value in row))


DATA_TEXT = json.dumps(DATA)
RAISED = json.dumps({"scenarios_completed": 1, "study_minutes": 20, "languages_practised:es": 1})
#: As long as what a receipt keeps for replays.
OUTCOME = json.dumps(
    {
        "xp": 70,
        "streak": {
            "current": 13,
            "longest": 13,
            "freezes": 3,
            "status": "active",
            "expires_at": "2026-06-06T00:00:00+00:00",
            "last_activity_date": "2026-06-01",
            "total_active_days": 13,
            "action": "maintained",
            "transitions": ["maintained"],
            "reason": None,
            "is_replay": False,
            "xp_awarded": 0,
        },
        "total_xp": 1500,
        "highest_level": 9,
        "level_up": False,
        "unlocked": [],
    }
)


class SQLite:
    """The driver alone, on a copy of the database."""

    def __init__(self) -> None:
        source = str(connection.settings_dict["NAME"])
        connection.close()
        self.name = shutil.copy(source, f"{source}.{uuid4().hex}")
        self._raw = sqlite3.connect(self.name, isolation_level=None)
        self._raw.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")

    def execute(self, statement: str, values: tuple[Any, ...]) -> Any:
        if not self._raw.in_transaction:
            self._raw.execute("BEGIN IMMEDIATE")
        return self._raw.execute(statement.replace("%s", "?"), [_plain(value) for value in values])

    def insert_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._raw.execute("BEGIN IMMEDIATE")
        self._raw.executemany(statement.replace("%s", "?"), ([_plain(value) for value in row] for row in rows))
        self._raw.commit()

    def commit(self) -> None:
        self._raw.commit()


class PostgreSQL:
    """The driver alone, on a copy of the database; every statement is prepared."""

    def __init__(self) -> None:
        own = connection.settings_dict
        url = f"postgres://{own['USER']}@{own['HOST']}:{own['PORT']}"
        self.name = f"floor_{uuid4().hex}"
        connection.close()
        with psycopg.connect(f"{url}/template1", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {self.name} TEMPLATE {own['NAME']}")
        self._raw = psycopg.connect(f"{url}/{self.name}", prepare_threshold=0)
        self._cursor = self._raw.cursor()
        self.execute = self._cursor.execute
        self.commit = self._raw.commit

    def insert_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._cursor.executemany(statement, rows)
        self._raw.commit()


def raw_copy(database: str) -> Any:
    """Return the bare driver's connection to a copy of the database."""
    return SQLite() if database == "sqlite" else PostgreSQL()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, datetime) else value.isoformat() if hasattr(value, "isoformat") else value

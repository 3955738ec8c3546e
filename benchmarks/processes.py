"""Several processes on one PostgreSQL: how recording and working on the backlog grow with their number.

The floor of each is one process doing the same. What is measured is how many operations a second all do together, so
nobody can grow past the number of cores, which the server shares. Beside the product stands a driver that does the
least that recording must do (lock the user, append to a log and a ledger, add up, commit): it waits for the disk more
than it computes, and shows what more processes are worth to the server alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import psycopg
from django.contrib.auth import get_user_model

from benchmarks.harness import Measurement, seconds, verified
from gamification import tasks
from gamification.services import achievements, activities, ingestion
from gamification.services.activities import Event
from gamification.tests.workers import run_workers

DATABASES = ("postgresql",)
USERS_EACH = 25
USERS_OF_BACKLOG = 200
#: By the number of processes. More of them than cores win nothing but the waits for the disk.
GOALS = {2: ">= 1.3", 4: ""}
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
TURN, NUMBER, URL = "BENCHMARK_TURN", "BENCHMARK_NUMBER", "DATABASE_URL"

DRIVER_TABLES = """
CREATE TABLE driver_total (user_id bigint PRIMARY KEY, total bigint NOT NULL);
CREATE TABLE driver_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint, key text, at timestamptz,
    UNIQUE (user_id, key));
CREATE TABLE driver_ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint, key text, xp bigint,
    UNIQUE (user_id, key));
INSERT INTO driver_total SELECT id, 0 FROM auth_user;
"""

Worker = Callable[[int], list[float]]


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    achievements.initialize()
    model = get_user_model()
    model._default_manager.bulk_create(model(username=f"user{number}") for number in range(USERS_OF_BACKLOG))
    with psycopg.connect(os.environ[URL]) as connection:
        connection.execute(DRIVER_TABLES)
    turns = iter(range(10_000))
    rounds, number = (1, 40) if is_quick else (3, 120)
    processes = (1, 2) if is_quick else (1, 2, 4)
    driver: list[dict[int, float]] = []
    product: list[dict[int, float]] = []
    for _ in range(rounds):
        driver.append({n: _together(drive, n, next(turns), number) for n in processes})
        product.append({n: _together(record, n, next(turns), number) for n in processes})
    for n in processes[1:]:
        yield _growth(f"driver, {n} processes", driver, n)
        yield _growth(f"record, {n} processes", product, n, GOALS[n])
    yield from _backlog(rounds, 400 if is_quick else 1000, turns)
    verified()


def record(number: int) -> list[float]:
    """Record for users whom no other process writes for; return when it began and ended."""
    users = list(get_user_model()._default_manager.order_by("pk")[number * USERS_EACH : (number + 1) * USERS_EACH])
    turn, times = os.environ[TURN], int(os.environ[NUMBER])
    activities.record(users[0], "study_session", key=f"{turn}:warm")
    begun = time.time()
    for one in range(times):
        activities.record(users[one % USERS_EACH], "study_session", key=f"{turn}:{number}:{one}", data={"minutes": 5})
    return [begun, time.time()]


def drive(number: int) -> list[float]:
    """Do the least that recording must do, for the same users; return when it began and ended."""
    turn, times = os.environ[TURN], int(os.environ[NUMBER])
    with psycopg.connect(os.environ[URL]) as connection:
        ids = [pk for (pk,) in connection.execute("SELECT id FROM auth_user ORDER BY id")]
        connection.commit()
        begun = time.time()
        for one in range(times):
            pk, key = ids[number * USERS_EACH + one % USERS_EACH], f"{turn}:{number}:{one}"
            connection.execute("SELECT total FROM driver_total WHERE user_id = %s FOR UPDATE", [pk])
            connection.execute("INSERT INTO driver_log (user_id, key, at) VALUES (%s, %s, now())", [pk, key])
            connection.execute("INSERT INTO driver_ledger (user_id, key, xp) VALUES (%s, %s, 5)", [pk, key])
            connection.execute("UPDATE driver_total SET total = total + 5 WHERE user_id = %s", [pk])
            connection.commit()
        return [begun, time.time()]


def work(number: int) -> list[float]:
    """Work on the backlog until it is empty; return when it began and ended."""
    begun = time.time()
    ingestion.work(now=NOON)
    return [begun, time.time()]


def _together(worker: Worker, n: int, turn: int, number: int) -> float:
    """Let ``n`` processes do ``number`` operations each, and return how many a second they did together."""
    env = {URL: os.environ[URL], TURN: str(turn), NUMBER: str(number)}
    outcomes = run_workers(worker, n, env, timeout=600)
    if wrong := [outcome.stderr for outcome in outcomes if outcome.returncode]:
        raise SystemExit(wrong[0])
    return n * number / (max(end for _, end in _values(outcomes)) - min(begun for begun, _ in _values(outcomes)))


def _values(outcomes: list[Any]) -> list[list[float]]:
    return [outcome.value for outcome in outcomes]


def _backlog(rounds: int, number: int, turns: Iterator[int]) -> Iterator[Measurement]:
    """Compare one worker with ``record_many`` of the same events, and two workers with one."""
    tasks.work_after_commit = lambda: None  # the workers are those that are measured
    rates: list[dict[int, float]] = []
    for _ in range(rounds):
        batch = _events(next(turns), number)
        direct = number / seconds(partial(_record_in_parts, batch))
        ingestion.enqueue(_events(next(turns), number), now=NOON)
        one = _together(work, 1, 0, number)
        ingestion.enqueue(_events(next(turns), number), now=NOON)
        two = _together(work, 2, 0, number // 2)
        rates.append({0: direct, 1: one, 2: two})
    yield _row("backlog, 1 worker", "record_many", [each[1] / each[0] for each in rates], rates, 0, 1, ">= 0.6")
    yield _row("backlog, 2 workers", "1 worker", [each[2] / each[1] for each in rates], rates, 1, 2, ">= 1.3")


def _record_in_parts(batch: list[Event]) -> None:
    for start in range(0, len(batch), 2000):
        activities.record_many(batch[start : start + 2000], now=NOON)


def _events(turn: int, number: int) -> list[Event]:
    """Return what everybody did in the last days, user by user."""
    users = list(get_user_model()._default_manager.order_by("pk"))
    each = number // len(users)
    return [
        Event(user, "study_session", f"backlog:{turn}:{one}", occurred_at=NOON - timedelta(hours=one % 100))
        for user in users
        for one in range(each)
    ]


def _growth(work: str, rates: list[dict[int, float]], n: int, goal: str = "") -> Measurement:
    return _row(work, "1 process", [each[n] / each[1] for each in rates], rates, 1, n, goal)


def _row(
    work: str, against: str, ratios: list[float], rates: list[dict[int, float]], floor: int, own: int, goal: str = ""
) -> Measurement:
    return Measurement(
        work,
        "postgresql",
        round(median(ratios), 3),
        round(min(ratios), 3),
        round(max(ratios), 3),
        goal=goal,
        against=against,
        floor_us=round(1e6 / median(each[floor] for each in rates), 1),
        product_us=round(1e6 / median(each[own] for each in rates), 1),
        rounds=len(ratios),
    )

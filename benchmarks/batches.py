"""Many activities at once: ``record_many``, end state complete, against bare INSERTs of the rows of the log alone.

The floor is less than any implementation can do: no counters, days, streaks, ledger, totals or progress. Beside it,
what it costs to find out which achievements an activity unlocks, with 27 definitions and with 1,000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

from benchmarks.harness import Measurement, cost, speed, verified
from benchmarks.record import DATA_TEXT, NOON, OUTCOME, RAISED, raw_copy, seed
from gamification.domain.conditions import Clause, Group
from gamification.engine.rules import Rule, Rulebook, indexed
from gamification.services import activities
from gamification.services.activities import Event

DATABASES = ("sqlite", "postgresql")
PLAIN = """INSERT INTO gamification_activity (user_id, kind, key, quantity, data, occurred_at, timezone, local_date,
    is_in_streak, counters, content_hash, outcome, recorded_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
METRICS = [f"metric_{number}" for number in range(10)]
LOOKUPS = 2000


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    if database == "sqlite":
        yield _unlocking()
    users = seed(200 if is_quick else 1000)
    raw = raw_copy(database)
    sizes = {"10,000": 10_000, "50,000": 50_000} if database == "sqlite" else {"10,000": 10_000}
    for name, size in {"1,000": 1000}.items() if is_quick else sizes.items():
        yield _many(database, users, raw, name, size, rounds=1 if size > 10_000 else 3)
    verified()


def _many(database: str, users: list[Any], raw: Any, name: str, size: int, rounds: int) -> Measurement:
    numbers = count()

    def floor() -> None:
        prefix = next(numbers)
        keys = ((users[number % len(users)].pk, f"{size}-{prefix}-{number}") for number in range(size))
        raw.insert_many(PLAIN, (_row(user, key) for user, key in keys))

    def product() -> None:
        prefix = f"many-{size}-{next(numbers)}"
        batch = [
            Event(users[number % len(users)], "scenario_completed", f"{prefix}-{number}", 1, _data(number), _at(number))
            for number in range(size)
        ]
        activities.record_many(batch, now=NOON + timedelta(days=1))

    return speed(
        f"record_many of {name}",
        database,
        floor,
        product,
        rounds=rounds,
        operations=size,
        against="INSERT into the log alone",
        goal=">= 0.6" if size > 10_000 else ">= 0.35",
    )


def _data(number: int) -> dict[str, Any]:
    return {"difficulty": "beginner", "minutes": number % 60, "language": "es"}


def _at(number: int) -> Any:
    return NOON + timedelta(seconds=number)


def _row(user: int, key: str) -> tuple[Any, ...]:
    what = (user, "scenario_completed", key, 1, DATA_TEXT, NOON, "UTC", NOON.date())
    return (*what, True, RAISED, "0" * 64, OUTCOME, NOON)


def _unlocking() -> Measurement:
    """Compare the look-up of a thousand definitions with that of 27, for somebody half way through them."""
    return cost(
        "which of 1,000 does this unlock",
        "none",
        _asking(_book(27)),
        _asking(_book(1000)),
        rounds=9,
        operations=LOOKUPS,
        against="the same of 27",
        goal="<= 2",
    )


def _book(number: int) -> Rulebook:
    random = Random(1)
    rules = []
    for position in range(number):
        clause = Clause(METRICS[position % len(METRICS)], random.randrange(1, 1000))
        rules.append(Rule(f"rule-{position}", "", 50, Group("all", (clause,)), frozenset({clause.metric})))
    return indexed(rules)


def _asking(book: Rulebook) -> Callable[[], None]:
    values = dict.fromkeys(METRICS, 500)
    held = book.set_of(rule.achievement_id for rule in book.rules if rule.condition.is_met(values))
    changed = METRICS[:3]

    def ask() -> None:
        for _ in range(LOOKUPS):
            if book.within_reach(changed, values, but=held):
                raise SystemExit("Everything within reach is held already.")

    return ask

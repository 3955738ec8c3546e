"""What recording costs where triggers keep the log and the ledger append-only, beside the same without them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from benchmarks import record
from benchmarks.harness import Measurement, cost, verified
from gamification.engine.sql import triggers
from gamification.services import activities

DATABASES = ("sqlite", "postgresql")


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    """Yield the cost of recording with triggers, in turns with recording without."""
    users, numbers = record.seed(50 if is_quick else 200), count()
    operations = 40 if is_quick else 200

    def record_some() -> None:
        for _ in range(operations):
            number = next(numbers)
            activities.record(users[number % len(users)], "scenario_completed", key=f"t{number}", data=record.DATA)

    def without() -> None:
        triggers.remove("default")
        record_some()

    def with_them() -> None:
        triggers.install("default")
        record_some()

    rounds = 3 if is_quick else 9
    yield cost(
        "record with triggers", database, without, with_them, rounds=rounds, operations=operations, against="none"
    )
    triggers.remove("default")
    verified()

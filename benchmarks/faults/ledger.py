"""Random lives: whatever can be done to a user, in any order, with everything looked at after each step."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.faults.outcomes import Outcome
from gamification.services import achievements
from gamification.tests import servers
from gamification.tests.races.processes import database
from gamification.tests.services.ledger_machine import LedgerMachine

#: Machine runs on each database, and how many steps each takes at most.
RUNS, QUICK_RUNS, STEPS = {"SQLite": 1000, "PostgreSQL": 100}, 10, 15


class CountedMachine(LedgerMachine):
    """The machine, which counts what it does."""

    runs = 0
    steps = 0

    def teardown(self) -> None:
        CountedMachine.runs += 1
        CountedMachine.steps += self.looked


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield what so many machine runs have broken on each database."""
    for where, runs in RUNS.items():
        with _a_database(where) as url, database(url):
            call_command("migrate", verbosity=0)
            achievements.initialize()
            if connection.vendor == "sqlite":
                with connection.cursor() as cursor:
                    cursor.execute("PRAGMA synchronous = OFF")  # nothing is pulled here
            yield _tried(where, QUICK_RUNS if is_quick else runs)


@contextmanager
def _a_database(where: str) -> Iterator[str]:
    if where == "SQLite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/db.sqlite3"
    else:
        with servers.postgresql(durable=False) as server, servers.postgresql_database(server) as url:
            yield url


def _tried(where: str, runs: int) -> Outcome:
    CountedMachine.runs = CountedMachine.steps = 0
    lost = 0
    try:
        run_state_machine_as_test(
            CountedMachine,
            settings=settings(
                deadline=None,
                database=None,
                max_examples=runs,
                stateful_step_count=STEPS,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Exception:  # noqa: BLE001 -- whatever it is, it is what was looked for
        traceback.print_exc()
        lost = 1
    return Outcome("stateful ledger", where, CountedMachine.runs, lost, {"steps": f"{CountedMachine.steps:,}"})

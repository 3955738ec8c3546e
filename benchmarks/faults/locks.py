"""A write lock that somebody holds: writes are refused with 503 in time, reads do not notice."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial

import psycopg

from benchmarks.faults.clients import API, PAGES, READS, Answer, Clients, signed_up
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import site
from gamification.tests import servers
from gamification.tests.races import processes

#: Seconds that a write waits here for a lock.
TIMEOUT = 5
#: Seconds that a write and a read may take. Of several that wait for one row, PostgreSQL lets the second wait for the
#: first, and then for the row: twice the timeout. A read that waited for the lock would take the timeout.
WRITTEN_IN, READ_IN = 2 * TIMEOUT + 2, TIMEOUT - 1
WARM_UP = 8
#: Whoever waits keeps one of a process's four threads: with more at once a read could find none that is free.
AT_ONCE = 3
WRITES = (
    ("POST", f"{API}streaks/update", "{}"),
    ("POST", f"{API}achievements/check", "{}"),
    ("PATCH", f"{API}me", '{"timezone": "Europe/Berlin"}'),
    ("DELETE", f"{API}me/data", '{"confirm": "erase"}'),
)

Hold = Callable[[], AbstractContextManager[None]]


def run(*, is_quick: bool) -> Iterator[Outcome]:
    rounds = 1 if is_quick else 5
    with tempfile.TemporaryDirectory(prefix="gamification-locks-") as folder:
        path = f"{folder}/db.sqlite3"
        yield _try("SQLite", f"sqlite:///{path}?timeout={TIMEOUT}", rounds, lambda: _sqlite(path))
    with servers.postgresql() as server:
        for where, statement in (
            ("PostgreSQL, the user's row", "SELECT * FROM gamification_userstreak FOR UPDATE"),
            ("PostgreSQL, the table", "LOCK TABLE gamification_userstreak IN EXCLUSIVE MODE"),
        ):
            with servers.postgresql_database(server) as url:
                yield _try(where, url, rounds, lambda: _postgresql(url, statement))  # noqa: B023


@contextmanager
def _sqlite(path: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def _postgresql(url: str, statement: str) -> Iterator[None]:
    with closing(psycopg.connect(url)) as other:
        other.execute(statement)
        yield


def _try(where: str, url: str, rounds: int, hold: Hold) -> Outcome:
    with site(url, env={"LOCK_TIMEOUT": str(TIMEOUT)}) as served, processes.database(url):
        clients = signed_up(served.port)
        with clients.busy(writers=4, readers=4):
            time.sleep(WARM_UP)  # the first requests of each process load what they need
        writes: list[Answer] = []
        reads: list[Answer] = []
        for number in range(rounds):
            clients.wait_for_a_write()
            with hold():
                writes += _writes_beside(clients, number, reads)
        clients.wait_for_a_write()
        not_refused = sum(each.status != 503 or each.seconds > WRITTEN_IN for each in writes)
        not_read = sum(each.status != 200 or each.seconds > READ_IN for each in reads)
        lost = clients.lost()
        figures = {
            "writes": len(writes),
            "writes not refused in time": not_refused,
            "seconds of a refusal, at most": f"{max(each.seconds for each in writes):.1f} with a timeout of {TIMEOUT}",
            "reads": len(reads),
            "reads that were not answered": not_read,
            "seconds of a read, at most": f"{max(each.seconds for each in reads):.2f}",
            **clients.summary(lost),
        }
        tried = len(writes) + len(reads)
        return Outcome(
            "write lock held", where, tried, not_refused + not_read + clients.wrong.total() + len(lost), figures
        )


def _writes_beside(clients: Clients, number: int, reads: list[Answer]) -> list[Answer]:
    """Write in every way while the lock is held, and read meanwhile, until all writes were answered."""
    found: list[Answer] = []
    ways = [lambda: clients.award(f"held-{number}"), *(partial(clients.ask, *how) for how in WRITES)]
    for start in range(0, len(ways), AT_ONCE):
        crew = [threading.Thread(target=lambda way=way: found.append(way())) for way in ways[start : start + AT_ONCE]]
        for each in crew:
            each.start()
        while any(each.is_alive() for each in crew):
            reads += [clients.read(path) for path in READS]
            reads += [clients.look(path) for path in PAGES]
    return found

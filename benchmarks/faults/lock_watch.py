"""How long locks are held and waited for on a PostgreSQL, as seen from beside."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.faults.beside import beside

#: How often it is looked, in seconds: no hold is known better than to twice that.
INTERVAL = 0.01
#: Locks on tables that keep people from writing, or from reading, and who holds them since when.
HELD = """
SELECT l.pid, l.virtualtransaction, c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.granted AND c.relkind IN ('r', 'p') AND c.relname ~ '^(gamification|auth)_' AND l.pid <> pg_backend_pid()
AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""
#: Who of that name has waited longest, and what the one in the way is doing or has done last.
WAITED = """
SELECT extract(epoch FROM clock_timestamp() - l.waitstart)::float, l.mode, c.relname, b.query
FROM pg_locks l JOIN pg_stat_activity a USING (pid) LEFT JOIN pg_class c ON c.oid = l.relation
LEFT JOIN pg_stat_activity b ON b.pid = (pg_blocking_pids(l.pid))[1]
WHERE NOT l.granted AND l.waitstart IS NOT NULL AND a.application_name = %s ORDER BY 1 DESC LIMIT 1
"""


@dataclass(slots=True)
class Seen:
    """The longest, in seconds, that a lock was held, and that a process of the ``name`` waited for one, and which."""

    held: float = 0
    lock: str = ""
    waited: float = 0
    wait: str = ""
    looks: int = 0


def watching(url: str, name: str) -> AbstractContextManager[Seen]:
    """Look from a process of its own while the block runs; ``name`` is the application whose waits count.

    What was seen is known behind the block.
    """
    return beside(_watch, url, name, told=Seen())


def _watch(url: str, name: str, stop: Any, answer: Any) -> None:
    seen = Seen()
    since: dict[tuple[object, ...], float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        answer.send(True)
        while not stop.wait(INTERVAL):
            now, rows = time.perf_counter(), connection.execute(HELD).fetchall()
            since = {row: since.get(row, now) for row in rows}
            for row, first in since.items():
                if now - first > seen.held:
                    seen.held, seen.lock = now - first, f"{row[3]} on {row[2]}"
            waited, *what = connection.execute(WAITED, [name]).fetchone() or (0,)
            if waited > seen.waited:
                seen.waited, seen.wait = waited, f"{what[0]} on {what[1]}, behind {' '.join(str(what[2]).split())[:60]}"
            seen.looks += 1
    answer.send(seen)

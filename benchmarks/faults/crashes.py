"""PostgreSQL killed with SIGKILL, all of its processes, under a site that goes on being asked."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from django.db import connection

from benchmarks.faults.clients import Clients, signed_up
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import site
from gamification.tests import killable
from gamification.tests.killable import KillablePostgresql
from gamification.tests.races import processes

ROUNDS = 20
MEMORY = "/dev/shm"  # noqa: S108
#: Seconds from the start of the server within which the site has to take writes.
BACK_WITHIN = 5


def run(*, is_quick: bool) -> Iterator[Outcome]:
    rounds, chance = 2 if is_quick else ROUNDS, random.Random(7)
    # In memory where there is such a place: how long the disk takes over a recovery is not the site's doing, and the
    # processes that are killed cannot take with them what they have handed to the system.
    folder = MEMORY if Path(MEMORY).is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="gamification-crashes-", dir=folder) as home,
        killable.postgresql(Path(home)) as server,
        site(server.url) as served,
        processes.database(server.url),
    ):
        clients = signed_up(served.port)
        starts: list[float] = []
        back: list[float] = []
        lost: list[str] = []
        unavailable = 0
        for _ in range(rounds):
            started, came_back, refused = _crash(server, clients, chance)
            starts.append(started)
            back.append(came_back)
            unavailable += refused
            connection.close()
            lost += clients.lost()
        figures = {
            "rounds": rounds,
            **clients.summary(lost),
            "refused while away": unavailable,
            "seconds until PostgreSQL had recovered": _spread(starts),
            "seconds from then until a write was taken": _spread(back),
        }
        is_late = sum(sum(both) > BACK_WITHIN for both in zip(starts, back, strict=True))
        tried = len(clients.acknowledged)
        yield Outcome(
            "kill -9 of PostgreSQL", "PostgreSQL", tried, len(lost) + clients.wrong.total() + is_late, figures
        )


def _crash(server: KillablePostgresql, clients: Clients, chance: random.Random) -> tuple[float, float, int]:
    """Kill the server under load and start it again; return what came of it.

    That is the seconds until the server took connections, those from then until the site took a write, and how often
    it had said that it could not.
    """
    with clients.busy():
        time.sleep(chance.uniform(0.3, 1.2))
        before = len(clients.answers)
        server.kill()
        time.sleep(chance.uniform(0.3, 0.8))
        refused = sum(answer.status == 503 for _, answer in clients.answers[before:])
        started = server.start()
        begun = time.monotonic()
        return started, clients.wait_for_a_write() - begun, refused


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.2f}, {max(seconds):.2f} at most"

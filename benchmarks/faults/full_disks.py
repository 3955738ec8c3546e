"""A disk that is full: answered with 503, nothing lost that was acknowledged, and well again once there is room."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from django.db import connection

from benchmarks.faults.clients import Clients, signed_up
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import site
from gamification.tests import killable
from gamification.tests.disks import fill, make_room, small_disk
from gamification.tests.killable import KillablePostgresql
from gamification.tests.races import processes

MEGABYTES = {"SQLite": 24, "PostgreSQL": 160}
#: So that the log itself does not take the room, however much is written.
LITTLE_LOG = ("min_wal_size=2MB", "max_wal_size=8MB", "shared_buffers=8MB", "checkpoint_timeout=30s")


def run(*, is_quick: bool) -> Iterator[Outcome]:
    rounds = 1 if is_quick else 5
    with small_disk(MEGABYTES["SQLite"]) as disk:
        yield _try("SQLite", f"sqlite:///{disk}/db.sqlite3?timeout=5", disk, rounds, None)
    for is_apart in (True, False):
        where = "PostgreSQL" if is_apart else "PostgreSQL, its log on the same disk"
        with (
            small_disk(MEGABYTES["PostgreSQL"]) as disk,
            tempfile.TemporaryDirectory(prefix="gamification-log-") if is_apart else nullcontext() as apart,
            killable.postgresql(disk, LITTLE_LOG, log=Path(apart) if apart else None) as server,
        ):
            yield _try(where, server.url, disk, rounds, server)


def _try(where: str, url: str, disk: Path, rounds: int, server: KillablePostgresql | None) -> Outcome:
    with site(url) as served, processes.database(url):
        clients = signed_up(served.port)
        refused, restarts, lost = 0, 0, []
        for _ in range(rounds):
            clients.wait_for_a_write()
            number, has_restarted = _fill(clients, disk, server)
            refused += number
            restarts += has_restarted
            connection.close()
            lost += clients.lost()
        figures = {
            "rounds": rounds,
            **clients.summary(lost),
            "refused while full": refused,
            **({"times that the server itself went down and was started again": restarts} if server else {}),
        }
        # Nothing refused: then it was not full.
        wrong = len(lost) + clients.wrong.total() + int(refused == 0)
        return Outcome("disk full", where, len(clients.acknowledged), wrong, figures)


def _fill(clients: Clients, disk: Path, server: KillablePostgresql | None) -> tuple[int, bool]:
    """Fill the disk under load and make room again; return how often that was refused, and if the server fell."""
    with clients.busy():
        time.sleep(0.3)
        fill(disk)
        begun, before = time.monotonic(), len(clients.answers)
        # What was reserved is used up first.
        while time.monotonic() < begun + 20 and _refused(clients, before) < 20:
            time.sleep(0.1)
        refused = _refused(clients, before)
        make_room(disk)
        has_fallen = server is not None and server.has_ended()
        if server is not None and has_fallen:
            server.start()
        clients.wait_for_a_write()
    return refused, has_fallen


def _refused(clients: Clients, since: int) -> int:
    return sum(answer.status == 503 for _, answer in clients.answers[since:])

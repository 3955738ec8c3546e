"""Hours of steady traffic in small: memory and connections at the end are those of the beginning, and nothing drifts.

``SOAK_MINUTES`` says how long (30), ``SOAK_RATE`` how many requests a second (15). In less than ten minutes nothing
has warmed up: memory is then told, and not judged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.db import connection

from benchmarks.faults import served, traffic, visitors
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import Site
from benchmarks.faults.traffic import UNLIMITED, Traffic
from gamification.services import integrity
from gamification.tests.races import processes

MINUTES, MINUTES_QUICK, RATE = 30.0, 0.5, 15.0
VISITORS = 200
SAMPLES = 180
#: The parts of the time that are compared: minutes 3 to 5 and 28 to 30 of 30.
WARM, END = (0.1, 1 / 6), (14 / 15, 1.0)
GROWTH_PERCENT, JUDGED_MINUTES = 5.0, 10.0
WORKERS, THREADS = 2, 4


@dataclass(frozen=True, slots=True)
class Sample:
    """How things stand at a ``part`` of the time: KiB of all workers together, connections to PostgreSQL."""

    part: float
    memory: int
    connections: int


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield one outcome: lost are 5xx, drifts, dead workers, memory past 5 % more, connections past the threads."""
    minutes = float(os.environ.get("SOAK_MINUTES", MINUTES_QUICK if is_quick else MINUTES))
    rate = float(os.environ.get("SOAK_RATE", RATE))
    with served.database("PostgreSQL") as url, processes.database(url):
        people = visitors.signed_in(VISITORS)
        with (
            served.site(url, settings=UNLIMITED, processes=WORKERS, threads=THREADS) as site,
            Traffic(site, people, rate=rate) as visits,
        ):
            begun_with = site.workers()
            samples = list(_samples(site, minutes * 60))
            is_same = site.workers() == begun_with
        drifts = len(list(integrity.verify()))
    warm, end = (_between(samples, *part) for part in (WARM, END))
    growth = round(100 * (end.memory / warm.memory - 1), 1)
    failed = traffic.lost(visits.answers)
    is_grown = growth > GROWTH_PERCENT and minutes >= JUDGED_MINUTES
    # Each thread has a connection once it was needed, and lets go of it after a minute.
    is_leaking = end.connections > max(warm.connections, WORKERS * THREADS)
    yield Outcome(
        "soak",
        "PostgreSQL",
        len(visits.answers),
        failed + drifts + (not is_same) + is_grown + is_leaking,
        {
            "minutes": minutes,
            "requests a second": round(len(visits.answers) / minutes / 60, 1),
            "5xx": failed,
            "drifts": drifts,
            "memory": f"{warm.memory / 1024:.0f} to {end.memory / 1024:.0f} MiB ({growth:+} %)",
            "connections": f"{warm.connections} to {end.connections}",
            "workers that died": 0 if is_same else "some",
            "p50 / p95 / p99": traffic.told(visits.answers),
        },
    )


def _samples(site: Site, seconds: float) -> Iterator[Sample]:
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        yield Sample(passed / seconds, sum(map(_memory_of, site.workers())), _connections())
        time.sleep(seconds / SAMPLES)


def _between(samples: Sequence[Sample], begin: float, end: float) -> Sample:
    """Return the median of the samples of a part of the time."""
    some = [sample for sample in samples if begin <= sample.part <= end] or samples[-1:]
    return Sample(end, int(median(each.memory for each in some)), int(median(each.connections for each in some)))


def _memory_of(pid: int) -> int:
    """Return the KiB of a process that are in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _connections() -> int:
    """Return how many the site has to its database; that of this process is left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return int(cursor.fetchone()[0]) - 1

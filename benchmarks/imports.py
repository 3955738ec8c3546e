"""Imports: memory that does not grow with the file, and no drift after it.

``FULL=1`` imports two million generated activities and, where the file lies beside the checkout, a quarter of a million
real ones; without it a tenth of that.
"""

from __future__ import annotations

import gzip
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random

import django
from django.conf import settings
from django.db import connections
from django.test import override_settings

from benchmarks.harness import Measurement, verified
from gamification.services import achievements, imports

DATABASES = ("sqlite",)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
REAL = Path(__file__).resolve().parents[2] / "shared/data/contributions.csv.gz"
KINDS = ("scenario_completed", "words_learned", "conversation_completed", "daily_visit")


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    achievements.initialize()
    small, large = (1000, 10_000) if is_quick else (10_000, 2_000_000 if os.environ.get("FULL") else 200_000)
    first, _ = _apart(small, database)
    second, seconds = _apart(large, database)
    yield Measurement(
        f"memory of an import of {large:,} rows",
        database,
        *(round(second / first, 3),) * 3,
        goal="<= 1.1",
        against=f"one of {small:,}",
        product_us=round(seconds / large * 1e6, 1),
        note=f"{first >> 20} and {second >> 20} MB at most; {large / seconds:,.0f} rows a second",
    )
    if REAL.exists() and not is_quick:
        with gzip.open(REAL, "rt") as lines:
            rows = sum(1 for _ in lines) - 1
        begun = time.perf_counter()
        kinds = {name: {"counters": {f"{name}s": 1}, "xp": 1} for name in ("commit", "merge")}
        with REAL.open("rb") as stream, override_settings(GAMIFICATION={"ACTIVITY_TYPES": kinds}):
            done = imports.run(stream, create_users=True, now=datetime(2026, 11, 1, tzinfo=UTC))
        taken = time.perf_counter() - begun
        if done.recorded != rows:
            sys.exit(f"{done.recorded:,} of {rows:,} contributions went in.")
        yield Measurement(
            "import of real contributions",
            database,
            *(1, 1, 1),
            product_us=round(taken / rows * 1e6, 1),
            note=f"{rows:,} rows, {taken:.1f} s",
        )
    verified()


def _apart(rows: int, database: str) -> tuple[int, float]:
    """Import that many rows in a process of its own and return its greatest memory in bytes and the seconds."""
    connections.close_all()
    with get_context("spawn").Pool(1, django.setup) as pool:
        return pool.apply(_import, (rows, database))


def _import(rows: int, database: str) -> tuple[int, float]:
    settings.DEBUG = False  # else the log of statements would be what is measured
    with tempfile.TemporaryFile() as stream:
        for line in _lines(rows):
            stream.write(line)
        stream.seek(0)
        begun = time.perf_counter()
        done = imports.run(stream, create_users=True, now=NOW)
        seconds = time.perf_counter() - begun
    if done.recorded != rows:
        sys.exit(f"{done.recorded:,} of {rows:,} rows went in.")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, seconds


def _lines(rows: int) -> Iterator[bytes]:
    """Yield a file of that many activities of a hundredth as many people, over a year, in no order."""
    random = Random(rows)
    yield b"user,kind,occurred_at,key\n"
    for number in range(rows):
        at = NOW - timedelta(seconds=random.randrange(365 * 86_400))
        yield f"{rows}-{random.randrange(rows // 100)},{KINDS[number % 4]},{at.isoformat()},{number}\n".encode()

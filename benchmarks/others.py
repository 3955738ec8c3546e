"""The same work elsewhere: ``django-gamification`` on the same database, and plain sorted sets of Redis.

They do not do the same: the first keeps points and badges, without keys that make a retry harmless, levels, streaks,
boards or a lock; a sorted set keeps a number. The package is installed into a temporary folder; where that or Redis
cannot be had, its rows are left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import redis

from benchmarks.harness import Measurement, seconds, verified
from benchmarks.record import seed
from gamification.services import leaderboards, xp
from gamification.tests import servers

DATABASES = ("sqlite",)
NOW = datetime(2026, 6, 1, 13, tzinfo=UTC)
AWARDS, READS = 300, 300
PACKAGE = "django-gamification"


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    people = 200 if is_quick else 5000
    users = seed(people)
    numbers = count()

    def award() -> None:
        for _ in range(AWARDS):
            number = next(numbers)
            xp.award(users[number % people], 10, reason="work", key=f"award-{number}", now=NOW)

    def read() -> None:
        for number in range(READS):
            leaderboards.top("xp_all_time", viewer=users[number % people], now=NOW)

    ours = {"awards": seconds(award) / AWARDS, "reads": seconds(read) / READS}
    verified()
    with servers.redis_server() as url:
        yield from _rows(ours, _redis(url, people), "plain Redis sorted set")
    if theirs := _package(people):
        yield from _rows(ours, theirs, f"{PACKAGE} {theirs['version']}")


def _rows(ours: dict[str, Any], theirs: dict[str, Any], name: str) -> Iterator[Measurement]:
    works = {"awards": "one award", "reads": "top 10, with my rank and neighbours"}
    for kind, work in works.items():
        ratio = round(theirs[kind] / ours[kind], 3)
        times = {"floor_us": round(theirs[kind] * 1e6, 1), "product_us": round(ours[kind] * 1e6, 1)}
        yield Measurement(work, "sqlite", ratio, ratio, ratio, against=name, **times)


def _redis(url: str, people: int) -> dict[str, float]:
    with redis.Redis.from_url(url) as client:
        client.zadd("board", {f"{number:020}": number for number in range(people)})

        def award() -> None:
            for number in range(AWARDS):
                client.zincrby("board", 10, f"{number % people:020}")

        def read() -> None:
            for number in range(READS):
                with client.pipeline(transaction=False) as pipeline:
                    pipeline.zrevrange("board", 0, 9, withscores=True)
                    pipeline.zrevrank("board", f"{number % people:020}")
                    pipeline.execute()

        return {"awards": seconds(award) / AWARDS, "reads": seconds(read) / READS}


def _package(people: int) -> dict[str, Any]:
    """Return what the package takes for the same, measured in a process and with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="gamification-others-") as folder:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, PACKAGE]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            return {}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.others_package", folder, str(people)],
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(json.loads(done.stdout))

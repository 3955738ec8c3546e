"""Redis refused, silent, slow, flushed and full, while people use a site whose cache and boards are in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from benchmarks.faults import proxies, served, traffic, visitors
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.proxies import Proxy
from benchmarks.faults.traffic import UNLIMITED, Traffic
from gamification.backends import get_backend
from gamification.services import integrity
from gamification.tests import servers
from gamification.tests.races import processes

SECONDS, SECONDS_QUICK = 20, 4
VISITORS = 50
THREADS = 2
P99_SECONDS = 1.0
#: Of a slow server: longer than anybody likes, shorter than a time-out.
DELAY = 0.2
MENDED_SECONDS = 60
WARM_SECONDS = 4

Fault = Callable[["Servers"], None]


@dataclass(frozen=True, slots=True)
class Servers:
    """The way to Redis, and Redis itself for who gets past it."""

    proxy: Proxy
    client: Any


def _flush(reached: Servers) -> None:
    reached.client.flushall()


def _fill(reached: Servers) -> None:
    reached.client.config_set("maxmemory-policy", "noeviction")
    reached.client.config_set("maxmemory", 1)


def _nothing(reached: Servers) -> None:
    """Leave it as it is: what the others are to be held against."""


def _become(mode: str) -> Fault:
    return lambda reached: reached.proxy.become(mode)


FAULTS: dict[str, Fault] = {
    "none": _nothing,
    "refused": _become(proxies.REFUSED),
    "silent": _become(proxies.SILENT),
    "slow": _become(proxies.SLOW),
    "flushed": _flush,
    "out of memory": _fill,
}


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield one outcome for each fault: lost is what was a 5xx, all that is over 1 s at p99, and boards still wrong."""
    for name, fault in FAULTS.items():
        with served.database("PostgreSQL") as url, processes.database(url), _redis() as reached:
            yield _try(name, fault, url, reached, SECONDS_QUICK if is_quick else SECONDS)


@contextmanager
def _redis() -> Iterator[Servers]:
    with (
        servers.redis_server() as url,
        redis.Redis.from_url(url) as client,
        proxies.proxy(int(url.rpartition(":")[2].split("/")[0]), delay=DELAY) as proxy,
    ):
        yield Servers(proxy, client)


def _try(name: str, fault: Fault, url: str, reached: Servers, seconds: float) -> Outcome:
    people = visitors.signed_in(VISITORS)
    address = f"redis://127.0.0.1:{reached.proxy.port}/"
    env = {"REDIS_URL": f"{address}0", "BOARDS_URL": f"{address}1"}
    with served.site(url, settings=UNLIMITED, env=env) as site, Traffic(site, people, threads=THREADS) as visits:
        time.sleep(WARM_SECONDS)
        begun = time.monotonic()
        fault(reached)
        time.sleep(seconds)
        answers = visits.since(begun)
        reached.client.config_set("maxmemory", 0)
        reached.proxy.become(proxies.THROUGH)
        mended, wrong = _mended(f"{address}1", visits)
    after = visits.since(begun)
    over = max(0, sum(answer.seconds > P99_SECONDS for answer in answers) - len(answers) // 100)
    return Outcome(
        f"Redis: {name}",
        "PostgreSQL",
        len(after),
        traffic.lost(after) + over + wrong + len(list(integrity.verify())),
        {
            "5xx": sum(answer.is_lost for answer in after),
            "p50 / p95 / p99": traffic.told(answers),
            "boards right after": f"{mended:.1f} s" if not wrong else "never",
        },
    )


def _mended(boards: str, visits: Traffic) -> tuple[float, int]:
    """Return after how many seconds of visits the boards were right by themselves, and what was wrong till the end."""
    begun, found = time.monotonic(), ["nobody has looked"]
    options = {
        "LEADERBOARD_BACKEND": "gamification.backends.redis.RedisBackend",
        "LEADERBOARD_OPTIONS": {"url": boards},
    }
    with override_settings(GAMIFICATION={**settings.GAMIFICATION, **options}):
        while found and time.monotonic() - begun < MENDED_SECONDS:
            time.sleep(1)
            found = _differences()
    return time.monotonic() - begun, len(found)


def _differences() -> list[str]:
    """Return what differs twice in a row: people write meanwhile."""
    try:
        first = set(get_backend().differences(timezone.now()))  # type: ignore[attr-defined]
        time.sleep(0.5)
        return sorted(first & set(get_backend().differences(timezone.now()))) if first else []  # type: ignore[attr-defined]
    except OSError as error:
        return [str(error)]

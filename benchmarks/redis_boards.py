"""Leaderboards in Redis: what an award adds to a bare pipeline of ZADDs, and a rank to a single ZCOUNT."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone

from benchmarks.harness import Measurement, cost
from gamification.backends import get_backend
from gamification.backends.base import BoardName, UserScores
from gamification.backends.sorted_sets.copies import Copy, in_parts
from gamification.backends.sorted_sets.people import Person
from gamification.tests import servers

DATABASES = ("sqlite",)
BOARDS = 7
BOARD = BoardName("xp_all_time")
BACKEND = "gamification.backends.redis.RedisBackend"


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    for people in (2_000,) if is_quick else (100_000, 1_000_000):
        with servers.redis_server() as url, redis.Redis.from_url(url) as client:
            yield from _measured(client, url, people, calls=200 if is_quick else 2_000)


def _measured(client: redis.Redis, url: str, people: int, *, calls: int) -> Iterator[Measurement]:
    # A patient client, so that a busy machine slows the run down and does not end it.
    settings.GAMIFICATION = {"LEADERBOARD_BACKEND": BACKEND, "LEADERBOARD_OPTIONS": {"url": url, "timeout": 10}}
    # The database knows nobody: were the sets compared with it during a long run, everybody would be taken off.
    settings.GAMIFICATION["LEADERBOARD_TTL"] = 86_400
    backend: Any = get_backend()
    backend.rebuild(timezone.now(), lambda number: None)  # of nobody: the database is empty, the sets are filled here
    before = _memory(client)
    _fill(backend.copy(), people)
    size = round((_memory(client) - before) / people)
    _fill_floor(client, people)
    work = _Work(client, backend, people, calls)
    options: dict[str, Any] = {"operations": calls, "note": f"{size} bytes a person in Redis"}
    on = f"of {people:,} people"
    zadds = {"against": f"{BOARDS} ZADDs in a pipeline", **options}
    zcounts = {"against": "one ZCOUNT", **options}
    yield cost(f"write an award {on}", "redis", work.zadds, work.push, goal="<= 2", **zadds)
    yield cost(f"rank and score {on}", "redis", work.zcount, work.rank, goal="<= 2.5", **zcounts)
    yield cost(f"rank and neighbours {on}", "redis", work.zcount, work.rank_and_neighbours, goal="<= 4", **zcounts)
    work.stop_unless_right()


class _Work:
    """What is measured: each method does it ``calls`` times, for users by chance."""

    def __init__(self, client: redis.Redis, backend: Any, people: int, calls: int) -> None:
        self._client, self._backend, self._people, self._calls = client, backend, people, calls
        self._dice = random.Random(1)
        self._versions: dict[int, int] = {}

    def _next(self) -> UserScores:
        """Return new scores of somebody. The floor makes them too: it is the way to Redis that is compared."""
        pk = self._somebody()
        self._versions[pk] = self._versions.get(pk, 2) + 1
        return _scores(pk, self._versions[pk], self._dice, [timezone.now().date()])

    def _somebody(self) -> int:
        return self._dice.randrange(self._people) + 1

    def push(self) -> None:
        for _ in range(self._calls):
            self._backend.copy().push([self._next()])

    def zadds(self) -> None:
        for _ in range(self._calls):
            scores = _scores(self._somebody(), 2, self._dice, [timezone.now().date()])
            pipeline = self._client.pipeline(transaction=False)
            for board in range(BOARDS):
                pipeline.zadd(f"floor:{board}", {f"{scores.user_id:019d}": -scores.total_xp})
            pipeline.execute()

    def rank(self) -> None:
        for _ in range(self._calls):
            self._backend.position(BOARD, self._somebody(), timezone.now())

    def rank_and_neighbours(self) -> None:
        for _ in range(self._calls):
            self._backend.position(BOARD, self._somebody(), timezone.now(), neighbours=2)

    def zcount(self) -> None:
        for _ in range(self._calls):
            self._client.zcount("floor:0", "-inf", f"(-{self._dice.randrange(10**6)}")

    def stop_unless_right(self) -> None:
        """Stop the run when a write was lost, or when the ranks came from the database, which is empty."""
        kept = self._backend.copy().versions(list(self._versions))
        total = self._backend.build(BOARD, timezone.now()).total
        if total != self._people or kept != [str(version) for version in self._versions.values()]:
            raise SystemExit(f"The sorted sets hold {total:,} of {self._people:,} people, or lost a write.")


def _fill(copy: Copy, people: int) -> None:
    """Write ``people``, active on 10 of the last 30 days, as a rebuild writes what it has read."""
    dice, today = random.Random(0), timezone.now().date()
    for part in in_parts(range(1, people + 1)):
        days = [[today - timedelta(days=ago) for ago in dice.sample(range(30), 10)] for _ in part]
        copy.write([Person(_scores(pk, 2, dice, on), "") for pk, on in zip(part, days, strict=True)])


def _fill_floor(client: redis.Redis, people: int) -> None:
    dice = random.Random(0)
    for part in in_parts(range(1, people + 1)):
        for board in range(BOARDS):
            client.zadd(f"floor:{board}", {f"{pk:019d}": -dice.randrange(1, 10**6) for pk in part})


def _scores(pk: int, version: int, dice: random.Random, days: Sequence[date]) -> UserScores:
    return UserScores(
        user_id=pk,
        version=version,
        is_visible=True,
        total_xp=dice.randrange(1, 10**6),
        current_streak=dice.randrange(1, 400),
        longest_streak=400,
        expires_at=timezone.now() + timedelta(days=1),
        counters={"scenarios_completed": dice.randrange(1, 500), "achievements_unlocked": dice.randrange(1, 27)},
        xp_by_day={day: dice.randrange(1, 500) for day in days},
    )


def _memory(client: redis.Redis) -> int:
    used: Any = client.info("memory")
    return int(used["used_memory"])

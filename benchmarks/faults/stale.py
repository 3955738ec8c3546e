"""A slow reader who has computed a board, or figures, and stores them only after others have changed what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import redis
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from benchmarks.faults import served
from benchmarks.faults.outcomes import Outcome
from gamification.backends import get_backend, reads
from gamification.engine import measures
from gamification.models import DailyFigure, LeaderboardCache, UserDay, UserXP
from gamification.models.figures import Name
from gamification.services import figures, leaderboards, xp
from gamification.tests import servers
from gamification.tests.backends.people import people
from gamification.tests.backends.sorted_sets import at_once, options
from gamification.tests.races import processes

TRIES, TRIES_QUICK = 1000, 30
#: Figures are computed from many more statements.
FIGURES_PART = 5
BOARD = "xp_all_time"
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
#: Longer than any snapshot lasts; and when others have to see what happened.
STEP, SEEN = timedelta(minutes=16), timedelta(seconds=5)
SECONDS = 30


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield outcomes of boards in the database and in Redis, and of figures; lost is what was stale afterwards."""
    tries = TRIES_QUICK if is_quick else TRIES
    for kind in served.DATABASES:
        with served.database(kind) as url, processes.database(url), mock.patch.object(reads, "later"):
            yield _boards(kind, url, tries)
            yield _figures(kind, url, tries // FIGURES_PART)
            with servers.redis_server() as boards, redis.Redis.from_url(boards) as client:
                client.flushall()
                with override_settings(GAMIFICATION={**settings.GAMIFICATION, **options(boards)}), at_once():
                    yield _boards(f"{kind} and Redis", url, tries)


class SlowReader:
    """A thread that takes one step at a time and is held in the middle of it, between computing and storing."""

    def __init__(self, url: str, step: Callable[[int], object], tries: int) -> None:
        self._gates = {name: threading.Barrier(2) for name in ("begin", "computed", "store", "stored")}
        self._url, self._step, self._tries = url, step, tries
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> SlowReader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.join(SECONDS if error[0] is None else 0)

    def pass_through(self, name: str) -> None:
        """Wait until the other side is there too."""
        self._gates[name].wait(SECONDS)

    def holding(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``work``, which in the thread of this reader is held before it gives its result back."""

        def held(*arguments: Any) -> Any:
            result = work(*arguments)
            if threading.current_thread() is self._thread:
                self.pass_through("computed")
                self.pass_through("store")
            return result

        return held

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the reader compute; then comes what happens meanwhile; at the end it has stored."""
        self.pass_through("begin")
        self.pass_through("computed")
        yield
        self.pass_through("store")
        self.pass_through("stored")

    def _work(self) -> None:
        with processes.database(self._url):
            for turn in range(self._tries):
                self.pass_through("begin")
                self._step(turn)
                self.pass_through("stored")


def _boards(where: str, url: str, tries: int) -> Outcome:
    """Award while a board is held; every second time somebody takes the rebuild over and is done first."""
    users = people(30, 20, 10)
    LeaderboardCache.objects.all().delete()
    leaderboards.top(BOARD, now=BEGIN)
    has_rows = "PostgreSQL" in where

    def is_nested(turn: int) -> bool:  # as a request under ATOMIC_REQUESTS; SQLite lets nobody write meanwhile
        return has_rows and turn % 4 == 3

    def read(turn: int) -> None:
        with transaction.atomic() if is_nested(turn) else nullcontext():
            leaderboards.top(BOARD, now=BEGIN + (turn + 1) * STEP)

    stale = 0
    reader = SlowReader(url, read, tries)
    backend: Any = type(get_backend())
    with mock.patch.object(backend, "build", reader.holding(backend.build)), reader:
        for turn in range(tries):
            at = BEGIN + (turn + 1) * STEP
            LeaderboardCache.objects.update(stale_at=timezone.now())
            with reader.held():
                xp.award(users[turn % 3], 20 + turn % 7, reason="meanwhile", key=f"{where}-{turn}", now=at)
                if turn % 2 and not is_nested(turn):
                    LeaderboardCache.objects.update(claimed_until=timezone.now() - SEEN)
                    stale += _shown(at) != _stored()
            if turn % 2 and not is_nested(turn):
                stale += _shown(at) != _stored()
            stale += _shown(at + SEEN) != _stored()
    return Outcome("stale snapshot over a fresh one", where, tries, stale)


def _shown(at: datetime) -> list[tuple[Any, int]]:
    return [(row.user_id, row.score) for row in leaderboards.top(BOARD, limit=100, now=at).entries]


def _stored() -> list[tuple[Any, int]]:
    rows = UserXP.objects.filter(total_xp__gt=0).values_list("user_id", "total_xp")
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _figures(where: str, url: str, tries: int) -> Outcome:
    """Award and compute figures while older ones are held."""
    (user,) = people(10, now=BEGIN)

    def compute(turn: int) -> None:
        figures.refresh(days=1, now=BEGIN + turn * timedelta(minutes=1))

    stale, reader = 0, SlowReader(url, compute, tries)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(measures, "of_date", reader.holding(measures.of_date)))
        stack.enter_context(reader)
        for turn in range(tries):
            with reader.held():
                xp.award(user, 5, reason="meanwhile", key=f"figures-{turn}", now=BEGIN)
                figures.refresh(days=1, now=BEGIN + turn * timedelta(minutes=1) + SEEN)
            kept = DailyFigure.objects.filter(date=BEGIN.date(), name=Name.XP).values_list("value", flat=True)
            stale += sum(kept) != _booked()
    return Outcome("older figures over newer ones", where, tries, stale)


def _booked() -> int:
    """Return the XP of the date, whoever has it."""
    return sum(UserDay.objects.filter(date=BEGIN.date()).values_list("xp", flat=True))

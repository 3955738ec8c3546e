"""Webhooks: workers killed over deliveries, receivers that fail, and awards that are rolled back.

Each event has to arrive at least once, a person's in order, none twice at the same moment, none that was rolled back.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import transaction
from django.test import override_settings

from benchmarks.faults.outcomes import Outcome
from gamification.models import WebhookDelivery
from gamification.services import webhooks, xp
from gamification.tests import servers
from gamification.tests.backends.people import person
from gamification.tests.races import processes, workers
from gamification.tests.races.workers import NOW
from gamification.tests.webhooks.receivers import Received, Receiver, receiver

WORKERS = 3
#: Every so many awards one is rolled back.
REGRETTED = 4


class RegretError(Exception):
    """What a host raises after an award."""


class Flaky:
    """A receiver that is slow now and then, resets or refuses one request in ten, and notes who comes twice at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.underway: Counter[str] = Counter()
        self.twice_at_once = 0
        self.refused: set[str] = set()
        self.chance = random.Random(7)

    def __call__(self, received: Received, handler: Any) -> int | None:
        with self.lock:
            self.underway[received.id] += 1
            self.twice_at_once += self.underway[received.id] > 1
            dice, seconds = self.chance.random(), self.chance.uniform(0, 0.03)
            fails = dice < 0.1 and received.id not in self.refused
            self.refused |= {received.id} if fails else set()
        time.sleep(seconds)
        with self.lock:
            self.underway[received.id] -= 1
        if fails and dice < 0.05:
            handler.connection.close()
            return None
        return 500 if fails else 200


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield an outcome for each database."""
    people, events, kills = (6, 8, 3) if is_quick else (30, 60, 40)
    for where, opened in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with opened() as url, processes.database(url), receiver() as server:
            yield _tried(where, url, server, people, events, kills)


def _tried(where: str, url: str, server: Receiver, people: int, events: int, kills: int) -> Outcome:
    server.answer = flaky = Flaky()
    with override_settings(GAMIFICATION={"WEBHOOKS_ALLOW_PRIVATE": True}):
        endpoint = webhooks.add(server.url, ["xp.awarded"])
        regretted = _award(people, events)
    expected = _expected()
    killed = _deliver_and_be_killed(url, kills)
    arrived: dict[Any, list[str]] = {}
    for each in server.received:
        arrived.setdefault(each.payload["data"]["user"], []).append(each.id)
    succeeded = {row.message_id for row in WebhookDelivery.objects.filter(status="delivered")}
    missing = sum(len(set(ids) - set(arrived.get(pk, ()))) for pk, ids in expected.items())
    kept_back = sum(len(ids) for ids in expected.values()) - len(succeeded)
    unsigned = sum(not each.is_signed_by(endpoint.secret) for each in server.received)
    rolled_back = sum(each.payload["data"]["reason"] == "regretted" for each in server.received)
    wrong = missing + kept_back + unsigned + rolled_back + flaky.twice_at_once + _out_of_order(arrived, expected)
    figures = {
        "workers killed": killed,
        "awards rolled back": regretted,
        "of these told": rolled_back,
        "requests": len(server.received),
        "out of order": _out_of_order(arrived, expected),
        "twice at the same moment": flaky.twice_at_once,
    }
    return Outcome("webhooks", where, sum(map(len, expected.values())), wrong, figures)


def _award(people: int, events: int) -> int:
    """Give everybody XP, take some back by an error in the same transaction, and return how often."""
    users = [person(f"user{number}", pk=1000 + number) for number in range(people)]
    regretted = 0
    for number in range(events):
        for user in users:
            xp.award(user, 1, reason="kept", key=f"{number}", now=NOW)
            if number % REGRETTED == 0:
                regretted += 1
                try:
                    with transaction.atomic():
                        xp.award(user, 1, reason="regretted", key=f"regretted {number}", now=NOW)
                        raise RegretError
                except RegretError:
                    pass
    return regretted


def _expected() -> dict[Any, list[str]]:
    """Return what each user's events are, in order."""
    expected: dict[Any, list[str]] = {}
    for user_id, message in WebhookDelivery.objects.order_by("pk").values_list("user_id", "message_id"):
        expected.setdefault(user_id, []).append(message)
    return expected


def _deliver_and_be_killed(url: str, kills: int) -> int:
    chance = random.Random(3)
    crew = [processes.start(workers.deliver_with_quick_retries, url) for _ in range(WORKERS)]
    killed, deadline = 0, time.monotonic() + 600
    while webhooks.waiting() and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.1, 0.5))
        number = chance.randrange(WORKERS)
        if killed < kills or not crew[number].is_alive():
            killed += crew[number].is_alive()
            crew[number].kill()
            crew[number].join()
            crew[number] = processes.start(workers.deliver_with_quick_retries, url)
    for worker in crew:
        worker.kill()
        worker.join()
    return killed


def _out_of_order(arrived: dict[Any, list[str]], expected: dict[Any, list[str]]) -> int:
    """Return how often an event came after a later one of the same person."""
    places = {name: place for ids in expected.values() for place, name in enumerate(ids)}
    return sum(places[other] < places[one] for ids in arrived.values() for one, other in pairwise(ids))


@contextmanager
def _sqlite() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'db.sqlite3'}"
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": url})
        yield url


@contextmanager
def _postgresql() -> Iterator[str]:
    with ExitStack() as stack:
        url = stack.enter_context(servers.postgresql_database(stack.enter_context(servers.postgresql())))
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": url})
        yield url

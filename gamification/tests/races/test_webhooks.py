"""Workers that deliver at the same time, and are killed over it: nothing lost, in order, never two at once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from itertools import pairwise

import pytest

from gamification.models import WebhookDelivery
from gamification.services import webhooks, xp
from gamification.tests.backends.people import person
from gamification.tests.races import workers
from gamification.tests.races.workers import NOW
from gamification.tests.webhooks.receivers import receiver

pytestmark = pytest.mark.slow

USERS, EVENTS, WORKERS, KILLS = 10, 10, 3, 4


class Watching:
    """What a server answers that writes down who sends what at the same moment as somebody else."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.underway: Counter[str] = Counter()
        self.met: list[str] = []
        self.chance = random.Random(5)

    def __call__(self, received, handler):
        with self.lock:
            self.underway[received.id] += 1
            if self.underway[received.id] > 1:
                self.met.append(received.id)
            seconds = self.chance.uniform(0, 0.02)
        time.sleep(seconds)
        with self.lock:
            self.underway[received.id] -= 1
        return 200


@pytest.fixture
def server():
    with receiver() as here:
        yield here


def fill(server, settings):
    settings.GAMIFICATION = {"WEBHOOKS_ALLOW_PRIVATE": True}
    webhooks.add(server.url, ["xp.awarded"])
    users = [person(f"user{number}", pk=1000 + number) for number in range(USERS)]
    for number in range(EVENTS):
        for user in users:
            xp.award(user, 1, reason="race", key=f"{number}", now=NOW)
    assert webhooks.waiting() == USERS * EVENTS
    return users


def expected():
    rows = WebhookDelivery.objects.order_by("user_id", "pk").values_list("user_id", "message_id")
    return {pk: [message for user, message in rows if user == pk] for pk in {user for user, _ in rows}}


def arrived(server):
    """Return by user the ids in the order of their first arrival, and in that of all arrivals."""
    every: dict[int, list[str]] = {}
    for each in server.received:
        every.setdefault(each.payload["data"]["user"], []).append(each.id)
    return {pk: list(dict.fromkeys(ids)) for pk, ids in every.items()}, every


def out_of_order(every, order):
    """Return the arrivals of an event after a later one of the same person had arrived."""
    places = {pk: {name: place for place, name in enumerate(ids)} for pk, ids in order.items()}
    return [pk for pk, ids in every.items() for one, other in pairwise(ids) if places[pk][other] < places[pk][one]]


def test_workers_share_what_there_is_and_deliver_each_event_once_and_in_order(race, server, settings):
    server.answer = watching = Watching()
    fill(server, settings)

    done = race(workers.deliver_webhooks, WORKERS)

    firsts, every = arrived(server)
    assert sum(each["delivered"] for each in done) == USERS * EVENTS
    assert firsts == every == expected()
    assert watching.met == []
    assert sum(each["delivered"] > 0 for each in done) > 1


def test_workers_that_are_killed_lose_nothing_and_keep_the_order(race, server, settings):
    server.answer = watching = Watching()
    fill(server, settings)
    chance = random.Random(11)

    crew = [race.start(workers.deliver_webhooks) for _ in range(WORKERS)]
    killed, deadline = 0, time.monotonic() + 90
    while webhooks.waiting():
        assert time.monotonic() < deadline
        time.sleep(chance.uniform(0.05, 0.3))
        number = chance.randrange(WORKERS)
        if killed < KILLS or not crew[number].is_alive():
            killed += crew[number].is_alive()
            crew[number].kill()
            crew[number].join()
            crew[number] = race.start(workers.deliver_webhooks)
    for worker in crew:
        worker.join(60)

    firsts, every = arrived(server)
    assert killed >= KILLS // 2
    assert firsts == expected()
    assert out_of_order(every, expected()) == []
    assert watching.met == []
    assert {row.status for row in WebhookDelivery.objects.all()} == {"delivered"}

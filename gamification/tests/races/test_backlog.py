"""Workers that share a backlog and are killed over it: nothing lost, nothing twice."""

from __future__ import annotations

import random
import shutil
import time
from datetime import timedelta
from typing import Any

import pytest

from gamification import tasks
from gamification.models import QueuedActivity
from gamification.services import achievements, activities, ingestion
from gamification.services.ingestion import Event
from gamification.tests.backends.people import person
from gamification.tests.helpers import state_of
from gamification.tests.races import processes, workers
from gamification.tests.races.workers import NOW

pytestmark = pytest.mark.slow

USERS, EVENTS, WORKERS, KILLS = 100, 2_000, 4, 12
KINDS = ("daily_visit", "words_learned", "scenario_completed", "conversation_completed")


@pytest.fixture(autouse=True)
def _no_task(monkeypatch):
    """Leave what is taken in to the workers of the test."""
    monkeypatch.setattr(tasks, "work_after_commit", lambda: None)


def crowd():
    achievements.initialize()
    return [person(f"user{number}", pk=1000 + number) for number in range(USERS)]


def events_of(users, seed=7) -> list[Event]:
    """Return what everybody did in the last days, in no order."""
    chance = random.Random(seed)
    return [
        Event(
            chance.choice(users),
            chance.choice(KINDS),
            f"event-{number}",
            occurred_at=NOW - timedelta(minutes=chance.randrange(14 * 24 * 60)),
        )
        for number in range(EVENTS)
    ]


def work_and_be_killed(race: Any) -> int:
    """Let four workers empty the backlog while one after the other is killed and replaced; return how many were."""
    chance = random.Random(3)
    crew = [race.start(workers.work_on_the_backlog) for _ in range(WORKERS)]
    killed = 0
    deadline = time.monotonic() + 120
    while QueuedActivity.objects.waiting().exists():
        assert time.monotonic() < deadline
        time.sleep(chance.uniform(0.02, 0.25))
        number = chance.randrange(WORKERS)
        if killed < KILLS or not crew[number].is_alive():
            killed += crew[number].is_alive()
            crew[number].kill()
            crew[number].join()
            crew[number] = race.start(workers.work_on_the_backlog)
    for worker in crew:
        worker.join(60)
    return killed


def states(users):
    return {user.pk: state_of(user) for user in users}


@pytest.mark.parametrize("kind", [pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"])
def test_killed_workers_lose_nothing_and_do_nothing_twice(kind, request, tmp_path):
    race = request.getfixturevalue(f"{kind}_race")
    users = crowd()
    ingestion.enqueue(events_of(users), now=NOW)
    wrong = [Event(user, "daily_visit", event.key, 2) for event in events_of(users)[:20] for user in [event.user]]
    ingestion.enqueue(wrong, now=NOW)

    killed = work_and_be_killed(race)

    assert killed >= KILLS // 2
    assert sorted(row.key for row in ingestion.refused()) == sorted(event.key for event in wrong)
    assert race.drifts() == []
    worked = states(users)
    other = shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "other.sqlite3")
    with processes.database(f"sqlite:///{other}"):
        users = crowd()
        activities.record_many(events_of(users), now=NOW)
        assert worked == states(users)


def test_workers_share_the_work(postgres_race):
    users = crowd()
    ingestion.enqueue(events_of(users), now=NOW)

    taken = postgres_race(workers.take_from_the_backlog, WORKERS)

    assert sum(taken) == EVENTS
    assert sum(number > 0 for number in taken) > 1
    assert postgres_race.drifts() == []

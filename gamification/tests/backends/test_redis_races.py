"""Building the sorted sets while processes write."""

from __future__ import annotations

import threading
from functools import partial

import pytest
import redis
from django.contrib.auth import get_user_model

from gamification.backends import aside
from gamification.services import integrity
from gamification.tests.backends import redis_workers
from gamification.tests.backends.people import NOON
from gamification.tests.backends.sorted_sets import at_once, differences, options
from gamification.tests.races import processes


@pytest.mark.slow
def test_built_again_and_again_while_others_write_it_ends_as_the_database_says(
    postgres_url, redis_url, django_db_blocker, settings
):
    settings.GAMIFICATION = options(redis_url)
    with django_db_blocker.unblock(), processes.database(postgres_url), at_once():
        for number in range(40):
            get_user_model()._default_manager.create(username=f"user-{number}")

        outcomes = processes.race(partial(redis_workers.work, redis_url), postgres_url, 5)

        assert [(outcome.error, outcome.logged) for outcome in outcomes] == [("", [])] * 5
        assert all(outcome.value > 2 for outcome in outcomes)
        assert differences(NOON) == []
        assert list(integrity.verify(now=NOON)) == []
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert not list(client.scan_iter("*lock*"))


def test_what_goes_on_aside_is_done_once_and_begun_once_in_a_while():
    begun, goes_on = [], threading.Event()

    def work():
        begun.append(threading.current_thread().name)
        goes_on.wait(10)

    for _ in range(3):
        aside.run("a test", work)
    goes_on.set()

    (thread,) = [thread for thread in threading.enumerate() if thread.name == "gamification-a test"]
    thread.join(10)
    aside.run("a test", work)
    assert begun == ["gamification-a test"]


@pytest.mark.django_db(transaction=True)
def test_what_fails_aside_is_logged_and_may_be_tried_again(caplog, monkeypatch):
    monkeypatch.setattr(aside, "REST_SECONDS", 0)

    for _ in range(2):
        aside.run("a failure", lambda: 1 / 0)
        for thread in threading.enumerate():
            if thread.name == "gamification-a failure":
                thread.join(10)

    assert [record.getMessage() for record in caplog.records] == ["a failure failed; it will be tried again."] * 2

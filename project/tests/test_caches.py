"""The cache in Redis while Redis is refused, silent, full, and back again."""

from __future__ import annotations

import os
import signal
import time

import pytest
import redis
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.urls import reverse

from gamification.tests import servers
from project import caches as resilient

pytestmark = pytest.mark.redis
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch):
    """Begin without what other tests learned, and let a server rest for a moment only."""
    resilient._server.cache_clear()
    monkeypatch.setattr(resilient, "REST_SECONDS", 0.2)


@pytest.fixture
def use(settings):
    """Return a function that puts the cache into a Redis, and returns it."""

    def _use(url):
        settings.CACHES = {"default": {"BACKEND": "project.caches.RedisCache", "LOCATION": url}}
        return caches["default"]

    return _use


@pytest.fixture
def own_redis():
    with servers.redis_server() as url, redis.Redis.from_url(url) as client:
        yield url, client.info("server")["process_id"]


def all_of(cache):
    """Return what each operation answers that must not fail."""
    cache.set("a", 1)
    cache.set_many({"b": 2})
    cache.delete_many(["b", "c"])
    return [
        cache.get("a"),
        cache.get("a", "default"),
        cache.get_many(["a", "b"]),
        cache.add("d", 1),
        cache.touch("a"),
        cache.delete("a"),
        "a" in cache,
    ]


def test_where_no_redis_is_everything_reads_as_empty_and_counting_raises(use, caplog):
    cache = use(NOBODY)

    answers = all_of(cache)

    assert answers == [None, "default", {}, False, False, False, False]
    with pytest.raises(redis.ConnectionError):
        cache.incr("count")
    assert [record.name for record in caplog.records] == ["project.caches"]


def test_a_working_redis_keeps_and_counts(use, redis_url):
    cache = use(redis_url)

    answers = all_of(cache)

    assert answers == [1, 1, {"a": 1}, True, True, True, False]
    assert cache.incr("d") == 2


def test_a_silent_redis_is_waited_for_once_and_not_by_each_operation(use, own_redis):
    url, pid = own_redis
    cache = use(url)
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        all_of(cache)
        took = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)

    assert 0.2 < took < 0.5 + 2 * 0.25


def test_a_slow_redis_is_waited_for_twice_and_then_not_by_each_operation(use, redis_url, monkeypatch):
    cache = use(redis_url)
    cache.set("a", 1)
    monkeypatch.setattr(resilient, "SLOW_SECONDS", 0.0)

    answers = [cache.get("a") for _ in range(4)]
    time.sleep(resilient.REST_SECONDS * 1.5)
    monkeypatch.setattr(resilient, "SLOW_SECONDS", 0.1)

    assert answers == [1, 1, None, None]
    assert cache.get("a") == 1


def test_what_was_deleted_while_redis_was_away_does_not_come_back(use, own_redis):
    url, pid = own_redis
    cache = use(url)
    cache.set("session", "ada")
    cache.set("colour", "old")
    os.kill(pid, signal.SIGSTOP)
    cache.delete("session")
    cache.set("colour", "new")
    os.kill(pid, signal.SIGCONT)
    time.sleep(resilient.REST_SECONDS * 1.5)

    assert (cache.get("session"), cache.get("colour")) == (None, None)


def test_counting_what_is_not_there_is_an_answer_after_which_redis_is_asked_again(use, own_redis):
    url, pid = own_redis
    cache = use(url)
    cache.set("a", 1)
    os.kill(pid, signal.SIGSTOP)
    cache.get("a")
    os.kill(pid, signal.SIGCONT)
    time.sleep(resilient.REST_SECONDS * 1.5)

    with pytest.raises(ValueError, match="not found"):
        cache.incr("count")

    assert cache.get("a") == 1


def test_a_full_redis_is_read_and_what_it_refused_is_not_read_old(use, redis_url):
    cache = use(redis_url)
    cache.set("kept", 1)
    cache.set("colour", "old")
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory", 1)
        try:
            cache.set("colour", "new")
            answers = cache.get("kept"), cache.get("colour")
        finally:
            client.config_set("maxmemory", 0)

    assert answers == (1, None)


@pytest.mark.django_db
def test_people_sign_in_look_around_and_sign_out_without_a_cache(use, client):
    use(NOBODY)
    ada = get_user_model()._default_manager.create_user("ada", password="a long secret")

    statuses = [
        client.post(reverse("login"), {"username": ada.username, "password": "a long secret"}).status_code,
        client.get("/gamification").status_code,
        client.get("/api/v1/gamification/dashboard").status_code,
        client.post(reverse("logout")).status_code,
        client.get("/gamification").status_code,
    ]

    assert statuses == [302, 200, 200, 302, 302]

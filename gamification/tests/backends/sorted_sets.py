"""What the tests of the backend in Redis share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from gamification import backends
from gamification.backends import aside, get_backend
from gamification.backends.sorted_sets import connection, renewal
from gamification.tests.backends.people import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gamification.backends.sorted_sets.copies import Copy

PATH = "gamification.backends.redis.RedisBackend"


def options(url: str, **more: Any) -> dict[str, Any]:
    """Return the settings that put leaderboards into the Redis at ``url``."""
    return {"LEADERBOARD_BACKEND": PATH, "LEADERBOARD_OPTIONS": {"url": url, **more}}


@contextmanager
def at_once() -> Iterator[None]:
    """Let what goes on beside a reader be done before it goes on, and begin without what other tests left behind."""
    backends._load.cache_clear()
    connection.connect.cache_clear()
    with mock.patch.object(aside, "run", lambda name, work: work()):
        yield
    backends._load.cache_clear()
    connection.connect.cache_clear()


def copy() -> Copy:
    """Return the sorted sets that the settings name."""
    return get_backend().copy()


def rebuild(now: datetime = NOON) -> None:
    assert renewal.renew(copy(), now, is_whole=True)

"""What the tests of the backend in Redis share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import override_settings

from gamification import backends
from gamification.backends import aside, get_backend
from gamification.backends.sorted_sets import connection, renewal
from gamification.backends.sorted_sets.renewal import LOST
from gamification.models import LeaderboardCache
from gamification.services import leaderboards
from gamification.tests.backends.people import NOON, places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gamification.backends.sorted_sets.copies import Copy

DATABASE = "gamification.backends.database.DatabaseBackend"
PATH = "gamification.backends.redis.RedisBackend"


def options(url: str, *, timeout: float = 10) -> dict[str, Any]:
    """Return the settings that put leaderboards into the Redis at ``url``, which may be slow on a busy machine."""
    return {"LEADERBOARD_BACKEND": PATH, "LEADERBOARD_OPTIONS": {"url": url, "timeout": timeout}}


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


def differences(now: datetime = NOON) -> list[str]:
    """Return in what the sorted sets differ from the database."""
    return list(get_backend().differences(now))


def standing(mine: Any) -> tuple[Any, ...]:
    return mine.rank, mine.score, mine.to_next_rank


def answers(now: datetime = NOON, metrics: Sequence[str] = ()) -> dict[str, Any]:
    """Return what is told about some boards (all when left out), and everybody's place on them."""
    users = list(get_user_model()._default_manager.order_by("pk"))
    return {
        metric: (
            [(row.rank, row.user_id, row.score) for row in leaderboards.top(metric, limit=100, now=now).entries],
            [standing(leaderboards.rank(user, metric, now=now)) for user in users],
            [places(leaderboards.around(user, metric, now=now)) for user in users],
        )
        for metric in metrics or leaderboards.metrics()
    }


def answers_of_the_database(now: datetime = NOON, metrics: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the backend in the database tells, which keeps no snapshot of it."""
    with override_settings(GAMIFICATION={**settings.GAMIFICATION, "LEADERBOARD_BACKEND": DATABASE}):
        LeaderboardCache.objects.exclude(metric=LOST).delete()
        found = answers(now, metrics)
        LeaderboardCache.objects.exclude(metric=LOST).delete()
    return found

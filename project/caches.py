"""Django's cache in Redis, for a site that has to go on when Redis does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, TypeVar

from django.core.cache.backends import redis as stock
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

#: In seconds: how long nobody asks a server that did not answer, and how often that is said.
REST_SECONDS, LOG_EVERY_SECONDS = 1.0, 60.0
#: A server that takes so long for two answers in a row rests too: a page asks for several of them.
SLOW_SECONDS, SLOW_ANSWERS = 0.1, 2
DELETED_AT_ONCE = 1000

Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)


class RedisCache(stock.RedisCache):
    """A cache that reads as empty while Redis is refused, silent, slow or full, and asks it again once a second.

    What could not be written or deleted meanwhile is deleted before the next answer, so that nothing old comes back (a
    session that was ended, for one); a process that ends before that takes the knowledge with it. Counting (``incr``)
    raises: a count of nothing would be wrong, so who counts has to do it elsewhere.
    """

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
        # Of their own accord clients try three times more, and wait for seconds in between.
        patience = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "retry": Retry(NoBackoff(), 0)}
        self._options: dict[str, Any] = {**patience, **params.get("OPTIONS", {})}


class Server:
    """What a process knows of a server: Django has a client for each thread, and all of them share it."""

    def __init__(self) -> None:
        self.rests_until = 0.0
        self.has_failed = False
        self.slow_answers = 0
        self.unwritten: set[str] = set()
        self._logged_at = -LOG_EVERY_SECONDS

    def note(self, error: Exception) -> None:
        """Let the server rest, unless it has answered and only refuses this: a write while it is full, for one."""
        self.has_failed = not isinstance(error, ResponseError)
        self.rests_until = time.monotonic() + REST_SECONDS if self.has_failed else 0.0
        if time.monotonic() - self._logged_at >= LOG_EVERY_SECONDS:
            self._logged_at = time.monotonic()
            logger.warning("The cache failed (%s: %s); it reads as empty.", type(error).__name__, error)

    def answered(self, seconds: float) -> None:
        """Take in how long an answer took."""
        self.slow_answers = self.slow_answers + 1 if seconds >= SLOW_SECONDS else 0
        self.has_failed = self.slow_answers >= SLOW_ANSWERS
        self.rests_until = time.monotonic() + REST_SECONDS if self.has_failed else 0.0


@cache
def _server(names: str) -> Server:
    return Server()


class Client(stock.RedisCacheClient):
    """Django's client, which gets an answer or goes without one."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._known = _server(";".join(servers))

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        return self._try(partial(super().add, key, value, timeout), False)

    def get(self, key: Any, default: Any) -> Any:
        return self._try(partial(super().get, key, default), default)

    def get_many(self, keys: Any) -> Any:
        nothing: Any = {}
        return self._try(partial(super().get_many, keys), nothing)

    def has_key(self, key: Any) -> bool:
        return self._try(partial(super().has_key, key), False)

    def touch(self, key: Any, timeout: Any) -> bool:
        return self._try(partial(super().touch, key, timeout), False)

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        self._try(partial(super().set, key, value, timeout), None, [key])

    def set_many(self, data: Any, timeout: Any) -> None:
        self._try(partial(super().set_many, data, timeout), None, data)

    def delete(self, key: Any) -> bool:
        return self._try(partial(super().delete, key), False, [key])

    def delete_many(self, keys: Any) -> None:
        self._try(partial(super().delete_many, keys), None, keys)

    def incr(self, key: Any, delta: int) -> Any:
        return self._ask(partial(super().incr, key, delta))

    def _try(self, work: Callable[[], Answer], otherwise: Answer, written: Iterable[str] = ()) -> Answer:
        """Return what ``work`` does, or ``otherwise`` without an answer; ``written`` is deleted when there is one."""
        try:
            return self._ask(work)
        except RedisError:
            self._known.unwritten.update(written)
            return otherwise

    def _ask(self, work: Callable[[], Answer]) -> Answer:
        known = self._known
        begun = time.monotonic()
        if begun < known.rests_until:
            raise Unreachable("The cache was out of reach a moment ago.")
        if known.has_failed:  # one tries; who comes meanwhile need not wait with it
            known.rests_until = begun + REST_SECONDS
        try:
            self._delete_unwritten()
            answer = work()
        except RedisError as error:
            known.note(error)
            raise
        except ValueError:  # what was to be counted is not there, which the server has told
            known.answered(time.monotonic() - begun)
            raise
        known.answered(time.monotonic() - begun)
        return answer

    def _delete_unwritten(self) -> None:
        names = list(self._known.unwritten)
        for start in range(0, len(names), DELETED_AT_ONCE):
            part = names[start : start + DELETED_AT_ONCE]
            self.get_client(None, write=True).delete(*part)
            self._known.unwritten.difference_update(part)

"""The way to Redis: short time-outs, a rest after each failure, one log line once in a while."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

try:
    import redis
except ImportError as error:
    raise ImportError(
        "RedisBackend needs the package redis: pip install 'django-gamification-practice[redis]'"
    ) from error
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.connection import parse_url
from redis.exceptions import MovedError, NoScriptError, ReadOnlyError, RedisClusterException
from redis.retry import Retry

from gamification.backends.sorted_sets.scripts import Script

TIMEOUT = 0.25
PREFIX = "gamification"
URL = "GAMIFICATION['LEADERBOARD_OPTIONS']['url']"
CLUSTER = "+cluster"
SCHEMES = ("redis", "rediss", "unix", "valkey", "valkeys", f"redis{CLUSTER}", f"rediss{CLUSTER}")
REST_SECONDS = 1.0
#: Two answers in a row that take so much of the time-out are like none: a page asks for several of them.
SLOW_PART, SLOW_ANSWERS = 0.4, 2
LOG_EVERY_SECONDS = 60.0

Call = tuple[Sequence[str], Sequence[str | int]]
logger = logging.getLogger("gamification.backends.redis")


class Unavailable(Exception):
    """Redis cannot do it now; the database can."""


def problem_of(url: object) -> str:
    """Return what is wrong with the setting ``url``, or an empty text."""
    if not isinstance(url, str) or not url:
        return f"{URL} must be set, for example to 'redis://localhost:6379/0'; it is {url!r}."
    if urlsplit(url).scheme not in SCHEMES:
        return f"{URL} must begin with one of {', '.join(SCHEMES)}."
    try:
        _parsed(url)
    except ValueError as error:
        return f"{URL} cannot be read: {error}"
    return ""


class Store:
    """One Redis, or the node of a Redis Cluster that holds our keys; ``prefix`` is their common hash tag."""

    def __init__(self, url: str, timeout: float, prefix: str) -> None:
        self._tag = f"{{{prefix}}}"
        options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),
            "decode_responses": True,
        }
        if CLUSTER in urlsplit(url).scheme:
            self._source: _Single | _Cluster = _Cluster(url, options, self._tag)
        else:
            self._source = _Single(url, options)
        self._slow_seconds = SLOW_PART * timeout
        self._slow_answers = 0
        self._rests_until = 0.0
        self._failed = False
        self._logged_at = -LOG_EVERY_SECONDS
        self._unlogged = 0

    def key(self, *parts: str) -> str:
        """Return the name of a key of ours."""
        return ":".join((self._tag, *parts))

    def call(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run one script and return its reply."""
        return self.run(lambda client: _evaluate(client, script, keys, arguments))

    def call_each(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        """Run one script for each of ``calls``, in one pipeline, and return the replies."""
        if len(calls) == 1:
            return [self.call(script, *calls[0])]
        replies: list[Any] = self.run(lambda client: _evaluate_each(client, script, calls), is_long=True)
        return replies

    def run(self, work: Callable[[Any], Any], *, is_long: bool = False) -> Any:
        """Let ``work`` use the client and return its result; ``is_long`` says that it may take its time.

        Raises:
            Unavailable: Redis is refused, silent, full, readonly, or was so or slow a moment ago.
        """
        begun = time.monotonic()
        if begun < self._rests_until:
            raise Unavailable
        if self._failed:  # one tries; who comes meanwhile need not wait with it
            self._rests_until = begun + REST_SECONDS
        try:
            try:
                result = work(self._source.client())
            except MovedError:
                self._source.lose()
                result = work(self._source.client())
        except (redis.RedisError, RedisClusterException, OSError) as error:
            self._note(error)
            raise Unavailable from error
        is_slow = not is_long and time.monotonic() - begun >= self._slow_seconds
        self._slow_answers = self._slow_answers + 1 if is_slow else 0
        self._failed = self._slow_answers >= SLOW_ANSWERS
        self._rests_until = time.monotonic() + REST_SECONDS if self._failed else 0.0
        return result

    def _note(self, error: Exception) -> None:
        is_an_answer = isinstance(error, redis.ResponseError) and not isinstance(error, ReadOnlyError)
        if is_an_answer:  # it is there and only refuses this: a write while it is full, for one
            self._failed, self._rests_until = False, 0.0
        else:
            self._failed, self._rests_until = True, time.monotonic() + REST_SECONDS
            self._source.lose()
        self._unlogged += 1
        if time.monotonic() - self._logged_at >= LOG_EVERY_SECONDS:
            text = "Redis failed (%s: %s), %d times since this was last said; leaderboards come from the database."
            logger.warning(text, type(error).__name__, error, self._unlogged)
            self._logged_at, self._unlogged = time.monotonic(), 0


class _Single:
    def __init__(self, url: str, options: dict[str, Any]) -> None:
        self._client: redis.Redis = redis.Redis.from_url(_plain(url), **options)

    def client(self) -> redis.Redis:
        return self._client

    def lose(self) -> None:
        """Connect anew: what the name leads to may have become a replica, or have moved."""
        self._client.connection_pool.disconnect(inuse_connections=False)


class _Cluster:
    """Finds the node that holds the slot of ``tag``; asks one node at a time, so that a dead cluster costs little."""

    def __init__(self, url: str, options: dict[str, Any], tag: str) -> None:
        parsed = _parsed(url)
        self._nodes = deque([(str(parsed.pop("host", "localhost")), int(parsed.pop("port", 6379)))])
        parsed.pop("db", None)  # a cluster has only one
        self._options = {**options, **parsed}
        self._tag = tag
        self._client: redis.Redis | None = None

    def client(self) -> redis.Redis:
        client = self._client
        if client is None:
            host, port = self._nodes[0]
            cluster: Any = RedisCluster(host=host, port=port, require_full_coverage=False, **self._options)
            client = self._client = cluster.get_redis_connection(cluster.get_node_from_key(self._tag))
            known = [(str(node.host), int(node.port)) for node in cluster.get_nodes()]
            self._nodes = deque(dict.fromkeys([(host, port), *known]))
        return client

    def lose(self) -> None:
        """Look for the node again, and ask another one where it is."""
        self._client = None
        self._nodes.rotate(-1)


@lru_cache(maxsize=8)
def connect(url: str | None, timeout: float, prefix: str) -> Store:
    """Return the store that these options describe; the same one for the same options.

    Raises:
        ImproperlyConfigured: ``url`` leads to no Redis.
    """
    if problem := problem_of(url):
        raise ImproperlyConfigured(problem)
    return Store(str(url), timeout, prefix)


def _plain(url: str) -> str:
    """Return ``url`` with a scheme that the client knows."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.replace(CLUSTER, '').replace('valkey', 'redis')}://{rest}"


def _parsed(url: str) -> dict[str, Any]:
    """Return what ``url`` says, as arguments of a client."""
    parsed: dict[str, Any] = parse_url(_plain(url))  # type: ignore[no-untyped-call]
    return parsed


def _evaluate(client: redis.Redis, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
    try:
        return client.evalsha(script.sha, len(keys), *keys, *arguments)
    except NoScriptError:
        return client.eval(script.text, len(keys), *keys, *arguments)


def _evaluate_each(client: redis.Redis, script: Script, calls: Sequence[Call]) -> list[Any]:
    for is_loaded in (False, True):
        pipeline = client.pipeline(transaction=False)
        for keys, arguments in calls:
            pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
        replies = pipeline.execute(raise_on_error=False)
        if is_loaded or not any(isinstance(reply, NoScriptError) for reply in replies):
            break
        client.script_load(script.text)  # all again: each does no harm a second time
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return list(replies)

"""Reads from a replica of the database: a router, and the middleware that says request by request who may read there.

Only requests that change nothing read from the replica, and only once it holds what the same client or user wrote
last; everything else, commands and tasks included, stays on the primary. A replica that cannot be asked is passed over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

PRIMARY, REPLICA = "default", "replica"
COOKIE = "gamification_position"
#: How long a write is remembered; a replica that is further behind than that is broken.
PIN_SECONDS = 300
#: How long a replica that failed is not asked again.
RETRY_SECONDS = 5
#: Later than any position: where there is none to compare, only time ends the pin.
NEVER = 2**63 - 1
#: How statements that concern us are told.
TABLES, LOCK = "gamification_", "FOR UPDATE"
UNREACHABLE = (OperationalError, InterfaceError)

logger = logging.getLogger(__name__)
_aside_until = 0.0


class Reads:
    """Where one request reads: decided at its first read, because only then it is known whose request it is."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.has_written = False
        self.has_failed = False
        self._is_free: bool | None = None

    def is_free(self) -> bool:
        """Tell whether the request may read from the replica now."""
        if self._is_free is None:
            self._is_free = False  # what the decision itself reads is on the primary
            self._is_free = is_usable(_position_of(self.request))
        return self._is_free and not self.has_written and not self.has_failed


_reads: ContextVar[Reads | None] = ContextVar("gamification_reads", default=None)


class ReplicaRouter:
    """Lead the app's reads to the replica where :class:`ReplicaMiddleware` allows it, all its writes to the primary.

    ``primary_models`` are read on the primary in any case: by them processes agree who does what,
    and a page that was switched off is gone at once.
    """

    app_labels = frozenset({"gamification"})
    primary_models = frozenset({"leaderboardcache", "publicprofile", "requestcount", "queuedactivity"})

    def db_for_read(self, model: type[Model], *, instance: Model | None = None, **hints: Any) -> str | None:
        if not self._is_ours(model, instance):
            return None
        reads = _reads.get()
        if reads is None or model._meta.model_name in self.primary_models:
            return PRIMARY
        return REPLICA if not connections[PRIMARY].in_atomic_block and reads.is_free() else PRIMARY

    def db_for_write(self, model: type[Model], *, instance: Model | None = None, **hints: Any) -> str | None:
        return PRIMARY if self._is_ours(model, instance) else None

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        return True if {one._state.db, other._state.db} <= {PRIMARY, REPLICA} else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == REPLICA else None

    def _is_ours(self, model: type[Model], instance: Model | None) -> bool:
        """Tell whether it is for us to say: a row of the app, or one that came with it from the replica."""
        is_from_replica = instance is not None and instance._state.db == REPLICA
        return model._meta.app_label in self.app_labels or is_from_replica


class ReplicaMiddleware:
    """Let GET and HEAD read from the replica, unless the client or the user wrote what it does not hold yet.

    What was written is remembered as a position in the primary's log: in a signed cookie for browsers, and in the
    cache by user for everybody who signs in, with a session or a token. Put it last.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if REPLICA not in connections.settings:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            response = self.get_response(request)
            _remember(request, response)
            return response
        with reading(request) as reads:
            response = self.get_response(request)
            if reads.has_failed:
                response = self.get_response(request)  # nothing was changed, so it can be asked again
        if reads.has_written:
            _remember(request, response)
        return response


@contextmanager
def reading(request: HttpRequest) -> Iterator[Reads]:
    """Let the app's reads go to the replica, as long as nothing of the app is written and the replica answers."""
    reads = Reads(request)
    token = _reads.set(reads)
    try:
        with (
            connections[PRIMARY].execute_wrapper(_noticing_writes(reads)),
            connections[REPLICA].execute_wrapper(_noticing_failures(reads)),
        ):
            yield reads
    finally:
        _reads.reset(token)


def is_usable(position: int) -> bool:
    """Tell whether the replica can be asked and holds everything up to ``position``."""
    if position == NEVER or time.monotonic() < _aside_until:
        return False
    connection = connections[REPLICA]
    try:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        return not position or _number("pg_last_wal_replay_lsn()", REPLICA) >= position
    except UNREACHABLE as error:
        _set_aside(error)
        return False


def _noticing_writes(reads: Reads) -> Callable[..., Any]:
    """Return a wrapper of statements that notices those that change the app's tables, or lock rows of them."""

    def notice(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        text = str(sql)
        if TABLES in text and (LOCK in text or not text.lstrip().upper().startswith("SELECT")):
            reads.has_written = True
        return execute(sql, *rest)

    return notice


def _noticing_failures(reads: Reads) -> Callable[..., Any]:
    """Return a wrapper of statements that notices when the replica fails in the middle of a request."""

    def notice(execute: Callable[..., Any], *statement: Any) -> Any:
        try:
            return execute(*statement)
        except UNREACHABLE as error:
            reads.has_failed = True
            _set_aside(error)
            raise

    return notice


def _set_aside(error: Exception) -> None:
    global _aside_until  # noqa: PLW0603 -- one moment for the whole process
    logger.warning("The replica is passed over for %d s: %s", RETRY_SECONDS, error)
    _aside_until = time.monotonic() + RETRY_SECONDS


def _position_of(request: HttpRequest) -> int:
    """Return up to where the replica must be for this client and user: 0 when they wrote nothing of late."""
    cookie = request.get_signed_cookie(COOKIE, default="0", salt=COOKIE, max_age=PIN_SECONDS)
    try:
        key = _key(request)
        kept = cache.get(key, 0) if key else 0
    except Exception as error:  # noqa: BLE001 -- each cache has errors of its own
        logger.warning("The cache cannot say who has to read from the primary: %r", error)
        return NEVER
    return max(int(cookie or 0), kept)


def _remember(request: HttpRequest, response: HttpResponse) -> None:
    """Keep up to where the replica must be before this client and user read from it."""
    try:
        # The end of what was written into the log, not of what is on the disk: with asynchronous commits that is less.
        position = _number("pg_current_wal_insert_lsn()", PRIMARY)
    except (DatabaseError, InterfaceError):
        position = NEVER
    if request.COOKIES:
        response.set_signed_cookie(
            COOKIE,
            str(position),
            salt=COOKIE,
            max_age=PIN_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    try:
        if key := _key(request):
            cache.set(key, position, PIN_SECONDS)
    except Exception as error:  # noqa: BLE001 -- each cache has errors of its own
        logger.warning("The cache cannot keep who has to read from the primary: %r", error)


def _key(request: HttpRequest) -> str:
    user: Any = getattr(request, "user", None)
    return f"gamification:position:{user.pk}" if user is not None and user.is_authenticated else ""


def _number(function: str, alias: str) -> int:
    """Return a position in the log as a number: 0 where a PostgreSQL is no replica, ``NEVER`` where it is another one.

    Raises:
        OperationalError, InterfaceError: the database cannot be asked.
    """
    if connections[alias].vendor != "postgresql":
        return NEVER
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT {function} - '0/0'")
        (position,) = cursor.fetchone()
    return int(position or 0)

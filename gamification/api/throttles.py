"""Throttles that are exact: a fixed window for each scope and caller, counted in one atomic step.

The cache counts while it can do so exactly. Scopes in ``STRICT`` are counted in the database when it cannot: because it
is down, belongs to one process, or has no atomic ``incr``. The other scopes use what cache there is, and fail open.
"""

from __future__ import annotations

import hashlib
import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections, router
from django.utils import timezone
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from gamification.models import RequestCount

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView

READ = "gamification_read"
WRITE = "gamification_write"
AWARDS = "gamification_awards"
ACTIVITIES = "gamification_activities"
EXPORT = "gamification_export"
ERASE = "gamification_erase"
LOGIN = "gamification_login"

#: Used where the project's ``DEFAULT_THROTTLE_RATES`` says nothing; None there turns a scope off.
DEFAULT_RATES: dict[str, str] = {
    READ: "600/min",
    WRITE: "60/min",
    AWARDS: "600/min",
    ACTIVITIES: "600/min",
    EXPORT: "10/min",
    ERASE: "5/min",
    LOGIN: "10/min",
}
STRICT = frozenset({AWARDS, ACTIVITIES, ERASE, LOGIN})
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
EXPIRED_AT_ONCE = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many ``requests`` in each window of ``seconds``."""

    requests: int
    seconds: int


def rate_of(scope: str) -> Rate | None:
    """Return the rate of ``scope``; None is no limit."""
    rates: dict[str, Any] = api_settings.DEFAULT_THROTTLE_RATES or {}
    text = rates.get(scope, DEFAULT_RATES.get(scope))
    if text is None:
        return None
    requests, _, period = text.partition("/")
    return Rate(int(requests), SECONDS[period.strip()[0]])


def seconds_to_wait(scope: str, ident: str, *, now: datetime | None = None) -> int | None:
    """Count a request of ``ident`` in ``scope``, and return how long to wait when it is one too many, else None."""
    rate = rate_of(scope)
    if rate is None:
        return None
    now = now or timezone.now()
    window = int(now.timestamp()) // rate.seconds
    ends_at = datetime.fromtimestamp((window + 1) * rate.seconds, UTC)
    requests = _count(scope, f"{scope}:{ident}", ends_at, rate, now)
    return max(1, math.ceil((ends_at - now).total_seconds())) if requests > rate.requests else None


def _count(scope: str, ident: str, ends_at: datetime, rate: Rate, now: datetime) -> int:
    """Return the number of this request in its window, from 1."""
    cache = caches[DEFAULT_CACHE_ALIAS]
    if scope in STRICT and not _is_exact(cache):
        return _count_in_database(ident, ends_at, now)
    try:
        return _count_in_cache(cache, f"{_digest(ident)}:{ends_at.timestamp():.0f}", rate.seconds)
    except Exception as error:  # noqa: BLE001 -- each backend has errors of its own
        logger.warning("The cache cannot count requests of the scope %s: %r", scope, error)
        return _count_in_database(ident, ends_at, now) if scope in STRICT else 0


def _digest(text: str) -> str:
    return f"gamification:{hashlib.sha256(text.encode()).hexdigest()}"


def _is_exact(cache: BaseCache) -> bool:
    """Tell whether all processes share ``cache`` and its ``incr`` is one step: the base class reads, then writes."""
    return type(cache).incr is not BaseCache.incr and not isinstance(cache, LocMemCache)


def _count_in_cache(cache: BaseCache, key: str, seconds: int) -> int:
    try:
        return int(cache.incr(key))
    except ValueError:  # the first of its window, or one of several: only one of them adds, and each is counted
        cache.add(key, 0, timeout=2 * seconds)
        return int(cache.incr(key))


def _count_in_database(ident: str, ends_at: datetime, now: datetime) -> int:
    """Count by one upsert; the first request of a window also removes a few counts of windows long past."""
    fields = RequestCount._meta
    connection = connections[router.db_for_write(RequestCount)]
    names = {name: connection.ops.quote_name(name) for name in ("ident", "ends_at", "requests")}
    table = connection.ops.quote_name(fields.db_table)
    with connection.cursor() as cursor:
        cursor.execute(  # only names of our own are written into the text
            f"INSERT INTO {table} ({names['ident']}, {names['ends_at']}, {names['requests']}) VALUES (%s, %s, 1) "  # noqa: S608
            f"ON CONFLICT ({names['ident']}, {names['ends_at']}) "
            f"DO UPDATE SET {names['requests']} = {table}.{names['requests']} + 1 RETURNING {names['requests']}",
            [ident, fields.get_field("ends_at").get_db_prep_value(ends_at, connection)],
        )
        (requests,) = cursor.fetchone()
    if requests == 1:
        _forget_before(now - timedelta(days=1))
    return int(requests)


def _forget_before(moment: datetime) -> None:
    past = RequestCount.objects.filter(ends_at__lt=moment).order_by("ends_at")
    if keys := list(past.values_list("pk", flat=True)[:EXPIRED_AT_ONCE]):
        RequestCount.objects.filter(pk__in=keys).delete()


class ScopeThrottle(BaseThrottle):
    """Throttle by scope: a signed-in user by primary key, others by a digest of the address."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self._wait: int | None = None

    def get_ident(self, request: HttpRequest | Request) -> str:
        """Return who calls. ``X-Forwarded-For`` is believed only where ``NUM_PROXIES`` says how many wrote it."""
        user: Any = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            return f"user:{user.pk}"
        if api_settings.NUM_PROXIES is None:
            return _digest(str(request.META.get("REMOTE_ADDR")))
        return _digest(str(super().get_ident(request)))  # type: ignore[arg-type]

    def allow_request(self, request: HttpRequest | Request, view: APIView | None = None) -> bool:
        self._wait = seconds_to_wait(self.scope, self.get_ident(request))
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


class LoginThrottle(ScopeThrottle):
    """For a view that exchanges a password for a token: ``throttle_classes = [LoginThrottle]``."""

    def __init__(self) -> None:
        super().__init__(LOGIN)


def login_wait(request: HttpRequest) -> int | None:
    """Count an attempt to sign in through a page, and return the seconds to wait when it is one too many, else None."""
    return seconds_to_wait(LOGIN, ScopeThrottle(LOGIN).get_ident(request))

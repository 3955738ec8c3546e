"""Counts of requests that are exact: a fixed window for each scope and caller, counted in one atomic step.

Scopes in ``STRICT`` are counted in the database, whatever the cache: two places that count by turns, because the cache
answers now and then, would let through as many each. The other scopes use what cache there is, and fail open.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.base import BaseCache
from django.db import connections, router
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.settings import api_settings

from gamification.models import RequestCount

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

READ = "gamification_read"
WRITE = "gamification_write"
AWARDS = "gamification_awards"
ACTIVITIES = "gamification_activities"
EXPORT = "gamification_export"
ERASE = "gamification_erase"
LOGIN = "gamification_login"
LOGIN_ACCOUNT = "gamification_login_account"

#: Used where the project's ``DEFAULT_THROTTLE_RATES`` says nothing; None there turns a scope off.
DEFAULT_RATES: dict[str, str] = {
    READ: "600/min",
    WRITE: "60/min",
    AWARDS: "600/min",
    ACTIVITIES: "600/min",
    EXPORT: "10/min",
    ERASE: "5/hour",
    LOGIN: "10/min",
    LOGIN_ACCOUNT: "10/hour",
}
STRICT = frozenset({AWARDS, ACTIVITIES, ERASE, LOGIN, LOGIN_ACCOUNT})
#: Whoever has one IPv6 address has all of the network of this length.
IPV6_NETWORK = 64
#: As some proxies write addresses: 203.0.113.7:50000, [2001:db8::1]:443. Each connection has another port.
WITH_PORT = re.compile(r"([^:]+):\d+|\[(.+)\](?::\d+)?")
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
    ends_at = _end_of_window(rate, now)
    requests = _count(scope, f"{scope}:{ident}", ends_at, rate, now)
    return max(1, math.ceil((ends_at - now).total_seconds())) if requests > rate.requests else None


def ident_of_user(pk: Any) -> str:
    """Return what somebody who is signed in is counted as."""
    return f"user:{pk}"


def ident_of_address(request: HttpRequest | Request) -> str:
    """Return what the address that ``request`` came from is counted as; the address cannot be read in it.

    ``X-Forwarded-For`` is believed only as far as ``NUM_PROXIES`` says that proxies of ours wrote it. An IPv6 address
    counts with its whole network, because its owner could change it for every request.
    """
    return _secret(_network(_address(request)))


def ident_of_account(name: str) -> str:
    """Return what attempts to sign in as ``name`` are counted as; however it is written, and it cannot be read."""
    return _secret(unicodedata.normalize("NFKC", name).strip().casefold())


def forget_account(name: str) -> None:
    """Forget the attempts to sign in as ``name``: nobody has to wait any longer for those of others."""
    RequestCount.objects.filter(ident__startswith=f"{LOGIN_ACCOUNT}:{ident_of_account(name)}").delete()


def _address(request: HttpRequest | Request) -> str:
    address, proxies = str(request.META.get("REMOTE_ADDR") or ""), api_settings.NUM_PROXIES
    forwarded = request.headers.get("x-forwarded-for")
    if not proxies or not forwarded:
        return address
    chain = forwarded.split(",")
    return str(chain[-min(proxies, len(chain))].strip())


def _network(address: str) -> str:
    with_port = WITH_PORT.fullmatch(address)
    try:
        found = ipaddress.ip_address(with_port[1] or with_port[2] if with_port else address)
    except ValueError:  # a name, a socket, or nonsense
        return address
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, IPV6_NETWORK), strict=False))


def _secret(text: str) -> str:
    """Return a digest that nobody without ``SECRET_KEY`` can find ``text`` by trying."""
    return salted_hmac("gamification.throttling", text, algorithm="sha256").hexdigest()


def _end_of_window(rate: Rate, now: datetime) -> datetime:
    return datetime.fromtimestamp((int(now.timestamp()) // rate.seconds + 1) * rate.seconds, UTC)


def _cache_key(ident: str, ends_at: datetime) -> str:
    return f"gamification:{hashlib.sha256(ident.encode()).hexdigest()}:{ends_at.timestamp():.0f}"


def _count(scope: str, ident: str, ends_at: datetime, rate: Rate, now: datetime) -> int:
    """Return the number of this request in its window, from 1."""
    if scope in STRICT:
        # A cache that answers now and then would let a count begin anew in the database each time that it does not.
        return _count_in_database(ident, ends_at, now)
    try:
        return _count_in_cache(caches[DEFAULT_CACHE_ALIAS], _cache_key(ident, ends_at), rate.seconds)
    except Exception as error:  # noqa: BLE001 -- each backend has errors of its own
        logger.warning("The cache cannot count requests of the scope %s: %r", scope, error)
        return 0


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

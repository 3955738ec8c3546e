"""Rates: 200 requests at once against 60 a minute, on gunicorn with several processes, with made-up addresses."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db.models import Sum
from rest_framework.authtoken.models import Token

from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import databases, site
from gamification.models import Activity, RequestCount, UserCounter, XPTransaction
from gamification.services import integrity
from gamification.tests import servers
from gamification.tests.races.processes import database

SETTINGS, PROCESSES = "benchmarks.faults.rates_site", 4
AT_ONCE, ALLOWED, DAYS_XP = 200, 60, 255
#: All requests must fall into one minute: it is waited for one with so many seconds left.
SECONDS_NEEDED = 40
ACTIVITIES, LOGIN = "/api/v1/gamification/activities", "/accounts/login/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Send = Callable[[HTTPConnection, int], int]


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Report activities, and try to sign in, with each kind of cache; once more behind a proxy that is told of."""
    with databases("PostgreSQL") as urls, servers.redis_server() as redis_url, database(urls["PostgreSQL"]):
        caches = {
            "Redis": redis_url,
            "a cache in the database": "dbcache://requests_cache",
            "the cache is down": "redis://127.0.0.1:1/0",
        }
        for name, cache in [*caches.items()][: 1 if is_quick else None]:
            with site(urls["PostgreSQL"], settings=SETTINGS, processes=PROCESSES, env={"CACHE_URL": cache}) as served:
                if cache.startswith("dbcache"):
                    servers.manage("createcachetable", env=served.env)
                yield _reports(served.port, f"PostgreSQL, {name}")
                yield _sign_in(served.port, f"PostgreSQL, {name}, a new X-Forwarded-For each time")
        if not is_quick:
            behind = {"CACHE_URL": redis_url, "NUM_PROXIES": "1"}
            with site(urls["PostgreSQL"], settings=SETTINGS, processes=PROCESSES, env=behind) as served:
                where = "PostgreSQL, Redis, made-up addresses before that of the proxy"
                yield _sign_in(served.port, where, proxy="203.0.113.9")


def _reports(port: int, where: str) -> Outcome:
    """Let one person report what they did, 200 times at once, and look at what was recorded and paid."""
    model = get_user_model()
    user: Any = model._default_manager.create(**{model.USERNAME_FIELD: uuid4().hex})
    token = Token.objects.create(user=user).key

    def send(connection: HTTPConnection, number: int) -> int:
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json", **_made_up()}
        connection.request("POST", ACTIVITIES, json.dumps({"kind": "commit", "key": f"{number}"}), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    before = _in_database()
    statuses = _at_once(port, send)
    xp = XPTransaction.objects.filter(user=user, source="activity").aggregate(sum=Sum("xp_amount"))["sum"]
    counted = UserCounter.objects.get(user=user, name="commits").value
    wrong = [
        statuses != {201: ALLOWED, 429: AT_ONCE - ALLOWED},
        Activity.objects.filter(user=user).count() != ALLOWED,
        (xp, counted) != (DAYS_XP, ALLOWED),
        any(integrity.verify(users=[user])),
    ]
    figures = {
        "passed": statuses[201],
        "XP, of at most 255 a day": xp,
        "counted in the database": _in_database() - before,
        "statuses": dict(statuses),
    }
    return Outcome("rates of reports", where, AT_ONCE, sum(wrong), figures)


def _sign_in(port: int, where: str, proxy: str = "") -> Outcome:
    """Let one machine guess a password 200 times at once."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", LOGIN)
    answer = connection.getresponse()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    form = f"csrfmiddlewaretoken={found[1] if found else ''}&password=wrong&username="

    def send(connection: HTTPConnection, number: int) -> int:
        # Each for another account: what is tried for one has a limit of its own.
        connection.request("POST", LOGIN, f"{form}{number}", {**FORM, "Cookie": cookie, **_made_up(proxy)})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    RequestCount.objects.all().delete()  # with the cache before, this machine may have been counted in this minute
    statuses = _at_once(port, send)
    lost = abs(statuses[200] - ALLOWED) + AT_ONCE - statuses[200] - statuses[429]
    return Outcome("rates of signing in", where, AT_ONCE, lost, {"passed": statuses[200], "statuses": dict(statuses)})


def _in_database() -> int:
    """Return how many requests were counted in the database, as they are where the cache cannot."""
    return RequestCount.objects.aggregate(sum=Sum("requests"))["sum"] or 0


def _made_up(proxy: str = "") -> dict[str, str]:
    """Return a header that says that the request comes from somewhere else, as a proxy would pass it on."""
    address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
    return {"X-Forwarded-For": f"{address}, {proxy}" if proxy else address}


def _at_once(port: int, send: Send) -> Counter[int]:
    """Let go 200 connections together within one minute, and return how often each status came."""
    statuses: Counter[int] = Counter()
    gate = Barrier(AT_ONCE)

    def ask(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        gate.wait()
        statuses[send(connection, number)] += 1
        connection.close()

    left = 60 - time.time() % 60
    time.sleep(left if left < SECONDS_NEEDED else 0)
    minute = time.time() // 60
    threads = [Thread(target=ask, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if time.time() // 60 != minute:
        raise RuntimeError("The requests took more than a minute: this machine is too busy to tell.")
    return statuses

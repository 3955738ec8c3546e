"""What a request costs: gunicorn with threads, kept-alive connections, and a bare view as the floor."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from threading import Thread
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.cached_db import SessionStore
from django.db import connection
from rest_framework.authtoken.models import Token

from benchmarks import people
from benchmarks.harness import Measurement, seconds, speed, verified
from gamification.tests import servers

DATABASES = ("sqlite", "postgresql")
CONNECTIONS = 2
BARE = "a bare view behind the same session"
BOARD = "/api/v1/gamification/leaderboard/xp_all_time"
ACTIVITIES = "/api/v1/gamification/activities"
BATCH = 1000


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    """Yield the activities and the dashboard of few users, then boards and dashboard of many."""
    users, requests, rounds = (5_000, 60, 2) if is_quick else (1_000_000, 200, 7)
    people.populate(people.Crowd(1000, days=2))
    with _site() as site:
        before = _dashboard(site, requests)
    people.empty()
    people.populate(people.Crowd(users, days=2))
    with _site() as site:
        after = _dashboard(site, requests)
        ratio = round(after / before, 3)
        yield Measurement(
            f"dashboard, {users:,} users", database, ratio, ratio, ratio, "<= 1.2", "the dashboard of 1,000 users",
            before, after, 1, "not in turns: one database holds one crowd at a time",
        )  # fmt: skip
        labels: dict[str, Any] = {"rounds": rounds, "operations": requests}
        bare = site.load("/bare", requests)
        for path, goal in ((f"{BOARD}?me=false", ">= 0.75"), (BOARD, ">= 0.55")):
            product = site.load(path, requests)
            product()
            yield speed(f"GET {path.rpartition('/')[2]}", database, bare, product, goal=goal, against=BARE, **labels)
    people.empty()
    with _site() as site:
        yield from _activities(database, site, 50 if is_quick else BATCH)


def _activities(database: str, site: Site, batch: int) -> Iterator[Measurement]:
    """Yield how much faster a list is than one after the other."""

    def one_by_one() -> None:
        for event in _events(batch):
            site.post([event], is_list=False)

    yield speed(
        f"POST activities, {batch:,} in one request", database,
        one_by_one, lambda: site.post(_events(batch)),
        goal=">= 15" if batch == BATCH else "", against="as many requests", rounds=3, operations=batch,
    )  # fmt: skip
    verified()


def _events(number: int) -> list[dict[str, Any]]:
    return [{"kind": "words_learned", "key": uuid4().hex, "quantity": 1} for _ in range(number)]


def _dashboard(site: Site, requests: int) -> float:
    """Return the microseconds of a dashboard, the median of five rounds."""
    load = site.load("/gamification", max(10, requests // 8))
    load()
    return sorted(seconds(load) / max(10, requests // 8) * 1e6 for _ in range(5))[2]


class Site:
    """A running site and somebody who is signed in there, in the middle of the board."""

    def __init__(self, port: int) -> None:
        self.port = port
        model = get_user_model()
        found = model._default_manager.filter(is_active=True).order_by("pk")
        self._poster = HTTPConnection("127.0.0.1", port, timeout=60)
        self.user = found[min(500, found.count() - 1)] if found.exists() else model._default_manager.create(pk=1)
        type(self.user)._default_manager.filter(pk=self.user.pk).update(is_superuser=True)
        session = SessionStore()
        session[SESSION_KEY] = str(self.user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = self.user.get_session_auth_hash()
        session.save()
        self.cookie = f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
        self.token = Token.objects.get_or_create(user=self.user)[0].key

    def load(self, path: str, requests: int) -> Any:
        """Return work that asks for ``path`` so many times, over a few connections at once."""

        def ask() -> None:
            open_to = HTTPConnection("127.0.0.1", self.port, timeout=60)
            for _ in range(requests // CONNECTIONS):
                open_to.request("GET", path, headers={"Cookie": self.cookie})
                answer = open_to.getresponse()
                body = answer.read()
                if answer.status != 200:
                    raise SystemExit(f"{path}: {answer.status} {body[:500]!r}")
            open_to.close()

        def work() -> None:
            threads = [Thread(target=ask) for _ in range(CONNECTIONS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        return work

    def post(self, events: list[dict[str, Any]], *, is_list: bool = True) -> None:
        """Send activities in one request."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        self._poster.request("POST", ACTIVITIES, json.dumps(events if is_list else events[0]), headers)
        answer = self._poster.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise SystemExit(f"{ACTIVITIES}: {answer.status} {body[:500]!r}")


@contextmanager
def _site() -> Iterator[Site]:
    """Serve the project on the database of this process."""
    connection.close()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = servers.environment({
        "DJANGO_SETTINGS_MODULE": "benchmarks.site", "DEBUG": "0", "SECRET_KEY": settings.SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "0", "LOG_LEVEL": "ERROR", "PUBLIC_USERNAMES": "1",
    })  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    command += ["--worker-class", "gthread", "--threads", "4", "--log-level", "error", "--keep-alive", "30"]
    command.append("--no-control-socket")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(port)
            yield Site(port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait(port: int) -> None:
    for attempt in count():
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            if attempt > 200:
                raise
            time.sleep(0.1)

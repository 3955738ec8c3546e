"""Sites to try things on: migrated databases, people who are signed in, and gunicorn with several workers."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from rest_framework.authtoken.models import Token

from gamification.services import achievements
from gamification.tests import servers

START_SECONDS = 60
DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, with a session for pages and a token for the API."""

    pk: int
    cookie: str
    token: str


@dataclass(frozen=True, slots=True)
class Site:
    """A running site: its port, and the process of gunicorn that starts the workers."""

    port: int
    pid: int

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Yield the URL of a migrated, empty database of a kind of ``DATABASES``."""
    with ExitStack() as stack:
        if kind == "SQLite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gamification-site-"))
            url = f"sqlite:///{folder}/db.sqlite3"
        else:
            url = stack.enter_context(servers.postgresql())
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": url})
        yield url


def visitors(number: int) -> list[Visitor]:
    """Make so many people in the database of this thread, the first of them staff who may do everything."""
    achievements.initialize()
    model = get_user_model()
    model._default_manager.bulk_create(model(username=f"visitor{one}", password="!") for one in range(number))
    found = list(model._default_manager.order_by("pk"))
    model._default_manager.filter(pk=found[0].pk).update(is_staff=True, is_superuser=True)
    return [Visitor(user.pk, _cookie_of(user), Token.objects.create(user=user).key) for user in found]


def _cookie_of(user: Any) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


@contextmanager
def served(url: str, *, env: Mapping[str, str] | None = None, workers: int = 2, threads: int = 4) -> Iterator[Site]:
    """Serve the project on the database at ``url`` by as many workers with as many threads."""
    port = free_port()
    environment = servers.environment({
        "DJANGO_SETTINGS_MODULE": "benchmarks.faults.served_settings", "DATABASE_URL": url, "DEBUG": "0",
        "SECRET_KEY": settings.SECRET_KEY, "ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "0",
        "LOG_LEVEL": "ERROR",
        "PYTHONWARNINGS": "ignore",  # nothing was collected, and nobody asks for it
        **(env or {}),
    })  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}", "--keep-alive", "30"]
    command += ["--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads)]
    command += ["--log-level", "error", "--no-control-socket"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(port)
            yield Site(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)
            log.seek(0)
            if told := log.read().decode(errors="replace").strip():
                sys.stderr.write(f"{told[-4000:]}\n")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait(port: int) -> None:
    """Wait until the workers have loaded everything: gunicorn takes connections long before."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == HTTPStatus.OK:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        finally:
            connection.close()
        time.sleep(0.1)

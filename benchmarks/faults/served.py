"""The project, served by gunicorn on a database of its own."""

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
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

from django.conf import settings as settings_here

from gamification.tests import servers

START_SECONDS = 300
DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True, slots=True)
class Site:
    """A running site: where it listens, the process that starts its workers, its environment, and its log."""

    port: int
    pid: int
    env: dict[str, str]
    log: IO[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, code: str) -> str:
        """Run Python with the site's settings and database, and return what it prints."""
        return servers.manage("shell", "--no-imports", "--command", code, env=self.env)

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


@contextmanager
def database(kind: str, *, durable: bool = True) -> Iterator[str]:
    """Yield the URL of a migrated, empty database of a kind of ``DATABASES``."""
    with ExitStack() as stack:
        if kind == "SQLite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gamification-faults-"))
            url = f"sqlite:///{folder}/db.sqlite3"
        else:
            url = stack.enter_context(servers.postgresql(durable=durable))
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": url})
        yield url


@contextmanager
def databases(*kinds: str) -> Iterator[dict[str, str]]:
    """Yield the URLs of a migrated, empty database of each kind, by kind; not safe from power cuts, and faster."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(database(kind, durable=False)) for kind in kinds}


@contextmanager
def site(
    database_url: str,
    *,
    settings: str = "benchmarks.faults.settings",
    processes: int = 2,
    threads: int = 4,
    env: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Migrate the database and serve the project on it, DEBUG off, with so many processes of so many threads."""
    port = free_port()
    chosen = {
        "DJANGO_SETTINGS_MODULE": settings, "DEBUG": "0", "SECRET_KEY": settings_here.SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "0", "LOG_LEVEL": "ERROR",
        "DATABASE_URL": database_url, **(env or {}),
    }  # fmt: skip
    servers.manage("migrate", "--skip-checks", "--verbosity=0", env=chosen)
    options = f"--workers {processes} --worker-class gthread --threads {threads} --keep-alive 30 --log-level error"
    command = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}", *options.split()]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--no-control-socket"],
            cwd=Path(servers.ROOT),
            env=servers.environment(chosen),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(port)
            yield Site(port, process.pid, chosen, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def ask(port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, Any] | None = None) -> int:
    """Return the status of one answer, on a connection of its own; 0 when the server hangs up without one."""
    open_to = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        open_to.request(method, path, body, headers or {})
        return open_to.getresponse().status
    except OSError:
        return 0
    finally:
        open_to.close()


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while ask(port, "GET", "/healthz") != 200:
        if time.monotonic() > deadline:
            raise RuntimeError("The site did not start.")
        time.sleep(0.1)

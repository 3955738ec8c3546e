"""The project, served by gunicorn on a database of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

from gamification.tests import servers

START_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Site:
    """A running site: where it listens, how its database is reached, and what it has written to its log."""

    port: int
    env: dict[str, str]
    log: IO[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, code: str) -> str:
        """Run Python with the site's settings and database, and return what it prints."""
        return servers.manage("shell", "--no-imports", "--command", code, env=self.env)

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


@contextmanager
def databases(*names: str) -> Iterator[dict[str, str]]:
    """Yield the address of a new database of each of these: ``SQLite``, ``PostgreSQL``."""
    with tempfile.TemporaryDirectory(prefix="gamification-faults-") as folder:
        urls = {"SQLite": f"sqlite:///{folder}/db.sqlite3"}
        if "PostgreSQL" not in names:
            yield {name: urls[name] for name in names}
            return
        with servers.postgresql(durable=False) as server, servers.postgresql_database(server) as url:
            yield {name: {**urls, "PostgreSQL": url}[name] for name in names}


@contextmanager
def site(
    database_url: str, *, settings: str = "benchmarks.faults.settings", processes: int = 2, **env: str
) -> Iterator[Site]:
    """Migrate the database and serve the project on it, DEBUG off, with ``processes`` of four threads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    chosen = {
        "DJANGO_SETTINGS_MODULE": settings, "DEBUG": "0", "SECRET_KEY": "for-attacks-only" * 4,
        "ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "0", "LOG_LEVEL": "ERROR",
        "DATABASE_URL": database_url, **env,
    }  # fmt: skip
    servers.manage("migrate", "--skip-checks", "--verbosity=0", env=chosen)
    command = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += [
        "--workers",
        str(processes),
        "--worker-class",
        "gthread",
        "--threads",
        "4",
        "--log-level",
        "error",
        "--no-control-socket",
    ]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=Path(servers.ROOT), env=servers.environment(chosen), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(port)
            yield Site(port, chosen, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


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

"""A streaming replica of a private PostgreSQL: gone at the end, as its primary is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock
from urllib.parse import urlsplit

import psycopg
from django.db import connections

from gamification.tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator


class Standby:
    """A hot standby of the server at ``primary``, by the URL of the same database on it."""

    def __init__(self, primary: str, home: str) -> None:
        folders = servers._postgresql_folders()
        self._programs = [servers._find("PostgreSQL", name, folders=folders) for name in ("pg_basebackup", "postgres")]
        self._account = "postgres" if os.geteuid() == 0 else None
        self._home = home
        self._primary = primary
        self._port = servers._free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self._port}{urlsplit(primary).path}"

    def copy(self) -> None:
        if self._account:
            shutil.chown(self._home, self._account)
        source = ["-h", "127.0.0.1", "-p", str(urlsplit(self._primary).port), "-U", "postgres"]
        command = [self._programs[0], "-D", f"{self._home}/data", "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        subprocess.run([*command, *source], cwd=self._home, user=self._account, check=True)
        Path(self._home, "data").chmod(0o700)

    @contextmanager
    def running(self) -> Iterator[None]:
        command = [self._programs[1], "-D", f"{self._home}/data", "-k", self._home, "-h", "127.0.0.1"]
        command += ["-p", str(self._port), "-c", "fsync=off"]
        ask = lambda: psycopg.connect(self.url).close()  # noqa: E731 -- what is asked until it answers
        with servers._running(command, self._home, self._account, ask, psycopg.OperationalError):
            yield

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop replaying what the primary sends, so that the replica lags behind for as long as the test needs."""
        self.catch_up()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            try:
                while connection.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
                    time.sleep(0.01)
                yield
            finally:
                connection.execute("SELECT pg_wal_replay_resume()")
        self.catch_up()

    def catch_up(self) -> None:
        """Wait until the replica holds what the primary has."""
        with psycopg.connect(self._primary, autocommit=True) as primary:
            (position,) = primary.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
            primary.execute("SELECT pg_logical_emit_message(true, 'test', 'so that there is something behind it')")
        with psycopg.connect(self.url, autocommit=True) as replica:
            deadline = time.monotonic() + servers.START_SECONDS
            while not replica.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]).fetchone()[0]:
                assert time.monotonic() < deadline, "the replica does not catch up"
                time.sleep(0.01)


@contextmanager
def standby(primary: str) -> Iterator[Standby]:
    """Yield a copy of the server at ``primary``, not yet running."""
    with tempfile.TemporaryDirectory(prefix="gamification-standby-") as home:
        one = Standby(primary, home)
        one.copy()
        yield one


@contextmanager
def connected(alias: str, url: str) -> Iterator[None]:
    """Let the connection ``alias`` lead to ``url``, with the options that the project gives it."""
    with mock.patch.dict(os.environ, {"DATABASE_URL": url}):
        config = import_module("project.settings")._database()
    before = connections.settings.get(alias), getattr(connections._connections, alias, None)
    options = connections.configure_settings({"default": config})["default"]
    connections.settings[alias] = options
    connections[alias] = import_module(f"{options['ENGINE']}.base").DatabaseWrapper(options, alias)
    try:
        yield
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]
        if before[1] is not None:
            connections.settings[alias], connections[alias] = before

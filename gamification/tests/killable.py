"""A PostgreSQL that can be killed like a machine that loses its power, started again, and run short of disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from gamification.tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class KillablePostgresql:
    """A server that keeps what it has committed, on one port for its whole life; ``url`` leads to ``postgres``."""

    def __init__(self, command: Sequence[str], account: str | None, url: str, said: Path) -> None:
        self.url = url
        self._command, self._account, self._said = command, account, said
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start the server, wait until it takes connections, and return how many seconds that took."""
        begun = time.monotonic()
        with self._said.open("wb") as output:
            self._process = subprocess.Popen(
                self._command, cwd="/", user=self._account, stdout=output, stderr=subprocess.STDOUT
            )
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > begun + servers.START_SECONDS:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._said.read_text(errors='replace')}")
            time.sleep(0.02)
        return time.monotonic() - begun

    def answers(self) -> bool:
        """Tell whether the server takes connections now."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
            return True
        return False

    def has_ended(self) -> bool:
        """Tell whether the server went down, by itself or not."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """Send SIGKILL to the server and to all its processes, and wait until they are gone."""
        if self._process is None:
            return
        # Stopped first, so that it starts no other one in the meantime.
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGSTOP)
        pids = [self._process.pid, *_children(self._process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(servers.STOP_SECONDS)
        while any(_is_alive(pid) for pid in pids):
            time.sleep(0.005)
        self._process = None


@contextmanager
def postgresql(
    home: Path | None = None, options: Sequence[str] = (), *, log: Path | None = None
) -> Iterator[KillablePostgresql]:
    """Yield a new server, started, whose data are in ``home``; ``options`` are settings as ``name=value``.

    ``log`` is a folder for the log of what was written, elsewhere than the data.
    """
    folders = servers._postgresql_folders()
    initdb, postgres = (servers._find("PostgreSQL", name, folders=folders) for name in ("initdb", "postgres"))
    account = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="gamification-killable-") as folder:
        home = home or Path(folder)
        if account:
            for place in filter(None, (home, log)):
                shutil.chown(place, account)
        made = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        made += ["--wal-segsize=1", *([f"--waldir={log}/wal"] if log else [])]
        subprocess.run([initdb, *made, f"{home}/data"], cwd=home, user=account, check=True, stdout=subprocess.DEVNULL)
        port = servers._free_port()
        command = [postgres, "-D", f"{home}/data", "-k", str(home), "-h", "127.0.0.1", "-p", str(port)]
        command += [part for each in options for part in ("-c", each)]
        url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        server = KillablePostgresql(command, account, url, Path(folder, "said"))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _children(pid: int) -> list[int]:
    """Return the processes that ``pid`` has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = stat.read_text()
            if int(text.rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

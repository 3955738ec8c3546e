"""Private PostgreSQL and Redis servers: on a free port, with nothing of anybody else's, gone at the end.

``python -m gamification.tests.servers COMMAND...`` runs a command with the ``DATABASE_URL`` of such a PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import redis
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 30


class MissingServiceError(Exception):
    """This machine has no such program; the text says which, and what to install."""


def is_required() -> bool:
    """Tell whether a missing service is a failure: on a build machine skipped tests would look like passed ones."""
    return os.environ.get("REQUIRE_SERVICES") == "1"


def chromium() -> str:
    """Return the path of the system's Chromium: where there are two, of the one without a window, which costs less."""
    return _find("Chromium", "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@contextmanager
def postgresql(*, durable: bool = True) -> Iterator[str]:
    """Yield the URL of a new server's database ``postgres``; ``durable=False`` trades safety for speed."""
    initdb, postgres = (_find("PostgreSQL", name, folders=_postgresql_folders()) for name in ("initdb", "postgres"))
    # PostgreSQL refuses to run as root; its package has made an account for it.
    account = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="gamification-postgresql-") as home:
        if account:
            shutil.chown(home, account)
        data, port = f"{home}/data", _free_port()
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([initdb, *options, data], cwd=home, user=account, check=True, stdout=subprocess.DEVNULL)
        command = [postgres, "-D", data, "-k", home, "-h", "127.0.0.1", "-p", str(port)]
        if not durable:
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        with _running(command, home, account, lambda: psycopg.connect(url).close(), psycopg.OperationalError):
            yield url


@contextmanager
def redis_server(port: int = 0) -> Iterator[str]:
    """Yield the URL of a new Redis that keeps nothing on disk, on ``port`` if one is given."""
    program = _find("Redis", "redis-server", "valkey-server")
    with tempfile.TemporaryDirectory(prefix="gamification-redis-") as home:
        port = port or _free_port()
        command = [program, *f"--bind 127.0.0.1 --port {port} --dir {home} --appendonly no --save".split(), ""]
        url = f"redis://127.0.0.1:{port}/0"
        with (
            redis.Redis.from_url(url) as client,
            _running(command, home, None, client.ping, redis.ConnectionError),
        ):
            yield url


@contextmanager
def redis_cluster(nodes: int = 6) -> Iterator[list[tuple[str, int]]]:
    """Yield URL and process id of each node of a new Redis Cluster: half of them primaries, each with a replica."""
    program, client = _find("Redis", "redis-server", "valkey-server"), _find("Redis", "redis-cli", "valkey-cli")
    with tempfile.TemporaryDirectory(prefix="gamification-cluster-") as home, ExitStack() as running:
        ports, pids = [_free_cluster_port() for _ in range(nodes)], []
        for port in ports:
            folder = Path(home, str(port))
            folder.mkdir()
            options = f"--bind 127.0.0.1 --port {port} --dir {folder} --appendonly no --cluster-enabled yes"
            command = [
                program,
                *options.split(),
                *["--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0", "--save"],
                "",
            ]
            node = running.enter_context(closing(redis.Redis(port=port)))
            pids.append(running.enter_context(_running(command, str(folder), None, node.ping, redis.ConnectionError)))
        addresses = [f"127.0.0.1:{port}" for port in ports]
        create = [client, "--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes"]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, timeout=START_SECONDS)
        deadline = time.monotonic() + START_SECONDS
        while not all(_is_settled(port) for port in ports):
            if time.monotonic() > deadline:
                raise RuntimeError("The nodes of the cluster have not found one another.")
            time.sleep(0.1)
        yield [(f"redis+cluster://{address}", pid) for address, pid in zip(addresses, pids, strict=True)]


@contextmanager
def postgresql_database(server: str, *, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a new database on ``server``, a copy of the database ``template``."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return what a process of the project needs to run by ``env`` alone, whatever stands in ``.env``."""
    # The permission that a test with a browser needs is not the command's.
    own = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return {**own, "DJANGO_SETTINGS_MODULE": "project.settings", "ENV_FILE": "", **env}


def manage(*arguments: str, env: Mapping[str, str]) -> str:
    """Run ``manage.py`` in a process of its own and return what it printed; an error shows what went wrong."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _find(service: str, *names: str, folders: Sequence[Path] = ()) -> str:
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath), "/usr/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise MissingServiceError(f"{service} is not installed: there is no {' or '.join(names)}.")


def _postgresql_folders() -> list[Path]:
    """Return where Debian keeps the servers' programs, newest version first."""
    return sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name.zfill(3), reverse=True
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _free_cluster_port() -> int:
    """Return a free port whose neighbour for the nodes' own talk, 10,000 above, is free too."""
    while True:
        port = _free_port() % 20_000 + 20_000
        try:
            for one in (port, port + 10_000):
                socket.create_server(("127.0.0.1", one)).close()
        except OSError:
            continue
        return port


def _is_settled(port: int) -> bool:
    """Tell whether a node knows of the whole cluster and, as a replica, could take over."""
    with redis.Redis(port=port, decode_responses=True) as node:
        state: Any = node.execute_command("CLUSTER INFO")
        replication: Any = node.info("replication")
    return state["cluster_state"] == "ok" and replication.get("master_link_status", "up") == "up"


@contextmanager
def _running(
    command: Sequence[str],
    home: str,
    account: str | None,
    ask: Callable[[], object],
    not_yet: type[Exception],
) -> Iterator[int]:
    """Keep the server ``command`` running and yield its process id, once ``ask`` no longer raises ``not_yet``."""
    log = Path(home) / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=home, user=account, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                ask()
                break
            except not_yet:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()}") from None
                time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGCONT)  # a test may have paused it
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main(command: Sequence[str]) -> int:
    """Run ``command`` against a private PostgreSQL and return its exit code."""
    try:
        with postgresql(durable=False) as url:
            return subprocess.run(command, env=environment({"DATABASE_URL": url}), check=False).returncode
    except MissingServiceError as error:
        sys.stdout.write(f"{'Failed' if is_required() else 'Skipped'}: {error}\n")
        return int(is_required())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

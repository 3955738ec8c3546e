"""What all tests share: fast passwords, an empty cache, private servers, a browser."""

from __future__ import annotations

import gc
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import redis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.test import override_settings
from django.utils.module_loading import import_string

from gamification.tests import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.contrib.auth.models import User
    from django.test import Client
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request
    from pytest_django.live_server_helper import LiveServer

# Playwright keeps an event loop running in the thread of the test; Django would refuse the ORM there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

MARKED_BY_FIXTURE = {
    "page": "browser",
    "postgres_server": "postgres",
    "redis_server": "redis",
    "redis_cluster": "cluster",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a service by the fixtures that it names, so that no mark is forgotten there."""
    for item in items:
        for fixture in set(MARKED_BY_FIXTURE) & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKED_BY_FIXTURE[fixture])


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what stays, and look less often at the rest: it took a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session", autouse=True)
def _fast_passwords() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Keep throttles, sessions and snapshots of one test from the next."""
    yield
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _no_reads_written() -> Iterator[None]:
    """Keep the counts of board reads in memory, without the thread that would write them at some moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gamification.backends.reads.later", lambda work: None)
        yield


@pytest.fixture(autouse=True)
def _no_reads_counted() -> Iterator[None]:
    """Keep the board reads of one test from the next."""
    yield
    import_string("gamification.backends.reads.tally").drop()


# Services


def _go_without(error: servers.MissingServiceError) -> NoReturn:
    if servers.is_required():
        pytest.fail(f"{error} REQUIRE_SERVICES=1 forbids to skip.")
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a PostgreSQL that only this test run uses."""
    try:
        with servers.postgresql() as url:
            yield url
    except servers.MissingServiceError as error:
        _go_without(error)


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> Iterator[str]:
    """Return the name of a migrated database: a copy takes a tenth of a second, migrating takes several."""
    with servers.postgresql_database(postgres_server) as url:
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": url})
        yield url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: str, _postgres_template: str) -> Iterator[str]:
    """Return the URL of a migrated, empty PostgreSQL database for this test alone; for ``run_workers``."""
    with servers.postgresql_database(postgres_server, template=_postgres_template) as url:
        yield url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": f"sqlite:///{path}"})
    return str(path)


@pytest.fixture
def sqlite_url(_sqlite_template: str, tmp_path: Any) -> str:
    """Return the URL of a migrated, empty SQLite database for this test alone; for ``run_workers``."""
    return f"sqlite:///{shutil.copy(_sqlite_template, tmp_path / 'db.sqlite3')}"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Return the URL of a Redis that only this test run uses."""
    try:
        with servers.redis_server() as url:
            yield url
    except servers.MissingServiceError as error:
        _go_without(error)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Return the URL of an empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[list[tuple[str, int]]]:
    """Return URL and process id of each of the six nodes of a Redis Cluster that only this test run uses."""
    try:
        with servers.redis_cluster() as nodes:
            yield nodes
    except servers.MissingServiceError as error:
        _go_without(error)


@pytest.fixture
def redis_cluster_url(redis_cluster: list[tuple[str, int]]) -> str:
    """Return the URL of an empty Redis Cluster."""
    for url, _pid in redis_cluster:
        with redis.Redis.from_url(url.replace("+cluster", "")) as node, suppress(redis.ReadOnlyError):  # a replica
            node.flushall()
    return redis_cluster[0][0]


# Browser


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive the system's Chromium, and keep it from calling home."""
    try:
        path = servers.chromium()
    except servers.MissingServiceError as error:
        _go_without(error)
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    return {**browser_type_launch_args, "executable_path": path, "args": ["--no-sandbox", "--disable-gpu", *quiet]}


@pytest.fixture(autouse=True)
def _no_answers_left(request: pytest.FixtureRequest, _no_reads_counted: None) -> Iterator[None]:
    """Let the live server end what pages have asked for before the tables are emptied: what it wrote would stay.

    What it has not begun to answer is not waited for.
    """
    if "live_server" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db")
    under_way: list[object] = []

    def begin(**_: object) -> None:
        under_way.append(None)

    def end(**_: object) -> None:
        if under_way:  # else it began before this test
            under_way.pop()

    request_started.connect(begin)
    request_finished.connect(end)
    yield
    deadline = time.monotonic() + 10
    while under_way and time.monotonic() < deadline:
        time.sleep(0.01)
    if under_way:
        pytest.fail("The live server is still at an answer.")


@pytest.fixture
def sign_in(context: BrowserContext, client: Client, live_server: LiveServer) -> Callable[[User], None]:
    """Return a function that signs the browser in as a user, without the login page."""

    def _sign_in(user: User) -> None:
        client.force_login(user)
        cookie = client.cookies["sessionid"]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return _sign_in


@pytest.fixture
def page_problems(page: Page, live_server: LiveServer) -> list[str]:
    """Return a list that fills with what no page may do: errors on the console, requests to other hosts."""
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            problems.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((live_server.url, "data:", "blob:")):
            problems.append(f"outside: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("request", on_request)
    return problems

"""A database that is locked, full or killed, as clients and readers of the site get to know of it."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from gamification.models import XPTransaction
from gamification.services import achievements, activities, integrity, xp
from gamification.tests import killable, servers
from gamification.tests.api.conftest import BASE
from gamification.tests.api.table import TABLE, filled
from gamification.tests.backends.people import person
from gamification.tests.disks import fill, make_room, small_disk
from gamification.tests.races import processes

pytestmark = pytest.mark.slow

PAGES = ["/", "/gamification", "/gamification/achievements", "/gamification/settings", "/admin/", "/healthz"]
PASSWORD = "correct horse"
#: Seconds within which a database that is back is written to.
PATIENCE = 10


@dataclass
class Site:
    """Somebody who may do everything, and another one, on the database of the test."""

    client: Client
    names: dict[str, Any]

    def ask(self, row: Any) -> Any:
        headers = {"Idempotency-Key": row.key} if row.key else {}
        body = filled(row.body, self.names) if row.body else None
        path = BASE + filled(row.path or row.route, self.names)
        return self.client.generic(row.method, path, data=_json(body), content_type="application/json", headers=headers)

    def award(self, key: str) -> Any:
        body = _json({"user": self.names["bob"], "amount": 10, "reason": "race"})
        path = f"{BASE}xp/award"
        return self.client.post(path, body, content_type="application/json", headers={"Idempotency-Key": key})


def _json(body: Any) -> str:
    return Client()._encode_json(body, "application/json") if body is not None else ""


def opened() -> Site:
    achievements.initialize()
    ada, bob = person("ada", score=5000, is_staff=True, is_superuser=True), person("bob")
    ada.set_password(PASSWORD)
    ada.save()
    paid = xp.award(bob, 100, reason="race", key="paid").transaction
    visit = activities.record(bob, "daily_visit", key="visited").activity
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    return Site(client, {"bob": bob.pk, "transaction": paid.pk, "activity": visit.pk, "password": PASSWORD})


def assert_unavailable(response: Any) -> None:
    assert (response.status_code, response.headers["Content-Type"]) == (503, "application/problem+json")
    assert response.json()["code"] == "temporarily_unavailable"
    assert int(response["Retry-After"]) > 0


def assert_unavailable_page(response: Any) -> None:
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "We will be right back" in response.content.decode()


@contextmanager
def locked_sqlite(url):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def locked_postgres(url):
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE gamification_userstreak, gamification_achievement IN EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize(
    ("kind", "query", "locked"),
    [
        ("sqlite", "timeout=0", locked_sqlite),
        pytest.param("postgres", "options=-c%20lock_timeout%3D100ms", locked_postgres, marks=pytest.mark.postgres),
    ],
)
def test_while_a_lock_is_held_reads_are_answered_and_writes_refused(
    request, django_db_blocker, settings, kind, query, locked
):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {}}
    url = request.getfixturevalue(f"{kind}_url")
    with django_db_blocker.unblock(), processes.database(f"{url}?{query}"):
        site = opened()
        with locked(url):
            for row in TABLE:
                response = site.ask(row)
                if row.method == "GET":
                    assert response.status_code == 200, row
                elif row.route != "streaks/freeze" or response.status_code != 409:
                    assert_unavailable(response)
            statuses = [site.client.get(page).status_code for page in PAGES]
            touched = site.client.post("/gamification/touch")

        assert statuses == [200] * len(PAGES)
        assert_unavailable_page(touched)
        assert site.award("after").status_code == 201
        assert list(integrity.verify()) == []


def test_a_full_sqlite_refuses_writes_until_it_has_room(sqlite_url, django_db_blocker):
    path = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as other:
        (pages,) = other.execute("PRAGMA page_count").fetchone()

    with django_db_blocker.unblock():
        with processes.database(f"{sqlite_url}?timeout=5"):
            site = opened()
        full = f"{sqlite_url}?timeout=5&init_command=PRAGMA%20journal_mode%3DWAL%3B%20PRAGMA%20max_page_count%3D{pages}"
        acknowledged = []
        with processes.database(full):
            for number in range(200):
                response = site.award(f"full-{number}")
                if response.status_code != 201:
                    break
                acknowledged.append(f"full-{number}")
            assert_unavailable(response)
            assert site.client.get("/gamification").status_code == 200
        with processes.database(f"{sqlite_url}?timeout=5"):
            assert site.award("after").status_code == 201
            assert XPTransaction.objects.filter(key__in=acknowledged).count() == len(acknowledged)
            assert list(integrity.verify()) == []


def test_a_sqlite_on_a_full_disk_loses_nothing(sqlite_url, django_db_blocker):
    with _small_disk(8) as disk, django_db_blocker.unblock():
        path = shutil.copy(sqlite_url.removeprefix("sqlite:///"), disk / "db.sqlite3")
        with processes.database(f"sqlite:///{path}?timeout=5"):
            site = opened()
            assert site.award("before").status_code == 201
            connection.close()
            fill(disk)

            refused = site.award("meanwhile"), site.client.post("/gamification/touch")

            make_room(disk)
            assert_unavailable(refused[0])
            assert_unavailable_page(refused[1])
            assert [site.award(key).status_code for key in ("before", "meanwhile")] == [200, 201]
            assert list(integrity.verify()) == []


@pytest.mark.postgres
def test_a_postgresql_that_is_full_or_killed_loses_nothing(django_db_blocker):
    with _small_disk(160) as disk, killable.postgresql(disk) as server, django_db_blocker.unblock():
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": server.url})
        with processes.database(server.url):
            site = opened()
            fill(disk)
            begun, refused = time.monotonic(), site.award("full-0")
            for number in range(1, 3000):
                if refused.status_code == 503:
                    break
                refused = site.award(f"full-{number}")
            make_room(disk)
            assert_unavailable(refused)
            assert time.monotonic() - begun < 60
            _until_written(site, server, "room")

            server.kill()
            assert_unavailable(site.award("away"))
            assert_unavailable(site.client.get(f"{BASE}xp/level"))
            assert_unavailable_page(site.client.get("/gamification"))
            server.start()
            begun = time.monotonic()
            _until_written(site, server, "away")

            assert time.monotonic() - begun < PATIENCE
            assert list(integrity.verify()) == []


def _until_written(site, server, key):
    """Send an award until it is acknowledged; a server whose log found no room may have gone down over it."""
    if server.has_ended():
        server.start()
    for _ in range(200):
        if site.award(key).status_code in {200, 201}:
            return
        connection.close()  # as the beginning of a request does outside of tests
        time.sleep(0.05)
    pytest.fail("The site does not come back.")


@contextmanager
def _small_disk(megabytes):
    try:
        with small_disk(megabytes) as disk:
            yield disk
    except servers.MissingServiceError as error:
        pytest.skip(str(error))

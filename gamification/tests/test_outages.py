"""Databases that are away, locked or full: told apart from defects, and answered by 503."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse

from gamification import outages
from gamification.backends.database import DatabaseBackend
from gamification.models import Notice
from gamification.services import activities, leaderboards, notices, xp
from gamification.tests.factories import UserFactory
from gamification.tests.races import processes

RETRY_AFTER = str(outages.RETRY_AFTER)


def sqlite(path: str, statement: str, *before: str, timeout: float = 0) -> BaseException:
    """Return what Django makes of what SQLite says to ``statement``."""
    with processes.database(f"sqlite:///{path}?timeout={timeout}"), connection.cursor() as cursor:
        for each in before:
            cursor.execute(each)
        with pytest.raises((DatabaseError, InterfaceError)) as caught:
            cursor.execute(statement)
    return caught.value


def postgresql(url: str, statement: str, *before: str) -> BaseException:
    """Return what Django makes of what PostgreSQL says to ``statement``."""
    with processes.database(url), transaction.atomic(), connection.cursor() as cursor:
        for each in before:
            cursor.execute(each)
        with pytest.raises((DatabaseError, InterfaceError)) as caught:
            cursor.execute(statement)
        transaction.set_rollback(True)
    return caught.value


@pytest.mark.parametrize(
    ("before", "statement", "is_outage"),
    [
        (["PRAGMA query_only = on"], "DELETE FROM django_session", True),
        (["PRAGMA max_page_count = 1"], "CREATE TABLE more AS SELECT zeroblob(1000000)", True),
        ([], "SELECT * FROM nowhere", False),
        ([], "SELEKT", False),
        ([], "INSERT INTO django_session VALUES (NULL, NULL, NULL)", False),
    ],
)
def test_what_sqlite_says(sqlite_url, django_db_blocker, before, statement, is_outage):
    with django_db_blocker.unblock():
        error = sqlite(sqlite_url.removeprefix("sqlite:///"), statement, *before)

    assert outages.is_outage(error) is is_outage, repr(error)


def test_a_locked_sqlite_is_an_outage(sqlite_url, django_db_blocker):
    path = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other, django_db_blocker.unblock():
        other.execute("BEGIN IMMEDIATE")

        error = sqlite(path, "DELETE FROM django_session")

    assert outages.is_outage(error)


def test_a_sqlite_that_cannot_be_opened_is_an_outage(tmp_path, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        processes.database(f"sqlite:///{tmp_path}/nowhere/db.sqlite3"),
        pytest.raises(OperationalError) as caught,
    ):
        connection.ensure_connection()

    assert outages.is_outage(caught.value)


@pytest.mark.parametrize(
    ("before", "statement", "is_outage"),
    [
        (["SET LOCAL statement_timeout = 20"], "SELECT pg_sleep(1)", True),
        (["SET TRANSACTION READ ONLY"], "DELETE FROM django_session", True),
        ([], "SELECT pg_terminate_backend(pg_backend_pid())", True),
        (["SET LOCAL temp_file_limit = 64"], "SELECT count(*) FROM generate_series(1, 300000)", True),
        ([], "SELECT * FROM nowhere", False),
        ([], "SELECT 1 / 0", False),
        ([], "SELECT currval('auth_user_id_seq')", False),
        ([], "INSERT INTO django_session VALUES (NULL, NULL, NULL)", False),
        (["SAVEPOINT one"], "SELECT CAST('x' AS int)", False),
    ],
)
def test_what_postgresql_says(postgres_url, django_db_blocker, before, statement, is_outage):
    with django_db_blocker.unblock():
        error = postgresql(postgres_url, statement, *before)

    assert outages.is_outage(error) is is_outage, repr(error)


def test_a_row_that_stays_locked_is_an_outage(postgres_url, django_db_blocker):
    with closing(psycopg.connect(postgres_url)) as other, django_db_blocker.unblock():
        other.execute("LOCK TABLE django_session")

        error = postgresql(postgres_url, "DELETE FROM django_session", "SET LOCAL lock_timeout = 20")

    assert outages.is_outage(error)


def test_a_server_that_is_not_there_is_an_outage(django_db_blocker):
    with (
        django_db_blocker.unblock(),
        processes.database("postgres://postgres@127.0.0.1:1/nowhere"),
        pytest.raises(OperationalError) as caught,
    ):
        connection.ensure_connection()

    assert outages.is_outage(caught.value)


@pytest.mark.parametrize("error", [RuntimeError(), OSError(), DatabaseError(), sqlite3.OperationalError("locked")])
def test_other_errors_are_no_outage(error):
    assert not outages.is_outage(error)


# What people get to see


@pytest.fixture
def away(monkeypatch):
    """Let every statement fail as if the database had gone."""

    def fail(*args, **kwargs):
        raise OperationalError("the connection is lost")

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize("name", ["home", "gamification:dashboard", "gamification:settings", "admin:index", "health"])
def test_pages_say_that_it_passes(client, django_user_model, db, request, name):
    client.force_login(UserFactory.create(is_staff=True))
    request.getfixturevalue("away")

    response = client.get(reverse(name))

    assert (response.status_code, response["Retry-After"]) == (503, RETRY_AFTER)
    assert "We will be right back" in response.content.decode()
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("before", "address"),
    [
        ("http://testserver/gamification?metric=xp_week", "http://testserver/gamification?metric=xp_week"),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_a_form_that_was_not_taken_is_found_where_it_came_from(client, db, request, before, address):
    client.force_login(UserFactory.create())
    request.getfixturevalue("away")

    response = client.post("/gamification/touch", headers={"Referer": before})

    assert response.status_code == 503
    assert f'href="{address}">Try again' in response.content.decode()


def test_a_page_of_an_error_that_cannot_be_shown_says_so_too(client, db, request):
    client.force_login(UserFactory.create())
    client.raise_request_exception = False
    request.getfixturevalue("away")

    response = client.get("/nowhere")

    assert (response.status_code, response["Retry-After"]) == (503, RETRY_AFTER)


def test_a_defect_outside_of_views_stays_one(client, db, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", None)

    response = client.get("/")

    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


@pytest.mark.parametrize("name", ["home", "gamification:dashboard"])
def test_a_defect_of_ours_is_hidden_by_nothing(client, db, name):
    client.force_login(UserFactory.create())

    def fail(*args, **kwargs):
        raise DatabaseError("a defect")

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError):
        client.get(reverse(name))


def test_the_apps_own_page_needs_neither_site_nor_request():
    assert "Try again" in render_to_string("gamification/503.html")


def test_an_outage_is_logged_in_a_line(caplog):
    middleware = outages.OutageMiddleware(lambda request: None)

    middleware.process_exception(RequestFactory().get("/"), OperationalError("gone\nfor good"))

    assert [record.getMessage() for record in caplog.records] == ["The database is away, locked or full: gone for good"]


def test_a_statement_that_took_too_long_is_logged_with_where_it_was(postgres_url, django_db_blocker, caplog):
    with django_db_blocker.unblock():
        error = postgresql(postgres_url, "SELECT pg_sleep(1)", "SET LOCAL statement_timeout = 20")
    caplog.clear()

    outages.report(error)

    (record,) = caplog.records
    assert record.exc_info[1] is error
    assert "pg_sleep" not in record.getMessage()


# What readers write, and can do without


def test_who_cannot_be_shown_what_there_is_to_celebrate_is_shown_it_later(django_db_blocker, sqlite_url):
    with django_db_blocker.unblock(), processes.database(f"{sqlite_url}?timeout=5"):
        user = UserFactory.create()
        xp.award(user, 5000, reason="much", key="k")
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            taken = notices.take(user)

        assert taken == ()
        assert len(notices.take(user)) == 1


def test_a_board_is_read_at_once_while_somebody_else_writes(django_db_blocker, sqlite_url):
    with django_db_blocker.unblock(), processes.database(f"{sqlite_url}?timeout=20"):
        xp.award(UserFactory.create(), 10, reason="some", key="k")
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            board = leaderboards.top("xp_all_time")

        assert [row.score for row in board.entries] == [10]
        assert time.monotonic() - begun < 10


def test_a_board_is_read_at_once_though_somebody_begins_to_write_while_it_is_built(
    django_db_blocker, sqlite_url, monkeypatch
):
    build = DatabaseBackend.build
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:

        def build_and_lock(self, board, now):
            built = build(self, board, now)
            if not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")
            return built

        monkeypatch.setattr(DatabaseBackend, "build", build_and_lock)
        with django_db_blocker.unblock(), processes.database(f"{sqlite_url}?timeout=20&transaction_mode=IMMEDIATE"):
            xp.award(UserFactory.create(), 10, reason="a test", key="k")
            begun = time.monotonic()
            board = leaderboards.top("xp_all_time")

    assert [row.score for row in board.entries] == [10]
    assert time.monotonic() - begun < 10


def test_notices_that_somebody_else_takes_are_not_waited_for(django_db_blocker, postgres_url):
    with django_db_blocker.unblock(), processes.database(postgres_url):
        user = UserFactory.create()
        activities.record(user, "daily_visit", key="k")
        Notice.objects.create(user=user, kind="level", subject="2")
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT * FROM gamification_notice FOR UPDATE")
            taken = notices.take(user)

        assert taken == ()
        assert len(notices.take(user)) == 1


def test_patience_comes_back(django_db_blocker, sqlite_url):
    def patience():
        with connection.cursor() as cursor:
            return cursor.execute("PRAGMA busy_timeout").fetchone()[0]

    with django_db_blocker.unblock(), processes.database(f"{sqlite_url}?timeout=5"):
        with outages.impatient():
            inside = patience()

        assert (inside, patience()) == (outages.MOMENT, 5000)

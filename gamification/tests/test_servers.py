"""The tests' own machinery: what it promises is what the tests of locks and boards rest on."""

from __future__ import annotations

import os
import time
from contextlib import closing

import psycopg
import pytest
import redis
from django.contrib.auth import get_user_model

from gamification.tests import servers
from gamification.tests.workers import run_workers


def add_user(number: int) -> int:
    get_user_model().objects.create(username=f"worker-{number}")
    return get_user_model().objects.count()


def fail(number: int) -> None:
    raise RuntimeError(f"worker {number} has had enough")


def sleep(number: int) -> None:
    time.sleep(60)


@pytest.mark.slow
def test_workers_share_the_database_that_they_are_given(sqlite_url):
    outcomes = run_workers(add_user, 2, {"DATABASE_URL": sqlite_url})

    assert [(outcome.returncode, outcome.stderr) for outcome in outcomes] == [(0, "")] * 2
    assert max(outcome.value for outcome in outcomes) == 2


@pytest.mark.slow
def test_workers_share_a_postgresql(postgres_url):
    outcomes = run_workers(add_user, 2, {"DATABASE_URL": postgres_url})

    assert [outcome.stderr for outcome in outcomes] == [""] * 2
    with closing(psycopg.connect(postgres_url)) as connection:
        assert connection.execute("SELECT count(*) FROM auth_user").fetchone() == (2,)


@pytest.mark.slow
def test_a_script_knows_its_number(tmp_path, sqlite_url):
    script = tmp_path / "script.py"
    script.write_text("print('I am', NUMBER)")

    (outcome,) = run_workers(script, 1, {"DATABASE_URL": sqlite_url})

    assert outcome.stdout == "I am 0\n"


def test_a_worker_that_fails_says_why(sqlite_url):
    (outcome,) = run_workers(fail, 1, {"DATABASE_URL": sqlite_url})

    assert outcome.returncode == 1
    assert "worker 0 has had enough" in outcome.stderr


def test_a_worker_that_hangs_is_ended(sqlite_url):
    (outcome,) = run_workers(sleep, 1, {"DATABASE_URL": sqlite_url}, timeout=3)

    assert outcome.returncode < 0


def test_the_private_postgresql_is_as_durable_as_a_real_one(postgres_server):
    with closing(psycopg.connect(postgres_server)) as connection:
        settings = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]

    assert settings == [("on",), ("on",)]


@pytest.mark.parametrize("_turn", [1, 2])
def test_every_test_gets_an_empty_postgresql_database(postgres_url, _turn):
    with closing(psycopg.connect(postgres_url)) as connection:
        before = connection.execute("SELECT count(*) FROM django_session").fetchone()
        connection.execute("INSERT INTO django_session VALUES ('key', 'data', now())")
        connection.commit()

    assert before == (0,)


@pytest.mark.parametrize("_turn", [1, 2])
def test_every_test_gets_an_empty_redis(redis_url, _turn):
    with redis.Redis.from_url(redis_url) as client:
        before = client.dbsize()
        client.set("key", "value")

    assert before == 0


def test_servers_are_gone_at_the_end(redis_server):
    with servers.redis_server() as url:
        assert url != redis_server

    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_missing_program_is_named(monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(servers.MissingServiceError, match="Nonesuch is not installed: there is no nonesuchd"):
        servers._find("Nonesuch", "nonesuchd")


@pytest.mark.parametrize(("required", "code", "word"), [("", 0, "Skipped"), ("1", 1, "Failed")])
def test_without_postgresql_the_second_run_is_skipped_unless_required(monkeypatch, capsys, required, code, word):
    def postgresql(**_: bool) -> None:
        raise servers.MissingServiceError("PostgreSQL is not installed: there is no initdb.")

    monkeypatch.setattr(servers, "postgresql", postgresql)
    monkeypatch.setenv("REQUIRE_SERVICES", required)

    assert servers.main(["false"]) == code
    assert capsys.readouterr().out == f"{word}: PostgreSQL is not installed: there is no initdb.\n"

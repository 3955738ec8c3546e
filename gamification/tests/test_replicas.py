"""Reads from a real streaming replica: others read there, and whoever wrote finds what they wrote."""

from __future__ import annotations

from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.db import DatabaseError, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from gamification import replicas
from gamification.models import LeaderboardCache, UserStreak, UserXP
from gamification.replicas import COOKIE, PRIMARY, REPLICA, ReplicaRouter
from gamification.services import leaderboards, privacy, streaks, xp
from gamification.tests import servers
from gamification.tests.backends.people import give, person
from gamification.tests.races import processes
from gamification.tests.replicas import connected, standby

pytestmark = pytest.mark.postgres

BASE = "/api/v1/gamification/"


@pytest.fixture(scope="module")
def pair():
    """Return the URL of a migrated database and its streaming replica."""
    try:
        with servers.postgresql(durable=False) as primary, standby(primary) as replica, replica.running():
            servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": primary})
            replica.catch_up()
            yield primary, replica
    except servers.MissingServiceError as error:
        (pytest.fail if servers.is_required() else pytest.skip)(str(error))


@pytest.fixture
def replica(pair, settings, monkeypatch, django_db_blocker):
    """Be a site that reads from the replica, and return that."""
    primary, replica = pair
    settings.DATABASE_ROUTERS = ["gamification.replicas.ReplicaRouter"]
    settings.MIDDLEWARE = [*project.MIDDLEWARE, "gamification.replicas.ReplicaMiddleware"]
    monkeypatch.setattr(replicas, "_aside_until", 0.0)
    with django_db_blocker.unblock(), processes.database(primary), connected(REPLICA, replica.url):
        yield replica


@pytest.fixture
def ada(replica):
    user = person()
    replica.catch_up()
    return user


@pytest.fixture
def bob(replica):
    user = person(score=10)
    replica.catch_up()
    return user


def signed_in(user):
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def with_token(user):
    token, _ = Token.objects.get_or_create(user=user)
    return Client(raise_request_exception=False, headers={"Authorization": f"Token {token.key}"})


def streak_of(client):
    return client.get(f"{BASE}streaks/status").json()["current_streak"]


def total_of(client):
    return client.get(f"{BASE}xp/level").json()["total_xp"]


@contextmanager
def counted():
    """Yield what tells how many statements went to the replica and how many about the app's tables to the primary."""
    with CaptureQueriesContext(connections[REPLICA]) as there, CaptureQueriesContext(connections[PRIMARY]) as here:
        yield lambda: (len(there), sum("gamification_" in query["sql"] for query in here))


# Who reads where


def test_a_reader_asks_the_replica_and_only_that(bob):
    client = signed_in(bob)

    with counted() as statements:
        total = total_of(client)

    on_replica, on_primary = statements()
    assert (total, on_replica > 0, on_primary) == (10, True, 0)


def test_while_the_replica_lags_others_read_what_it_holds(bob, replica):
    client = signed_in(bob)

    with replica.paused():
        give(bob, 5)
        before = total_of(client)

    assert (before, total_of(client)) == (10, 15)


@pytest.mark.parametrize("client_of", [signed_in, with_token])
def test_whoever_wrote_finds_it_while_the_replica_lags(ada, bob, replica, client_of):
    client, other = client_of(ada), client_of(bob)

    with replica.paused():
        client.post(f"{BASE}streaks/update")
        give(bob, 5)
        seen = (streak_of(client), total_of(other))

    assert seen == (1, 10)
    with counted() as statements:
        assert streak_of(client) == 1
    assert statements()[1] == 0


def test_what_is_written_on_one_device_is_found_on_the_other(ada, replica):
    phone, tablet = signed_in(ada), with_token(ada)

    with replica.paused():
        phone.post(f"{BASE}streaks/update")

        assert streak_of(tablet) == 1


def test_a_browser_finds_what_it_wrote_without_the_cache(ada, replica, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    client = signed_in(ada)

    with replica.paused():
        client.post(f"{BASE}streaks/update")

        assert streak_of(client) == 1


def test_a_cookie_that_was_tampered_with_says_nothing(bob, replica):
    client = signed_in(bob)
    client.cookies[COOKIE] = "999999999999:forged"

    with counted() as statements:
        assert total_of(client) == 10

    assert statements()[1] == 0


def test_who_is_pinned_cannot_be_known_without_the_cache_so_the_primary_answers(bob, monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError

    client = with_token(bob)
    monkeypatch.setattr(replicas.cache, "get", fail)
    monkeypatch.setattr(replicas.cache, "set", fail)

    with counted() as statements:
        assert total_of(client) == 10

    assert statements()[0] == 0


def test_nothing_is_kept_in_the_browser_of_a_client_without_cookies(ada):
    client = with_token(ada)

    assert not client.post(f"{BASE}streaks/update").cookies


# The router


@pytest.fixture
def reading(replica, rf):
    """Be in the middle of a request that may read from the replica."""
    with replicas.reading(rf.get("/")) as reads:
        yield reads


def test_outside_of_requests_everything_is_on_the_primary(replica):
    assert UserXP.objects.all().db == PRIMARY


def test_a_transaction_reads_what_it_writes(reading):
    with transaction.atomic():
        inside = UserXP.objects.all().db

    assert (inside, UserXP.objects.all().db) == (PRIMARY, REPLICA)


def test_locks_are_on_the_primary(ada, reading):
    with transaction.atomic():
        rows = UserStreak.objects.select_for_update().filter(user=ada)
        assert rows.db == PRIMARY
        assert list(rows) == []


def test_after_a_write_the_request_reads_on_the_primary(ada, replica, reading):
    with replica.paused():
        before = UserXP.objects.all().db
        xp.award(ada, 5, reason="gift", key="gift")
        after = xp.level(ada).total_xp

    assert (before, after, reading.has_written) == (REPLICA, 5, True)


@pytest.mark.parametrize(
    "sql", ["UPDATE gamification_userxp SET version = version", "SELECT * FROM gamification_userstreak FOR UPDATE"]
)
def test_a_write_past_the_orm_is_noticed_too(reading, sql):
    with transaction.atomic(), connections[PRIMARY].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gamification_userxp")
        before = reading.has_written
        cursor.execute(sql)

    assert (before, reading.has_written, UserXP.objects.all().db) == (False, True, PRIMARY)


def test_what_was_read_from_the_replica_is_saved_on_the_primary(bob, reading):
    row = UserXP.objects.get(user=bob)
    mixes = ReplicaRouter().allow_relation(row, bob)
    user = row.user
    user.first_name = "Bob"
    user.save()
    before = row._state.db
    row.save()

    assert (mixes, before, row._state.db, user._state.db) == (True, REPLICA, PRIMARY, PRIMARY)


def test_nothing_is_migrated_on_the_replica():
    assert ReplicaRouter().allow_migrate(REPLICA, "gamification") is False
    assert ReplicaRouter().allow_migrate(PRIMARY, "gamification") is None


# Boards


def test_a_board_is_rebuilt_on_the_primary_however_far_behind_the_replica_is(bob, replica):
    client = signed_in(bob)
    LeaderboardCache.objects.all().delete()

    with replica.paused():
        give(bob, 90)
        board = client.get(f"{BASE}leaderboard/xp_all_time").json()
        again = client.get(f"{BASE}leaderboard/xp_all_time").json()

    assert max(entry["score"] for entry in board["entries"]) == 100
    assert board["cached_at"] == again["cached_at"]


def test_whoever_hides_is_hidden_at_once_from_readers_of_a_replica_that_lags(bob, replica):
    other = person(score=30)
    replica.catch_up()
    client = signed_in(bob)
    leaderboards.refresh("xp_all_time")

    with replica.paused():
        privacy.set_visibility(other, visible=False)
        board = client.get(f"{BASE}leaderboard/xp_all_time").json()

    assert 30 not in [entry["score"] for entry in (*board["entries"], *board["around"])]


def test_a_reader_that_has_only_the_replica_is_served_the_old_snapshot(bob, pair, replica):
    leaderboards.refresh("xp_all_time")
    kept = leaderboards.top("xp_all_time", viewer=bob)
    give(bob, 7)
    LeaderboardCache.objects.update(stale_at="2000-01-01T00:00Z", cached_at=None)
    replica.catch_up()

    with processes.database(replica.url):
        with pytest.raises(DatabaseError, match="read-only"):
            streaks.touch(bob)
        board = leaderboards.top("xp_all_time", viewer=bob)
        weekly = leaderboards.top("xp_weekly", viewer=bob)

    assert (board.cached_at, board.me.score) == (kept.cached_at, 17)
    assert weekly.metric == "xp_weekly"


# When it is gone


def test_a_replica_that_is_down_is_passed_over_and_asked_again_later(bob, pair, settings, monkeypatch, caplog):
    primary, _ = pair
    client = signed_in(bob)
    with standby(primary) as other, connected(REPLICA, other.url):
        down = (total_of(client), replicas._aside_until > 0)
        with other.running():
            still_aside = replicas.is_usable(0)
            monkeypatch.setattr(replicas, "_aside_until", 0.0)
            with counted() as statements:
                up = total_of(client)
        connections[REPLICA].close()

    assert (down, still_aside, up) == ((10, True), False, 10)
    assert statements()[0] > 0
    assert "passed over" in caplog.text


def test_a_replica_that_dies_in_the_middle_of_a_request_costs_nobody_an_answer(bob, replica):
    client = signed_in(bob)
    total_of(client)
    connections[REPLICA].health_check_enabled = False
    with connections[REPLICA].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with connected("terminator", replica.url), connections["terminator"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    response = client.get(f"{BASE}xp/level")

    assert (response.status_code, response.json()["total_xp"]) == (200, 10)
    assert replicas._aside_until > 0
    connections[REPLICA].close()


def test_without_a_replica_the_middleware_is_not_used(settings, db, client):
    settings.MIDDLEWARE = [*project.MIDDLEWARE, "gamification.replicas.ReplicaMiddleware"]
    user = person(score=10)
    client.force_login(user)

    response = client.post(f"{BASE}streaks/update")

    assert response.status_code == 200
    assert COOKIE not in response.cookies


@pytest.mark.slow
def test_the_project_reads_from_the_replica_that_its_environment_names(pair):
    primary, replica = pair
    env = {"DATABASE_URL": primary, "REPLICA_URL": replica.url, "CACHE_URL": "dbcache://cache"}

    servers.manage("check", "--fail-level", "WARNING", env=env)
    code = "from django.db import connections; print(connections['replica'].settings_dict['PORT'])"
    assert servers.manage("shell", "--verbosity=0", "--command", code, env=env).strip() == str(
        urlsplit(replica.url).port
    )

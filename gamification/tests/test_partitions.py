"""The script of docs/partitions.sql: the same app on tables that are partitioned by user."""

from __future__ import annotations

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from gamification.models import Activity, UserAchievement, UserCounter, UserDay, UserXP, XPTransaction
from gamification.services import achievements, activities, ingestion, integrity, leaderboards, privacy, xp
from gamification.services.activities import Event
from gamification.tests.backends.people import person
from gamification.tests.helpers import state_of
from gamification.tests.races.processes import database
from gamification.tests.servers import ROOT
from gamification.tests.services.lives import NOW, lively, rows

pytestmark = pytest.mark.postgres

PARTITIONED = (Activity, XPTransaction, UserDay, UserCounter, UserAchievement)
SCRIPT = (ROOT / "docs" / "partitions.sql").read_text()


@pytest.fixture
def migrated(postgres_url, django_db_blocker):
    with django_db_blocker.unblock(), database(postgres_url):
        achievements.initialize()
        yield postgres_url


def partition(url, number=4):
    with psycopg.connect(url) as direct:
        direct.execute(f"SET gamification.partitions = {number}")
        direct.execute(SCRIPT)


@pytest.fixture
def partitioned(migrated):
    partition(migrated)


def names(kind):
    """Return the names of constraints or indexes on the app's tables, those of partitions left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conparentid = 0"
            if kind == "constraints"
            else "SELECT tablename, indexname FROM pg_indexes"
        )
        return {row for row in cursor.fetchall() if row[0] in {model._meta.db_table for model in PARTITIONED}}


def spread(model):
    """Return how many rows each partition holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text, count(*) FROM {model._meta.db_table} GROUP BY 1")
        return dict(cursor.fetchall())


def test_full_tables_keep_their_rows_their_constraints_and_their_indexes(migrated):
    people = [lively() for _ in range(3)]
    before = rows(without=()), names("constraints"), names("indexes")

    partition(migrated)

    assert (rows(without=()), names("constraints"), names("indexes")) == before
    activities.record(people[0], "words_learned", key="after", now=NOW)
    assert Activity.objects.filter(key="after").get().pk > 3
    assert list(integrity.verify(now=NOW)) == []


def test_what_everybody_does_is_spread_over_the_partitions(partitioned):
    people = [person() for _ in range(40)]

    activities.record_many([Event(user, "scenario_completed", "s") for user in people], now=NOW)

    for model in PARTITIONED:
        held = spread(model)
        assert (len(held), sum(held.values())) == (4, model.objects.count())
        assert set(held) == {f"{model._meta.db_table}_{number}" for number in range(4)}


def test_the_whole_life_of_a_user_is_the_same(migrated, sqlite_url):
    with database(sqlite_url):
        achievements.initialize()
        expected = state_of(lively())

    partition(migrated)
    user = lively()

    assert state_of(user) == expected
    assert list(integrity.verify(now=NOW)) == []


def test_a_reversal_is_of_the_same_user_and_happens_once(partitioned):
    ada, bob = person(), person()
    award = xp.award(ada, 50, reason="a prize", key="prize", now=NOW)

    reversal = xp.reverse(award.transaction, reason="a mistake", now=NOW).transaction

    assert XPTransaction.objects.get(reverses=award.transaction) == reversal
    assert award.transaction.reversed_by == reversal
    row = {"xp_amount": -50, "reason": "x", "created_at": NOW, "source": "reversal", "reverses": award.transaction}
    with pytest.raises(IntegrityError):
        XPTransaction.objects.create(user=ada, key="again", **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        XPTransaction.objects.create(user=bob, key="others", **row)
    assert UserXP.objects.get(user=ada).total_xp == 0


def test_erasing_boards_and_the_backlog_work(partitioned):
    ada, bob = lively(), lively()
    ingestion.enqueue([Event(bob, "daily_visit", "queued")], now=NOW)

    privacy.erase(ada)

    assert [model for model in PARTITIONED if model.objects.filter(user=ada).exists()] == []
    assert Activity.objects.filter(user=bob, key="queued").exists()
    for metric in leaderboards.metrics():
        assert leaderboards.top(metric, viewer=bob, now=NOW).total == 1
    assert list(integrity.verify(now=NOW)) == []


def test_the_id_comes_first_so_that_it_finds_its_row_alone(partitioned):
    with connection.cursor() as cursor:
        keys = [connection.introspection.get_primary_key_columns(cursor, model._meta.db_table) for model in PARTITIONED]

    assert keys == [["id", "user_id"]] * len(PARTITIONED)


def test_the_migrations_can_be_undone_all_the_same(partitioned):
    lively()

    call_command("migrate", "gamification", "zero", verbosity=0)
    call_command("migrate", "gamification", verbosity=0)

    assert not Activity.objects.exists()


def test_a_second_run_says_so_and_changes_nothing(migrated, partitioned):
    with pytest.raises(psycopg.errors.RaiseException, match="partitioned already"):
        partition(migrated)

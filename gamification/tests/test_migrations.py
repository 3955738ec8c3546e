"""Migrations: there and back again, nothing missing, nothing seeded, every name our own."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from gamification.models import UserAchievement, UserXP, XPTransaction
from gamification.services import achievements, integrity
from gamification.tests.races.processes import database
from gamification.tests.services.lives import NOW, lively

INDEXES = {"gamification_xp_earned_on", "gamification_xp_undated"}
MODELS = list(apps.get_app_config("gamification").get_models())


@pytest.fixture(params=[pytest.param("postgres_url", marks=pytest.mark.postgres), "sqlite_url"])
def migrated(request, django_db_blocker):
    """Be on an empty, migrated database of one's own."""
    url = request.getfixturevalue(request.param)
    with django_db_blocker.unblock(), database(url):
        yield


def tables():
    return {name for name in connection.introspection.table_names() if name.startswith("gamification_")}


def names_in_the_database():
    """Return the names of all constraints and indexes on the app's tables."""
    with connection.cursor() as cursor:
        return {
            name for model in MODELS for name in connection.introspection.get_constraints(cursor, model._meta.db_table)
        }


def structure():
    with connection.cursor() as cursor:
        return {
            table: (
                sorted(column.name for column in connection.introspection.get_table_description(cursor, table)),
                sorted(connection.introspection.get_constraints(cursor, table)),
            )
            for table in tables()
        }


@pytest.mark.slow
def test_forward_back_to_nothing_and_forward_again_on_a_full_database(migrated):
    achievements.initialize()
    lively()
    before = structure()

    call_command("migrate", "gamification", "zero", verbosity=0)
    after_zero = tables()
    call_command("migrate", "gamification", verbosity=0)

    assert (len(before), after_zero) == (len(MODELS), set())
    assert structure() == before
    achievements.initialize()
    lively()
    assert list(integrity.verify(now=NOW)) == []
    assert UserXP.objects.count() == 1


@pytest.fixture
def before_the_indexes(migrated):
    """Go back to before the indexes for figures were built."""
    call_command("migrate", "gamification", "0008", verbosity=0)


def indexes(model):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return {name: entry["columns"] for name, entry in found.items() if entry["index"]}


def test_indexes_on_full_tables_are_built_while_people_write(before_the_indexes):
    old = tables()

    with CaptureQueriesContext(connection) as told:
        call_command("migrate", "gamification", "0010", verbosity=0)  # those after it make empty tables too

    new = tables() - old  # nobody writes to those yet
    built = [sql["sql"] for sql in told if sql["sql"].startswith(("CREATE INDEX", "DROP INDEX"))]
    built = [sql for sql in built if not any(f'"{table}"' in sql for table in new)]
    plain = [sql for sql in built if "CONCURRENTLY" not in sql]
    assert len(built) > len(INDEXES)
    assert plain == ([] if connection.vendor == "postgresql" else built)


def test_a_build_that_was_cut_off_is_done_again(before_the_indexes):
    with connection.cursor() as cursor:
        # What is left of it has the name, and is not what it should be.
        cursor.execute('CREATE INDEX "gamification_xp_undated" ON gamification_xptransaction (reason)')

    call_command("migrate", "gamification", verbosity=0)

    assert {name: columns for name, columns in indexes(XPTransaction).items() if name in INDEXES} == {
        "gamification_xp_earned_on": ["earned_on"],
        "gamification_xp_undated": ["created_at"],
    }
    assert indexes(UserAchievement)["gamification_unlocks"] == ["achievement_id", "unlocked_at", "revoked_at"]


def test_taking_the_indexes_back_leaves_the_old_one(before_the_indexes):
    assert indexes(UserAchievement)["gamification_unlocks"] == ["achievement_id", "unlocked_at"]
    assert not INDEXES & indexes(XPTransaction).keys()


def test_columns_of_two_busy_tables_are_never_locked_together_and_can_be_added_again(migrated):
    before = structure()
    call_command("migrate", "gamification", "0006", verbosity=0)
    with connection.cursor() as cursor:
        # As if the migration had been cut off behind its last column.
        column = "longest_kept integer NOT NULL DEFAULT 0 CHECK (longest_kept >= 0)"
        cursor.execute(f"ALTER TABLE gamification_userstreak ADD COLUMN {column}")

    with CaptureQueriesContext(connection) as told:
        call_command("migrate", "gamification", verbosity=0)

    transactions = "\n".join(sql["sql"] for sql in told).split("COMMIT")
    together = [one for one in transactions if "gamification_userstreak" in one and "TABLE gamification_excused" in one]
    assert structure() == before
    assert together == []


def test_migrations_seed_nothing(migrated):
    assert tables() == {model._meta.db_table for model in MODELS}
    assert {model.__name__: model._base_manager.count() for model in MODELS} == dict.fromkeys(
        (model.__name__ for model in MODELS), 0
    )


def test_names_in_the_database_are_our_own(migrated):
    # SQLite makes up names for what has none.
    names = {name for name in names_in_the_database() if not re.fullmatch(r"__\w+__|fk_\d+", name)}

    assert names >= declared()
    assert [name for name in names if not re.match(r"(sqlite_autoindex_)?gamification_", name)] == []


def declared():
    return {entry.name for model in MODELS for entry in (*model._meta.constraints, *model._meta.indexes)}


def test_declared_names_begin_with_the_name_of_the_app():
    assert declared()
    assert [name for name in declared() if not name.startswith("gamification_")] == []


def test_names_are_short_enough_for_every_database():
    # Django's own limit for indexes; PostgreSQL cuts names at 63 bytes without a word.
    assert [name for name in declared() if len(name) > 63] == []
    assert len(declared()) == sum(len(model._meta.constraints) + len(model._meta.indexes) for model in MODELS)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "gamification", check=True, dry_run=True, verbosity=0)


def test_every_migration_can_be_undone_and_has_a_name():
    loader = MigrationLoader(None)
    ours = {name: found for (app, name), found in loader.disk_migrations.items() if app == "gamification"}

    assert ours
    assert [name for name in ours if "auto_" in name] == []
    irreversible = [
        f"{name}: {operation.describe()}"
        for name, found in ours.items()
        for operation in found.operations
        if not operation.reversible
    ]
    assert irreversible == []

"""Append-only by the database itself: whatever is sent to it past the models is refused, save for an erasure."""

from __future__ import annotations

import re
import sqlite3

import psycopg
import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.test import override_settings

from gamification.engine.sql import triggers
from gamification.models import Activity, VoidedActivity, XPTransaction
from gamification.models.append_only import AppendOnlyModel
from gamification.models.erasing import erasing
from gamification.services import achievements, activities, backfills, integrity, privacy, xp
from gamification.tests.backends.people import person
from gamification.tests.races.processes import database
from gamification.tests.servers import ROOT
from gamification.tests.services.lives import NOW, SCENARIO, rows

GUARDED = (Activity, XPTransaction)
NAMES_THE_WAY = r"is append-only: .* gamification\.services\.privacy\.erase"


@pytest.fixture(params=[pytest.param("postgres_url", marks=pytest.mark.postgres), "sqlite_url"])
def url(request, django_db_blocker):
    """Be on an empty, migrated database of one's own."""
    url = request.getfixturevalue(request.param)
    with django_db_blocker.unblock(), database(url):
        yield url


@pytest.fixture
def ada(url):
    """Return somebody with a few rows of everything, on a database with triggers."""
    achievements.initialize()
    user = active()
    call_command("gamification_triggers", "install", verbosity=0)
    return user


def active():
    """Return somebody who did something, with an award that was taken back."""
    user = person()
    activities.record(user, "scenario_completed", key="s", data=SCENARIO, now=NOW)
    award = xp.award(user, 50, reason="a prize", key="prize", now=NOW)
    xp.reverse(award.transaction, reason="a mistake", now=NOW)
    return user


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def table(model):
    return connection.ops.quote_name(model._meta.db_table)


def amount(model):
    return "xp_amount" if model is XPTransaction else "quantity"


def columns(model):
    return ", ".join(connection.ops.quote_name(field.column) for field in model._meta.concrete_fields)


CHANGES = {
    "an update": lambda model: f"UPDATE {table(model)} SET {amount(model)} = {amount(model)} + 1",
    "an update of the text": lambda model: f"UPDATE {table(model)} SET key = 'other' || key",
    "an update of nothing": lambda model: f"UPDATE {table(model)} SET {amount(model)} = {amount(model)}",
    "a delete": lambda model: f"DELETE FROM {table(model)}",
    "an insert that overwrites": lambda model: (
        f"INSERT INTO {table(model)} ({columns(model)}) SELECT {columns(model)} FROM {table(model)} WHERE true "
        f"ON CONFLICT (id) DO UPDATE SET {amount(model)} = 999"
    ),
}
OF_SQLITE = {
    "a replacing insert": lambda model: f"INSERT OR REPLACE INTO {table(model)} SELECT * FROM {table(model)}",
    "a replacing insert by key": lambda model: (
        f"REPLACE INTO {table(model)} ({columns(model)}) SELECT "
        f"{columns(model).replace(chr(34) + 'id' + chr(34), 'id + 1000')} FROM {table(model)}"
    ),
    "a replacing update": lambda model: f"UPDATE OR REPLACE {table(model)} SET id = id + 1",
}
OF_POSTGRESQL = {
    "a truncate": lambda model: f"TRUNCATE {table(model)} CASCADE",
    "a truncate of users": lambda model: f"TRUNCATE {get_user_model()._meta.db_table} CASCADE",
}


def test_statements_that_would_change_or_remove_rows_are_refused(ada):
    before = rows()

    for model in GUARDED:
        for sql in {**CHANGES, **(OF_POSTGRESQL if connection.vendor == "postgresql" else OF_SQLITE)}.values():
            with pytest.raises(IntegrityError, match=NAMES_THE_WAY):
                run(sql(model))

    assert rows() == before


def test_deleting_a_user_past_the_erasure_is_refused_and_the_message_names_the_way(ada):
    before = rows()

    with pytest.raises(IntegrityError, match=NAMES_THE_WAY), transaction.atomic():
        ada.delete()

    assert rows() == before
    assert get_user_model()._default_manager.filter(pk=ada.pk).exists()


def test_deleting_whoever_awarded_something_past_the_erasure_is_refused_too(ada):
    staff = person()
    xp.award(ada, 5, reason="a prize", key="by-staff", actor=staff, now=NOW)

    with pytest.raises(IntegrityError, match=NAMES_THE_WAY), transaction.atomic():
        staff.delete()

    assert XPTransaction.objects.get(key="by-staff").actor_id == staff.pk


def test_an_erasure_goes_through_and_then_the_account_can_go(ada):
    bob = active()
    xp.award(bob, 5, reason="a prize", key="by-ada", actor=ada, now=NOW)
    fake = activities.record(bob, "daily_visit", key="fake", now=NOW).activity
    activities.void(fake, reason="a fake", actor=ada, now=NOW)
    others = {name: len(found) for name, found in rows(bob).items()}

    erased = privacy.erase(ada)
    ada.delete()

    assert erased["activities"] > 0
    assert erased["xp_transactions"] > 0
    assert not XPTransaction.objects.filter(user_id=ada.pk).exists()
    assert XPTransaction.objects.get(key="by-ada").actor_id is None
    assert VoidedActivity.objects.get(activity=fake).actor_id is None
    assert {name: len(found) for name, found in rows(bob).items()} == others
    assert list(integrity.verify(now=NOW)) == []


def test_everything_else_goes_on(ada):
    bob = active()
    activities.record_many([activities.Event(user, "daily_visit", "v") for user in (ada, bob)], now=NOW)
    again = activities.record(ada, "daily_visit", key="v", now=NOW)
    award = xp.award(bob, 50, reason="a prize", key="more", now=NOW)
    xp.reverse(award.transaction, reason="a mistake", now=NOW)
    achievements.revoke(bob, "first_steps", now=NOW)
    run_of = backfills.start("first_steps", in_background=False, now=NOW)
    backfills.go_on(run_of, now=NOW)

    assert again.is_replay
    assert list(integrity.verify(now=NOW)) == []


def test_an_erasure_may_not_change_rows_all_the_same(ada):
    before = rows()

    for model in GUARDED:
        with pytest.raises(IntegrityError, match=NAMES_THE_WAY), erasing("default"):
            run(CHANGES["an update"](model))

    assert rows() == before


def test_an_erasure_may_name_nobody_else_as_the_one_who_decided(ada):
    with pytest.raises(IntegrityError, match=NAMES_THE_WAY), erasing("default"):
        run(f"UPDATE {table(XPTransaction)} SET actor_id = %s", ada.pk)
    with pytest.raises(IntegrityError, match=NAMES_THE_WAY), erasing("default"):
        run(f"UPDATE {table(XPTransaction)} SET actor_id = NULL, xp_amount = 5")


def test_the_leave_ends_with_the_erasure_however_that_ends(ada):
    with transaction.atomic():
        with erasing("default"):
            pass
        with pytest.raises(ZeroDivisionError), erasing("default"):
            raise ZeroDivisionError
        with pytest.raises(IntegrityError, match=NAMES_THE_WAY):
            run(CHANGES["a delete"](XPTransaction))
    with pytest.raises(IntegrityError), erasing("default"):
        run(CHANGES["an update"](Activity))
    with pytest.raises(IntegrityError, match=NAMES_THE_WAY):
        run(CHANGES["a delete"](Activity))


def test_nobody_else_profits_from_an_erasure(ada, url):
    if connection.vendor == "sqlite":
        with erasing("default"):
            pass
        # Nobody else can write while an erasure does, and other programs cannot ask.
        with sqlite3.connect(url.removeprefix("sqlite:///")) as other, pytest.raises(sqlite3.OperationalError) as told:
            other.execute("DELETE FROM gamification_activity")
        other.close()
        assert "gamification_privacy_erase" in str(told.value)
        return
    with erasing("default"), psycopg.connect(url) as other, pytest.raises(psycopg.errors.RestrictViolation):
        other.execute("DELETE FROM gamification_activity")


def test_another_connection_of_the_same_process_does_not_profit(ada, url):
    # Two wrappers of one thread: what one may, the other may not.
    with erasing("default"), database(url):
        if connection.vendor == "sqlite":
            connections["default"].settings_dict["OPTIONS"]["timeout"] = 0.1
            with connection.cursor() as cursor:
                assert cursor.execute("SELECT gamification_privacy_erase()").fetchone() == (0,)
        else:
            with pytest.raises(IntegrityError, match=NAMES_THE_WAY):
                run(CHANGES["a delete"](Activity))


# Installing, checking, removing


def manage(what, capsys):
    try:
        call_command("gamification_triggers", what)
    except CommandError as error:
        return 1, f"{capsys.readouterr().out}{error}"
    return 0, capsys.readouterr().out


def test_they_are_installed_checked_and_removed_and_each_can_be_repeated(url, capsys):
    assert manage("check", capsys)[0] == 1
    for what in ("install", "install", "check"):
        code, told = manage(what, capsys)
        assert (code, told.split(" in: ")[0]) == (
            0,
            "The database refuses to change or delete rows, save for an erasure,",
        )
        assert {"gamification_activity", "gamification_xptransaction"} <= set(re.findall(r"gamification_\w+", told))
    for _ in range(2):
        assert manage("remove", capsys)[0] == 0
    code, told = manage("check", capsys)

    assert (code, told.count("is missing"), told.splitlines()[-1]) == (
        1,
        6 if connection.vendor == "postgresql" else 9,
        "`gamification_triggers install` puts that right.",
    )


@pytest.mark.django_db
def test_the_list_of_guarded_tables_follows_from_the_models():
    ours = apps.get_app_config("gamification").get_models()

    assert set(GUARDED) <= set(triggers.guarded("default")) == {one for one in ours if issubclass(one, AppendOnlyModel)}


def warnings(**given):
    with override_settings(GAMIFICATION=given):
        return [message.msg for message in triggers.check(databases=["default"])]


def test_a_plain_site_is_not_warned_and_one_that_wants_triggers_is(url):
    assert (warnings(), triggers.check(databases=None)) == ([], [])
    assert len(warnings(APPEND_ONLY_TRIGGERS=True)) == (6 if connection.vendor == "postgresql" else 9)

    call_command("gamification_triggers", "install", verbosity=0)

    assert warnings(APPEND_ONLY_TRIGGERS=True) == []


def test_what_is_half_there_outdated_or_switched_off_is_told_without_being_asked(ada):
    name = (
        "gamification_activity_append_only" if connection.vendor == "postgresql" else "gamification_activity_no_update"
    )
    on = f" ON {table(Activity)}" if connection.vendor == "postgresql" else ""

    run(f"DROP TRIGGER {name}{on}")
    assert warnings() == [f"The trigger {name} on {triggers._all('default')[0].table} is missing."]

    if connection.vendor == "postgresql":
        run(f"CREATE TRIGGER {name} BEFORE DELETE{on} FOR EACH ROW EXECUTE FUNCTION gamification_append_only()")
        assert [text.rpartition(" ")[2] for text in warnings()] == ["outdated."]
        call_command("gamification_triggers", "install", verbosity=0)
        run(f"ALTER TABLE {table(Activity)} DISABLE TRIGGER {name}")
        assert [text.rpartition(" ")[2] for text in warnings()] == ["disabled."]
        run(f"ALTER TABLE {table(Activity)} ENABLE TRIGGER {name}")
        run("CREATE OR REPLACE FUNCTION gamification_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$")
        assert warnings() == ["The function gamification_append_only is outdated."]
    else:
        run(f"CREATE TRIGGER {name} BEFORE UPDATE{on or f' ON {table(Activity)}'} BEGIN SELECT 1; END")
        assert [text.rpartition(" ")[2] for text in warnings()] == ["outdated."]

    call_command("gamification_triggers", "install", verbosity=0)
    assert warnings(APPEND_ONLY_TRIGGERS=True) == []


@pytest.mark.slow
def test_before_the_tables_are_there_nothing_is_asked_for(url):
    call_command("migrate", "gamification", "zero", verbosity=0)

    assert warnings(APPEND_ONLY_TRIGGERS=True) == []
    with pytest.raises(CommandError, match="migrate it first"):
        call_command("gamification_triggers", "install")


# Beside migrations and test suites


def test_a_table_that_sqlite_makes_anew_loses_its_triggers_and_the_check_tells(ada):
    state = ProjectState.from_apps(apps)
    operation = migrations.AlterField("activity", "kind", models.CharField(max_length=101))
    new = state.clone()
    operation.state_forwards("gamification", new)
    before = rows()

    with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
        operation.database_forwards("gamification", editor, state, new)

    assert len(warnings()) == (0 if connection.vendor == "postgresql" else 3)
    assert rows() == before
    call_command("gamification_triggers", "install", verbosity=0)
    assert warnings() == []


@pytest.mark.slow
def test_migrations_there_and_back_again_work_with_triggers(ada):
    for target in ("0002", "0010"):
        call_command("migrate", "gamification", target, verbosity=0)
    call_command("migrate", "gamification", verbosity=0)
    call_command("gamification_triggers", "install", verbosity=0)

    assert list(integrity.verify(now=NOW)) == []
    with pytest.raises(IntegrityError, match=NAMES_THE_WAY):
        run(CHANGES["a delete"](XPTransaction))


def test_without_triggers_a_flush_empties_the_tables_and_with_them_it_is_refused(ada):
    with pytest.raises((IntegrityError, CommandError)):
        call_command("flush", interactive=False, verbosity=0)
    assert XPTransaction.objects.exists()

    call_command("gamification_triggers", "remove", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)

    assert not XPTransaction.objects.exists()


def test_without_triggers_deleting_a_user_takes_the_records_along(url):
    achievements.initialize()
    ada, bob = active(), active()
    before = rows(bob)

    ada.delete()

    assert {name: found for name, found in rows(bob).items() if found} == {
        name: one for name, one in before.items() if one
    }
    assert not XPTransaction.objects.filter(user_id=ada.pk).exists()
    assert list(integrity.verify(now=NOW)) == []


def test_partitions_are_guarded_too(ada, url):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL's")
    partition(url)
    assert {text.rpartition(" ")[2] for text in warnings(APPEND_ONLY_TRIGGERS=True)} == {"missing."}
    call_command("gamification_triggers", "install", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM gamification_activity")
        (where,) = cursor.fetchone()
    for sql in (
        f"DELETE FROM {where}",
        "UPDATE gamification_xptransaction SET xp_amount = 5",
        "TRUNCATE gamification_activity_0",
        "TRUNCATE gamification_activity CASCADE",
    ):
        with pytest.raises(IntegrityError, match="is append-only"):
            run(sql)

    assert warnings(APPEND_ONLY_TRIGGERS=True) == []
    privacy.erase(ada)
    assert not Activity.objects.exists()


def partition(url):
    with psycopg.connect(url) as direct:
        direct.execute("SET gamification.partitions = 2")
        direct.execute((ROOT / "docs" / "partitions.sql").read_text())

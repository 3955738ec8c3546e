"""Triggers that hold in the database what the models hold in Python: the log and the ledger are append-only.

They are no part of the migrations: who wants them installs them. A row may go while ``models.erasing`` allows it, and
lose then what names another person who is being erased; everything else is refused with an ``IntegrityError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.checks import CheckMessage, Warning  # noqa: A004 -- Django's own name
from django.db import connections, models, router, transaction

from gamification.conf import get_settings
from gamification.models.append_only import AppendOnlyModel
from gamification.models.erasing import FUNCTION, SETTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

RULE = (
    "is append-only: write a correction, or remove all that is kept of a user with gamification.services.privacy.erase"
)
REFUSE = "gamification_append_only"
BODY = f"""
BEGIN
    IF current_setting('{SETTING}', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        ELSIF TG_OP = 'UPDATE' THEN
            -- The columns named may become empty; no other may change.
            IF to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV AND NOT EXISTS (
                SELECT FROM unnest(TG_ARGV) AS name WHERE to_jsonb(NEW) ->> name <> coalesce(to_jsonb(OLD) ->> name, '')
            ) THEN
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = TG_TABLE_NAME || ' {RULE}';
END
"""
FUNCTION_TEXT = f"CREATE OR REPLACE FUNCTION {REFUSE}() RETURNS trigger LANGUAGE plpgsql AS $body${BODY}$body$"
#: A table and its partitions, by which no statement may go round the whole.
TABLES = """
SELECT relid::regclass::text FROM pg_partition_tree(to_regclass(%s)) UNION SELECT to_regclass(%s)::text ORDER BY 1
"""
STORED = {
    "postgresql": (
        "SELECT pg_get_triggerdef(oid, true), tgenabled IN ('O', 'A') FROM pg_trigger "
        "WHERE tgrelid = to_regclass(%s) AND tgname = %s"
    ),
    "sqlite": "SELECT sql, true FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s AND name = %s",
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger: its name, the table it is on (as SQL writes it), and the statement that creates it."""

    name: str
    table: str
    sql: str


def guarded(using: str) -> list[type[models.Model]]:
    """Return the append-only models whose tables are in the database ``using``."""
    with connections[using].cursor() as cursor:
        tables = set(connections[using].introspection.table_names(cursor))
    return [
        model
        for model in apps.get_models()
        if issubclass(model, AppendOnlyModel)
        and model._meta.can_migrate(using)
        and router.allow_migrate_model(using, model)
        and model._meta.db_table in tables
    ]


def install(using: str) -> list[str]:
    """Create all triggers, in the place of those that are there, and return the tables that are guarded now.

    A table at a time, so that nobody who writes meanwhile can wait for us while we wait for them.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(FUNCTION_TEXT)
    for trigger in _all(using):
        with transaction.atomic(using), connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(_drop(connection, trigger))
                cursor.execute(trigger.sql)
            else:
                cursor.execute(trigger.sql.replace("CREATE", "CREATE OR REPLACE", 1))  # without locking readers out
    return [model._meta.db_table for model in guarded(using)]


def remove(using: str) -> None:
    """Drop all triggers that are there."""
    connection = connections[using]
    for trigger in _all(using):
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute(_drop(connection, trigger))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP FUNCTION IF EXISTS {REFUSE}()")


def problems(using: str) -> list[str]:
    """Return a sentence for each trigger that is missing, switched off or not what it should be."""
    found: list[str] = []
    for trigger in _all(using):
        stored = _stored(using, trigger)
        if stored is None:
            found.append(f"The trigger {trigger.name} on {trigger.table} is missing.")
        elif stored[0].replace('"', "") != trigger.sql.replace('"', ""):
            found.append(f"The trigger {trigger.name} on {trigger.table} is outdated.")
        elif not stored[1]:
            found.append(f"The trigger {trigger.name} on {trigger.table} is disabled.")
    if connections[using].vendor == "postgresql" and guarded(using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure(%s)", [f"{REFUSE}()"])
            row = cursor.fetchone()
        if row and row[0] != BODY:
            found.append(f"The function {REFUSE} is outdated.")
    return found


def check(*, databases: Iterable[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of append-only triggers that are wanted, or half there, and not all as they should be.

    For ``check --database``, and ``migrate``, which looks too.
    """
    is_wanted = get_settings().APPEND_ONLY_TRIGGERS is True
    return [
        Warning(
            problem,
            hint=f"Run `manage.py gamification_triggers install --database {alias}`.",
            id="gamification.W023",
        )
        for alias in databases or ()
        if is_wanted or _is_installed(alias)
        for problem in problems(alias)
    ]


def _is_installed(using: str) -> bool:
    """Tell whether at least one trigger is there."""
    return any(_stored(using, trigger) for trigger in _all(using))


def _all(using: str) -> list[Trigger]:
    connection = connections[using]
    of_model = _of_postgresql if connection.vendor == "postgresql" else _of_sqlite
    return [trigger for model in guarded(using) for trigger in of_model(connection, model)]


def _of_postgresql(connection: BaseDatabaseWrapper, model: type[models.Model]) -> Iterator[Trigger]:
    """Yield the triggers of a table, in the very words in which PostgreSQL tells them."""
    table, name = connection.ops.quote_name(model._meta.db_table), model._meta.db_table
    emptied = ", ".join(f"'{column}'" for column in _forgotten(model))
    text = f"CREATE TRIGGER {name}_append_only BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW "
    yield Trigger(f"{name}_append_only", table, f"{text}EXECUTE FUNCTION {REFUSE}({emptied})")
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [table, table])
        parts = [part for (part,) in cursor.fetchall()]
    for part in parts:
        text = f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {part} FOR EACH STATEMENT "
        yield Trigger(f"{name}_no_truncate", part, f"{text}EXECUTE FUNCTION {REFUSE}()")


def _of_sqlite(connection: BaseDatabaseWrapper, model: type[models.Model]) -> Iterator[Trigger]:
    name, quote = model._meta.db_table, connection.ops.quote_name
    # REPLACE removes the row in its way without a word to the triggers of DELETE.
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {quote(name)} WHERE {' AND '.join(f'{quote(one)} = NEW.{quote(one)}' for one in key)})"  # noqa: S608
        for key in _keys(model)
    )
    for suffix, event, condition in (
        ("no_update", "UPDATE", f"NOT ({_forgets(model, quote)})"),
        ("no_delete", "DELETE", f"NOT {FUNCTION}()"),
        ("no_replace", "INSERT", taken),
    ):
        text = f"CREATE TRIGGER {quote(f'{name}_{suffix}')} BEFORE {event} ON {quote(name)} FOR EACH ROW "
        text += f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{name} {RULE}'); END"
        yield Trigger(f"{name}_{suffix}", name, text)


def _forgets(model: type[models.Model], quote: Callable[[str], str]) -> str:
    """Return the condition that an update does nothing but empty what names a person who is being erased."""
    emptied = _forgotten(model)
    if not emptied:
        return "false"
    kept = [str(field.column) for field in model._meta.concrete_fields if field.column not in emptied]
    same = [f"NEW.{quote(one)} IS OLD.{quote(one)}" for one in kept]
    empty = [f"(NEW.{quote(one)} IS NULL OR NEW.{quote(one)} IS OLD.{quote(one)})" for one in emptied]
    return " AND ".join([f"{FUNCTION}()", *same, *empty])


def _forgotten(model: type[models.Model]) -> list[str]:
    """Return the columns that name another person, and so become empty when that person is erased."""
    return [
        str(field.column)
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.SET_NULL
    ]


def _keys(model: type[models.Model]) -> list[list[str]]:
    """Return the columns of each key: the primary one, and all that are unique."""
    meta = model._meta
    columns = {field.name: str(field.column) for field in meta.concrete_fields}
    singles = [[columns[field.name]] for field in meta.concrete_fields if field.unique]
    return [*singles, *([columns[name] for name in each.fields] for each in meta.total_unique_constraints)]


def _drop(connection: BaseDatabaseWrapper, trigger: Trigger) -> str:
    where = "" if connection.vendor == "sqlite" else f" ON {trigger.table}"
    return f"DROP TRIGGER IF EXISTS {connection.ops.quote_name(trigger.name)}{where}"


def _stored(using: str, trigger: Trigger) -> tuple[str, bool] | None:
    """Return the statement that a trigger was made by, and whether it is switched on; None without one."""
    with connections[using].cursor() as cursor:
        cursor.execute(STORED[connections[using].vendor], [trigger.table, trigger.name])
        row: tuple[str, bool] | None = cursor.fetchone()
    return row

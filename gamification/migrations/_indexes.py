"""Indexes on tables that may be large: PostgreSQL builds them while people go on writing."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

PARTITIONED = "SELECT 1 FROM pg_class WHERE oid = to_regclass(%s) AND relkind = 'p'"


def _goes_on_beside_writers(schema_editor: Any, table: str) -> bool:
    """Tell whether it can: on PostgreSQL, save for a table that was partitioned."""
    if schema_editor.connection.vendor != "postgresql":
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(PARTITIONED, [schema_editor.quote_name(table)])
        return cursor.fetchone() is None


def _drop(schema_editor: Any, table: str, name: str) -> None:
    """Drop an index, if it is there."""
    how = "CONCURRENTLY " if _goes_on_beside_writers(schema_editor, table) else ""
    schema_editor.execute(f"DROP INDEX {how}IF EXISTS {schema_editor.quote_name(name)}")


def _build(schema_editor: Any, model: type[models.Model], index: models.Index) -> None:
    """Build an index, in the place of what a build that was cut off has left."""
    table = model._meta.db_table
    _drop(schema_editor, table, index.name)
    if _goes_on_beside_writers(schema_editor, table):
        schema_editor.add_index(model, index, concurrently=True)
    else:
        schema_editor.add_index(model, index)


class AddIndexBesideWriters(migrations.AddIndex):
    """Build an index in a migration that is not atomic; cut off, the migration can be run again."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _build(schema_editor, model, self.index)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _drop(schema_editor, model._meta.db_table, self.index.name)


class RemoveIndexBesideWriters(migrations.RemoveIndex):
    """Drop an index in a migration that is not atomic."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _drop(schema_editor, model._meta.db_table, self.name)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            model_state = to_state.models[app_label, self.model_name_lower]
            _build(schema_editor, model, model_state.get_index_by_name(self.name))

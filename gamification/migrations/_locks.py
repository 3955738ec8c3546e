"""Locks that are taken in the order of those who record, so that a migration and they never wait in a circle."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.migrations.operations.base import Operation


class LockOnTheWayBack(Operation):
    """Lock tables, and then that of the users, before the operations above are taken back; PostgreSQL only.

    Dropping a table locks all that it refers to, in an order of its own. Who records reads the definitions first, and
    the users, whom the new rows refer to, last.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, *model_names: str) -> None:
        self.model_names = model_names

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: there is nothing new."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Do nothing: what refers to a table that is there waits for nobody."""

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            models = [from_state.apps.get_model(app_label, name) for name in self.model_names]
            models.append(from_state.apps.get_model(settings.AUTH_USER_MODEL))
            tables = ", ".join(schema_editor.quote_name(model._meta.db_table) for model in models)
            schema_editor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")

    def describe(self) -> str:
        return f"Lock {', '.join(self.model_names)} and the users on the way back"

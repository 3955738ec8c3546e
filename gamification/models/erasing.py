"""The leave to remove what is append-only, which an erasure has: triggers ask for it, where they are installed."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connections, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

#: PostgreSQL: a setting that is "on" until the transaction, or the savepoint, ends. Nobody else sees it.
SETTING = "gamification.erasing"
#: SQLite: a function of the connection. Other programs have none of that name, so to them nothing is allowed.
FUNCTION = "gamification_privacy_erase"

_erasing: weakref.WeakSet[BaseDatabaseWrapper] = weakref.WeakSet()


@contextmanager
def erasing(using: str) -> Iterator[None]:
    """Let this connection remove rows of the log and the ledger, in a transaction or a savepoint of its own.

    The leave ends with the block, also where that fails.
    """
    connection = connections[using]
    with transaction.atomic(using):
        if connection.vendor == "postgresql":
            _set(connection, "on")
            yield
            _set(connection, "")  # after an error the rollback has done that
            return
        _erasing.add(connection)
        try:
            yield
        finally:
            _erasing.discard(connection)


def know_erasures(connection: Any, **kwargs: Any) -> None:
    """Give a new connection to SQLite the function that triggers ask; for the signal ``connection_created``."""
    if connection.vendor == "sqlite":
        asked = weakref.ref(connection)
        connection.connection.create_function(FUNCTION, 0, lambda: asked() in _erasing)


def _set(connection: BaseDatabaseWrapper, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])

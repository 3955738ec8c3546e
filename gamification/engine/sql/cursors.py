"""A cursor for statements that are run often with the same text."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.utils import DEFAULT_DB_ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper


def connection(alias: str = DEFAULT_DB_ALIAS) -> BaseDatabaseWrapper:
    """Return the connection itself: its proxy looks it up again for each attribute."""
    return connections[alias]


def cursor(alias: str = DEFAULT_DB_ALIAS) -> CursorWrapper:
    """Return a cursor of Django's, with its log and its hooks.

    Over SQLite Django rewrites the placeholders of a statement whenever it runs, which takes longer than a short one
    takes to run; here each text is rewritten once.
    """
    opened = connection(alias).cursor()
    if opened.db.vendor == "sqlite":
        opened.cursor.convert_query = _with_question_marks
    return opened


@contextmanager
def sent_together() -> Iterator[None]:
    """Send the statements inside without waiting for each other's answers, where the driver can (psycopg 3).

    They run in their order all the same; what is fetched is waited for, and an error comes at the end at the latest.
    """
    database = connection()
    if database.vendor != "postgresql":
        yield
        return
    database.ensure_connection()
    with database.wrap_database_errors, database.connection.pipeline():
        yield


@lru_cache(maxsize=512)
def _with_question_marks(query: str, *, param_names: Sequence[Any] | None = None) -> str:
    return query.replace("%s", "?")

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

#: Characters of the longest statement whose rewriting is remembered.
REMEMBERED_MAX = 4096


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
    """Send the statements inside without waiting for each other's answers, where the driver can: psycopg 3 on libpq 14.

    They run in their order all the same; what is fetched is waited for, and an error comes at the end at the latest.
    """
    database: Any = connection()
    pipeline = getattr(database.Database, "Pipeline", None)
    if pipeline is None or not pipeline.is_supported():
        yield
        return
    database.ensure_connection()
    with database.wrap_database_errors, database.connection.pipeline():
        yield


def _with_question_marks(query: str, *, param_names: Sequence[Any] | None = None) -> str:
    # Those of many rows differ each time, and are rewritten in no time beside what they do.
    return _remembered(query) if len(query) < REMEMBERED_MAX else query.replace("%s", "?")


@lru_cache(maxsize=256)
def _remembered(query: str) -> str:
    return query.replace("%s", "?")

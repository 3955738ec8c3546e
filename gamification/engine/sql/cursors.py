"""A cursor for statements that are run often with the same text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.utils import DEFAULT_DB_ALIAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper


def connection() -> BaseDatabaseWrapper:
    """Return the connection itself: its proxy looks it up again for each attribute."""
    return connections[DEFAULT_DB_ALIAS]


def cursor() -> CursorWrapper:
    """Return a cursor of Django's, with its log and its hooks.

    Over SQLite Django rewrites the placeholders of a statement whenever it runs, which takes longer than a short one
    takes to run; here each text is rewritten once.
    """
    opened = connection().cursor()
    if connection().vendor == "sqlite":
        opened.cursor.convert_query = _with_question_marks
    return opened


@lru_cache(maxsize=512)
def _with_question_marks(query: str, *, param_names: Sequence[Any] | None = None) -> str:
    return query.replace("%s", "?")

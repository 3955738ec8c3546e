"""Where the rows of an import wait: a temporary file, so that they can be put in order without being held in memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from gamification.engine.rows import Refusal

WRITE_AT_ONCE = 1000

SCHEMA = """
CREATE TABLE rows (
    line INTEGER PRIMARY KEY, name TEXT, kind TEXT, key TEXT, at TEXT, quantity INTEGER, timezone TEXT, data TEXT
);
CREATE TABLE people (name TEXT PRIMARY KEY, user_id) WITHOUT ROWID;
CREATE TABLE refusals (line INTEGER, code TEXT, reason TEXT, field TEXT);
BEGIN;
"""
#: A person's rows, in order of time; of those with the same key the first of the file, or all the others.
IN_ORDER = """
SELECT line, name, kind, key, at, quantity, timezone, data, user_id FROM (
    SELECT rows.*, user_id, row_number() OVER (PARTITION BY user_id, key ORDER BY line) > 1 AS is_again
    FROM rows JOIN people USING (name) WHERE user_id IS NOT NULL
) WHERE is_again = ? ORDER BY user_id, at, key, line
"""


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row that can be recorded, for the user of that key."""

    line: int
    name: str
    kind: str
    key: str
    at: datetime
    quantity: int
    timezone: str | None
    data: dict[str, Any]
    user_id: Any = None


class Staging:
    """Rows, the people they name, and what was refused. SQLite keeps it in a file of its own and removes that."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(SCHEMA)
        self._waiting: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, row: StagedRow) -> None:
        """Keep a row, its moment in UTC."""
        at = row.at.isoformat(timespec="microseconds")
        data = json.dumps(row.data)
        self._waiting.append((row.line, row.name, row.kind, row.key, at, row.quantity, row.timezone, data))
        if len(self._waiting) >= WRITE_AT_ONCE:
            self._flush()

    def refuse(self, refusal: Refusal) -> None:
        texts = (_printable(refusal.code), _printable(refusal.reason), _printable(refusal.field))
        self._db.execute("INSERT INTO refusals VALUES (?, ?, ?, ?)", (refusal.line, *texts))

    def refuse_person(self, name: str, code: str, reason: str) -> None:
        """Refuse every row of somebody."""
        self._db.execute(
            "INSERT INTO refusals SELECT line, ?, ?, 'user' FROM rows WHERE name = ?", (code, _printable(reason), name)
        )

    def names(self) -> Iterator[str]:
        """Yield the names of the people with rows, in order, each once."""
        self._flush()
        self._db.execute("CREATE INDEX rows_name ON rows (name)")
        return (name for (name,) in self._db.execute("SELECT DISTINCT name FROM rows ORDER BY name"))

    def identify(self, user_ids: Iterable[tuple[str, Any]]) -> None:
        """Keep which user each name belongs to."""
        rows = [(name, pk if isinstance(pk, int) else str(pk)) for name, pk in user_ids]
        self._db.executemany("INSERT INTO people VALUES (?, ?)", rows)

    def in_order(self, *, again: bool) -> Iterator[StagedRow]:
        """Yield the rows of identified people, user by user and each in order of time.

        Of the rows with the same user and key it is the first of the file; ``again`` yields the others instead.
        """
        for row in self._db.execute(IN_ORDER, (again,)):
            line, name, kind, key, at, quantity, timezone, data, user_id = row
            moment = datetime.fromisoformat(at)
            yield StagedRow(line, name, kind, key, moment, quantity, timezone, json.loads(data), user_id)

    def refusals(self) -> Iterator[Refusal]:
        """Yield what was refused, in order of lines."""
        for line, code, reason, field in self._db.execute("SELECT * FROM refusals ORDER BY line"):
            yield Refusal(line, code, reason, field)

    def counts(self) -> tuple[int, int, int]:
        """Return how many rows were kept, how many people were identified, how many refusals there are."""
        self._flush()
        found: tuple[int, int, int] = self._db.execute(
            "SELECT (SELECT count(*) FROM rows), (SELECT count(DISTINCT user_id) FROM people),"
            " (SELECT count(*) FROM refusals)"
        ).fetchone()
        return found

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._waiting)
        self._waiting.clear()


def _printable(text: str) -> str:
    """Return ``text`` with everything spelled out that a terminal would act on, or a file could not hold."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)

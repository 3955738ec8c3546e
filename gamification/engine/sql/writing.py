"""INSERT of rows, many in one statement, with or without overwriting those that are there.

``bulk_create`` writes the same rows. It takes a millisecond to build what runs in a tenth of one, because it resolves
every column of every row anew; here its pieces are built once per table, and values pass through the
converters of :mod:`values`. Both SQLite and PostgreSQL know ``ON CONFLICT`` and ``RETURNING``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models

from gamification.engine.sql.values import Convert, writer

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

#: A few hundred rows: drivers keep what they have prepared, and of statements of thousands of rows that is megabytes.
PARAMETERS_MAX = 4_000
RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Columns:
    """Columns of a table, how an instance gives their values, and which values the driver takes in another form."""

    table: str
    key: str
    names: tuple[str, ...]
    values: Any
    converters: tuple[tuple[int, Convert], ...]

    def of(self, row: models.Model) -> list[Any]:
        return self.converted(self.values(row))

    def converted(self, values: tuple[Any, ...]) -> list[Any]:
        converted = list(values)
        for position, convert in self.converters:
            if converted[position] is not None:
                converted[position] = convert(converted[position])
        return converted


def insert(cursor: CursorWrapper, rows: Sequence[models.Model]) -> None:
    """Insert instances of one model and give them their keys."""
    _write(cursor, rows, (), gives_keys=True)


def upsert(cursor: CursorWrapper, rows: Sequence[models.Model], *unique: str, gives_keys: bool = False) -> None:
    """Insert instances of one model, or overwrite all columns of the rows that have the same ``unique`` columns.

    No two of the instances may have the same. With ``gives_keys`` they get theirs, which has to be waited for.
    """
    _write(cursor, rows, unique, gives_keys=gives_keys)


def upsert_values(
    cursor: CursorWrapper,
    model: type[models.Model],
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *unique: str,
) -> None:
    """Insert values of the columns ``names``, or overwrite those columns where the ``unique`` ones are the same.

    For rows that nobody needs as instances: those cost more to make than to write.
    """
    columns = _columns(model, cursor.db.vendor, names)
    for part in _parts(rows, len(names)):
        values = list(chain.from_iterable(map(columns.converted, part)))
        cursor.execute(_text(columns, len(part), unique), values)


def _write(cursor: CursorWrapper, rows: Sequence[models.Model], unique: tuple[str, ...], *, gives_keys: bool) -> None:
    if not rows:
        return
    alias = cursor.db.alias
    columns = _columns(type(rows[0]), cursor.db.vendor)
    for part in _parts(rows, len(columns.names)):
        text = _text(columns, len(part), unique, columns.key if gives_keys else "")
        cursor.execute(text, list(chain.from_iterable(map(columns.of, part))))
        if gives_keys:
            for row, (pk,) in zip(part, cursor.fetchall(), strict=True):
                row.pk = pk
                row._state.adding, row._state.db = False, alias


def _text(columns: Columns, number: int, unique: tuple[str, ...], returning: str = "") -> str:
    head, row, tail = _pieces(columns.table, columns.names, unique, returning)
    return f"{head}{', '.join([row] * number)}{tail}"


@lru_cache(maxsize=64)
def _pieces(table: str, names: tuple[str, ...], unique: tuple[str, ...], returning: str) -> tuple[str, str, str]:
    """Return a statement before its rows, a row, and the statement behind them."""
    tail = f' RETURNING "{returning}"' if returning else ""
    if unique:
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in unique)
        tail = f" ON CONFLICT ({_listed(unique)}) DO UPDATE SET {updates}{tail}"
    row = f"({', '.join(['%s'] * len(names))})"
    return f'INSERT INTO "{table}" ({_listed(names)}) VALUES ', row, tail  # noqa: S608


@lru_cache(maxsize=32)
def _columns(model: type[models.Model], vendor: str, names: tuple[str, ...] = ()) -> Columns:
    """Return the columns of these names, or all but a key that the database gives."""
    fields = {str(field.column): field for field in model._meta.concrete_fields}
    names = names or tuple(name for name, field in fields.items() if not isinstance(field, models.AutoField))
    converters = ((position, writer(fields[name], vendor)) for position, name in enumerate(names))
    return Columns(
        table=model._meta.db_table,
        key=str(model._meta.pk.column),
        names=names,
        values=attrgetter(*(fields[name].attname for name in names)),
        converters=tuple((position, convert) for position, convert in converters if convert),
    )


def _parts(rows: Sequence[RowT], columns: int) -> Iterator[Sequence[RowT]]:
    size = PARAMETERS_MAX // columns
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)

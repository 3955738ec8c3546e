"""Values of columns as the drivers take and give them, as the ORM would convert them but decided once per column."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache, partial
from typing import Any

from django.conf import settings
from django.db import connection, models

Convert = Callable[[Any], Any]
PLAIN = {
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BooleanField",
    "CharField",
    "IntegerField",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "SmallAutoField",
    "SmallIntegerField",
    "TextField",
}


@lru_cache(maxsize=256)
def writer(field: models.Field[Any, Any], vendor: str) -> Convert | None:
    """Return what turns a value of ``field`` into a parameter, or None where it is one already."""
    kind = _kind(field)
    if kind in PLAIN:
        return None
    if isinstance(field, models.JSONField):
        return partial(_json_text, (field.encoder or json.JSONEncoder)().encode)
    if vendor == "postgresql" and kind in {"DateField", "DateTimeField", "DecimalField", "UUIDField"}:
        return None
    if vendor == "sqlite" and kind == "DateField":
        return date.isoformat
    if vendor == "sqlite" and kind == "DateTimeField" and settings.USE_TZ:
        return partial(_naive, connection.timezone)
    return lambda value: field.get_db_prep_save(value, connection)


@lru_cache(maxsize=256)
def reader(field: models.Field[Any, Any], vendor: str) -> Convert | None:
    """Return what turns a value that the driver gave, or that JSON carried, into one of ``field``; None: it is one."""
    kind = _kind(field)
    if kind == "BooleanField":
        return bool
    if kind == "DateField":
        return to_date
    if kind == "DateTimeField":
        return to_moment
    if kind in PLAIN:
        return None
    if isinstance(field, models.JSONField):
        return from_json
    return field.to_python


def from_json(value: Any) -> Any:
    """Return what JSON says: SQLite gives its text, psycopg has read it."""
    return json.loads(value) if isinstance(value, str) else value


def _json_text(encode: Convert, value: Any) -> str:
    return "{}" if value == {} else str(encode(value))


def _naive(zone: tzinfo | None, moment: datetime) -> str:
    return str(moment.astimezone(zone).replace(tzinfo=None))


def to_date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def to_moment(value: Any) -> datetime:
    """Return an instant in UTC; SQLite keeps them without a zone, in the zone of the connection."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=connection.timezone)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _kind(field: models.Field[Any, Any]) -> str:
    while isinstance(field, models.ForeignKey):  # a key has the type of what it points to
        field = field.target_field
    return field.get_internal_type()

"""What may come in: every refusal names the field and the rule."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from gamification.domain import calendar
from gamification.exceptions import InvalidInput, KeyRequired, UnknownTimezone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gamification.domain.activity_types import ActivityType

KEY_MAX_LENGTH = 255
TEXT_MAX_LENGTH = 255
DATA_MAX_BYTES = 4096
DATA_MAX_DEPTH = 8
REMEMBERED_MAX = 200
NUMBER_MAX = 2**63 - 1
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
UNPAIRED = re.compile("[\ud800-\udfff]")
FUTURE_TOLERANCE = timedelta(minutes=5)

_strict = Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
)
StrictValidator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, type_checker=_strict
)


def clean_key(key: object) -> str:
    """Return ``key`` when it is 1 to 255 printable ASCII characters."""
    if key is None or key == "":
        raise KeyRequired(field="key")
    if not isinstance(key, str) or len(key) > KEY_MAX_LENGTH or not (key.isascii() and key.isprintable()):
        raise InvalidInput("key must be 1 to 255 printable ASCII characters.", field="key")
    return key


def clean_whole(value: object, field: str, *, low: int, high: int) -> int:
    """Return ``value`` when it is a whole number, no truth value and no text, from ``low`` to ``high``."""
    if type(value) is not int or not low <= value <= high:
        raise InvalidInput(f"{field} must be a whole number from {low:,} to {high:,}.", field=field)
    return value


def clean_text(value: object, field: str, *, required: bool = True, max_length: int = TEXT_MAX_LENGTH) -> str:
    """Return ``value`` without white space around it, when every database can store it."""
    if not isinstance(value, str) or not is_storable(value) or len(value) > max_length:
        raise InvalidInput(f"{field} must be a text of at most {max_length} characters.", field=field)
    if required and not value.strip():
        raise InvalidInput(f"{field} must not be empty.", field=field)
    return value.strip()


def clean_object(value: object, field: str) -> dict[str, Any]:
    """Return ``value`` when it is a small JSON object that every database can store; None stands for an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{field} must be an object.", field=field)
    for place, leaf in _leaves(value, field, 1):
        if isinstance(leaf, str) and not is_storable(leaf):
            raise InvalidInput(f"{place} holds a character that cannot be stored.", field=place)
        if isinstance(leaf, int | float) and not -NUMBER_MAX <= leaf <= NUMBER_MAX:
            raise InvalidInput(f"{place} must be a number of less than 2**63.", field=place)
    if len(canonical(value)) > DATA_MAX_BYTES:
        raise InvalidInput(f"{field} must be at most {DATA_MAX_BYTES:,} bytes of JSON.", field=field)
    return value


def clean_moment(value: object, field: str = "occurred_at") -> datetime | None:
    """Return ``value`` in UTC when it is a date and time with an offset, from 1970 on."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None or value.utcoffset() is None:
        raise InvalidInput(f"{field} must be a date and time with an offset.", field=field)
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        moment = LATEST
    if not EARLIEST <= moment < LATEST:
        raise InvalidInput(f"{field} must be from 1970 on, and a date that can be.", field=field)
    return moment


def clean_timezone(name: object, field: str = "timezone") -> ZoneInfo:
    """Return the zone of an IANA name.

    Raises:
        UnknownTimezone: the machine knows no such zone.
    """
    if not isinstance(name, str) or name not in calendar.timezone_names():
        shown = ascii(name)[:80]
        raise UnknownTimezone(f"{shown} is not an IANA time zone such as Europe/Berlin.", field=field)
    return ZoneInfo(name)


def check_data(kind: ActivityType, data: dict[str, Any]) -> None:
    """Refuse ``data`` that does not fit the schema of ``kind``, naming the first place that does not."""
    text = canonical(data)
    if problem := _known_problem(kind, text) if len(text) < REMEMBERED_MAX else _problem(kind, text):
        place, message = problem
        raise InvalidInput(f"{place}: {message[:200]}.", field=place)


def content_hash(**content: object) -> str:
    """Return the SHA-256 of a request as it was sent; what is absent, empty or None makes no difference."""
    present = {name: value for name, value in content.items() if value not in (None, "", {})}
    return hashlib.sha256(canonical(present)).hexdigest()


def canonical(value: object) -> bytes:
    """Return ``value`` as JSON in one form only: sorted names, no white space."""
    return _canonical(value).encode()


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode


@lru_cache(maxsize=256)
def _validator(kind: ActivityType) -> Any:
    return StrictValidator(kind.schema if kind.schema is not None else {})


def _problem(kind: ActivityType, data: bytes) -> tuple[str, str] | None:
    """Return the first place that does not fit, and why."""
    for error in _validator(kind).iter_errors(json.loads(data)):
        return ".".join(["data", *(str(part) for part in error.absolute_path)]), error.message
    return None


#: Short data of a kind are much alike; long ones are somebody's own, and nothing to keep.
_known_problem = lru_cache(maxsize=4096)(_problem)


def is_storable(text: str) -> bool:
    """Tell whether every database can store ``text``: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and (text.isascii() or not UNPAIRED.search(text))


def _leaves(value: object, place: str, depth: int) -> Iterator[tuple[str, object]]:
    """Yield the names and the values inside ``value`` with their places."""
    if depth > DATA_MAX_DEPTH:
        raise InvalidInput(f"{place} is nested more than {DATA_MAX_DEPTH} deep.", field=place)
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise InvalidInput(f"{place} must have texts as names.", field=place)
            yield place, name
            yield from _leaves(inner, f"{place}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{index}]", depth + 1)
    elif value is None or isinstance(value, str | int | float):
        yield place, value
    else:
        raise InvalidInput(f"{place} must be JSON.", field=place)

"""Reading bodies: JSON as the RFC has it, of a bounded size and depth, with nothing that a database cannot store."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, Never

from django.conf import settings
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.settings import api_settings

from gamification.api.errors import BodyTooLarge

MAX_DEPTH = 32
PLACE_MAX_LENGTH = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(JSONParser):
    """Parse JSON in UTF-8; a body longer than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` is refused, as Django does for forms."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            value = json.loads(_read(stream).decode(), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except json.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}.") from error
        except ValueError as error:
            raise ParseError("The body holds a number that is not JSON, or too long.") from error
        except RecursionError as error:
            raise _too_deep() from error
        _refuse_unstorable(value)
        return value


def _read(stream: IO[Any]) -> bytes:
    limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = bytes(stream.read() if limit is None else stream.read(limit + 1))
    if limit is not None and len(body) > limit:
        raise BodyTooLarge(f"The body is longer than {limit:,} bytes.")
    return body


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)


def _too_deep() -> ParseError:
    return ParseError(f"The body is nested more than {MAX_DEPTH} deep.")


def _refuse_unstorable(value: object) -> None:
    """Refuse NUL, lone surrogates and numbers beyond a float's range, naming the place of the first."""
    for place, leaf in _leaves(value):
        if isinstance(leaf, str) and _UNSTORABLE.search(leaf):
            _refuse_at(place, "This text holds a character that cannot be stored.", "unstorable_character")
        if isinstance(leaf, float) and not math.isfinite(leaf):
            _refuse_at(place, "This number is out of range.", "not_finite")


def _refuse_at(place: str, message: str, code: str) -> Never:
    raise ValidationError({place or api_settings.NON_FIELD_ERRORS_KEY: [ErrorDetail(message, code)]})


def _leaves(value: object) -> Iterator[tuple[str, object]]:
    """Yield the names and values inside ``value`` with their places, such as ``data.words[2]``; without recursion."""
    stack: list[tuple[str, object, int]] = [("", value, 0)]
    while stack:
        place, current, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(current, dict):
            for name, inner in current.items():
                yield place, name
                stack.append((f"{place}.{name}"[:PLACE_MAX_LENGTH].lstrip("."), inner, depth + 1))
        elif isinstance(current, list):
            for index, inner in enumerate(current):
                stack.append((f"{place}[{index}]" if place else str(index), inner, depth + 1))
        else:
            yield place, current

"""The key that makes a write happen once: a header, or a member of the body."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from rest_framework.response import Response

from gamification.api.errors import KeyMismatch
from gamification.exceptions import KeyRequired

if TYPE_CHECKING:
    from rest_framework.request import Request

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"


def resolve_key(request: Request, in_body: str | None) -> str:
    """Return the key of a request.

    Raises:
        KeyMismatch: header and body name different keys.
        KeyRequired: neither names one.
    """
    in_header = request.headers.get(KEY_HEADER)
    if in_header is not None and in_body is not None and in_header != in_body:
        raise KeyMismatch(field="key")
    key = in_body if in_header is None else in_header
    if not key:
        raise KeyRequired(field="key")
    return key


def answer(data: Any, *, is_replay: bool) -> Response:
    """Return 201 for what was just written, or 200 and ``Idempotent-Replayed: true`` for what was there before."""
    if is_replay:
        return Response(data, HTTPStatus.OK, headers={REPLAYED_HEADER: "true"})
    return Response(data, HTTPStatus.CREATED)

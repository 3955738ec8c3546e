"""Pages of the ledger: by cursor, newest first, without counting."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class LedgerPagination(CursorPagination):
    """50 rows a page, or ``limit`` up to 100. Rows booked at the same moment keep their order."""

    page_size = 50
    page_size_query_param = "limit"
    page_size_query_description = "Rows a page, 1 to 100."
    max_page_size = 100
    ordering = ("-created_at", "-id")
    # A bulk import books any number of rows at one moment; pages have to get past them.
    offset_cutoff = 1_000_000

    def get_page_size(self, request: Request) -> int | None:
        limit = request.query_params.get("limit")
        if limit is None:
            return self.page_size
        if not (limit.isascii() and limit.isdecimal() and len(limit) < 7 and 1 <= int(limit) <= self.max_page_size):
            raise _refused("limit", f"Expected 1 to {self.max_page_size}.")
        return int(limit)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the place that a page begins at.

        Raises:
            ValidationError: nobody was given such a cursor.
        """
        try:
            b64decode(request.query_params.get("cursor", "").encode(), validate=True)
            cursor: Cursor | None = super().decode_cursor(request)
            place: Any = cursor.position if cursor else None
            is_known = place is None or parse_datetime(place) is not None
        except (NotFound, ValueError):
            is_known = False
        if not is_known:
            raise _refused("cursor", "This is no cursor that was given out.")
        return cursor

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        limits = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [{**each, "schema": limits} if each["name"] == "limit" else each for each in described]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        return {**described, "required": ["next", "previous", "results"]}


def _refused(field: str, message: str) -> ValidationError:
    return ValidationError({field: [ErrorDetail(message, "invalid")]})

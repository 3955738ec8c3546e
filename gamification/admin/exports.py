"""Ledgers as CSV: what the list shows, sent as it is read, so that a million rows are never in memory."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.text import slugify
from django.utils.translation import gettext as _

from gamification.admin import cells
from gamification.admin.base import ModelT, Tool
from gamification.admin.pages import PageAdmin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import QuerySet

ROWS_EXPORTED = 1_000_000
ROWS_READ = 2_000
#: Stands in ``exported`` for the field that users sign in with.
USERNAME = "__username"


class ExportAdmin(PageAdmin[ModelT]):
    """Adds the export of a ledger. ``exported`` are its columns: fields, or ``RELATION__username``."""

    exported: ClassVar[tuple[str, ...]]

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "export": self.export}  # type: ignore[dict-item]

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        tools = super().list_tools(request)
        if self.has_view_permission(request):
            asked = request.GET.urlencode()
            tools.append(Tool(_("Export as CSV"), f"{self.url('export')}{'?' if asked else ''}{asked}"))
        return tools

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        limit = number_format(ROWS_EXPORTED, force_grouping=True)
        return super().changelist_view(request, {"rows_exported": limit, **(extra_context or {})})

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Send the rows that the list shows with the filters of ``request``, the newest first, up to the limit."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            queryset = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self.list_url(request))
        name = f"{slugify(str(self.opts.verbose_name_plural))}-{timezone.localdate():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        body = cells.lines(self._rows(queryset))
        return StreamingHttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)

    def _rows(self, queryset: QuerySet[Any]) -> Iterator[tuple[object, ...]]:
        yield ("id", *self.exported)
        signs_in_with = get_user_model().USERNAME_FIELD
        names = [name.replace(USERNAME, f"__{signs_in_with}") for name in self.exported]
        # Page by page from where the last one ended: no cursor of the database has to be kept open meanwhile.
        rows = queryset.order_by("-pk").values_list("pk", *names)
        last, left = None, ROWS_EXPORTED
        while left > 0:
            page = list((rows if last is None else rows.filter(pk__lt=last))[: min(ROWS_READ, left)])
            yield from (tuple(map(_cell, row)) for row in page)
            if len(page) < ROWS_READ:
                return
            last, left = page[-1][0], left - len(page)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return "" if value is None else value

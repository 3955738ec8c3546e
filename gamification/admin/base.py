"""What every list and form shares: pages that count no table, rows that can only be read, refusals as messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.db.models import ProtectedError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from gamification.exceptions import GamificationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    _ModelAdmin = admin.ModelAdmin
else:

    class _ModelAdmin(admin.ModelAdmin):
        """The stock class, which may be subscripted as in its stubs."""

        def __class_getitem__(cls, _: object) -> type:
            return cls


ModelT = TypeVar("ModelT", bound=models.Model)

REFUSALS = (GamificationError, ProtectedError)
ROWS_COUNTED = 10_000
ROWS_SEARCHED = 100_000
ROWS_CHOSEN = 100


@dataclass(frozen=True, slots=True)
class Tool:
    """A button at the top of a page. ``is_post`` says that it acts at once."""

    label: str
    url: str
    is_post: bool = False


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts as far as ``ROWS_COUNTED`` and no further, so that ten million rows cost what ten thousand do."""

    object_list: Any

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if not isinstance(rows, models.QuerySet):
            return len(rows)
        return (rows if rows.query.is_sliced else rows.order_by())[: ROWS_COUNTED + 1].count()

    @property
    def is_capped(self) -> bool:
        """Tell whether there are more rows than were counted."""
        return self._counted > ROWS_COUNTED

    @cached_property
    def count(self) -> int:
        return min(self._counted, ROWS_COUNTED)


class BoundedChangeList(ChangeList):
    """A list that reads a bounded number of rows, whatever is asked of it.

    Filters that no index serves look at the newest ``ROWS_SEARCHED`` rows; only columns with an index sort.
    """

    is_windowed = False
    rows_counted = ROWS_COUNTED
    rows_searched = ROWS_SEARCHED

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> models.QuerySet[Any]:
        queryset = super().get_queryset(request, exclude_parameters)
        if not self._needs_window():
            return queryset
        self.is_windowed = True
        return within_window(queryset).order_by("-pk")  # another index would be walked past the window

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except OverflowError as error:  # SQLite, asked for a number beyond its integers
            raise IncorrectLookupParameters(error) from error

    def get_ordering_field(self, field_name: Any) -> Any:
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)

    def _needs_window(self) -> bool:
        # The search of our lists finds rows through indexes or in the window already.
        shown = self.model_admin
        if not isinstance(shown, GamificationAdmin) or not shown.is_large or self.query.strip():
            return False
        asked = {name.partition("__")[0]: values for name, values in self.get_filters_params().items()}
        return bool(asked) and not shown.is_served_by_index(asked)


def within_window(queryset: models.QuerySet[ModelT]) -> models.QuerySet[ModelT]:
    """Keep the newest ``ROWS_SEARCHED`` rows of a table with growing ids."""
    newest = queryset.model._base_manager.order_by("-pk").values_list("pk", flat=True).first()
    return queryset.filter(pk__gt=(newest or 0) - ROWS_SEARCHED)


class GamificationAdmin(_ModelAdmin[ModelT]):
    """The base of our pages. ``indexed_filters`` are parameters of a large table's list that an index serves."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    is_large: ClassVar[bool] = False
    indexed_filters: ClassVar[tuple[str, ...]] = ("user",)

    class Media:
        css = {"all": ("gamification/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ModelT | None:
        """Return the row, or None for an id that no row can have."""
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:  # SQLite, of a row that is known by its user, asked for a number beyond its integers
            return None

    def is_served_by_index(self, asked: Mapping[str, Any]) -> bool:
        """Tell whether an index finds the rows of a list with the filters ``asked``, by name."""
        return any(name in asked for name in self.indexed_filters)

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        """Return the buttons above the list."""
        return []

    def row_tools(self, request: HttpRequest, row: ModelT) -> list[Tool]:
        """Return the buttons above the page of one row."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"tools": self.list_tools(request), **(extra_context or {})}
        try:
            return super().changelist_view(request, context)
        except REFUSALS as error:
            return self.refuse(request, error)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except REFUSALS as error:
            return self.refuse(request, error)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except REFUSALS as error:
            return self.refuse(request, error, self.list_url(request))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if row is not None:
            context["tools"] = self.row_tools(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def refuse(self, request: HttpRequest, error: Exception, url: str = "") -> HttpResponseRedirect:
        """Say why nothing was changed, and go back to where the request came from."""
        if request.method != "POST":
            raise error  # to go back would be to ask again
        message = error.message if isinstance(error, GamificationError) else _("It is still in use.")
        self.message_user(request, message, messages.ERROR)
        return HttpResponseRedirect(url or request.get_full_path())

    def url(self, name: str, *args: Any) -> str:
        """Return the address of one of this model's pages."""
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def list_url(self, request: HttpRequest) -> str:
        """Return the list's address, or the start page's for those who may not see the list."""
        return self.url("changelist") if self.has_view_permission(request) else reverse(f"{self.admin_site.name}:index")


class ReadOnlyAdmin(GamificationAdmin[ModelT]):
    """Rows to be looked at: what changes them are services, and their pages."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False


def chosen(queryset: models.QuerySet[ModelT]) -> list[ModelT]:
    """Return the rows that an action was asked for.

    Raises:
        GamificationError: they are more than ``ROWS_CHOSEN``.
    """
    rows = list(queryset[: ROWS_CHOSEN + 1])
    if len(rows) > ROWS_CHOSEN:
        raise GamificationError(f"Choose at most {ROWS_CHOSEN} rows at a time.")
    return rows


def ids_from(text: str) -> list[int]:
    """Return the row ids in ``text``, comma between, as far as they can be ids."""
    parts = text.split(",")[:ROWS_CHOSEN]
    return [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 19]

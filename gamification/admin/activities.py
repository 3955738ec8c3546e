"""The log of what users did, and the counters that it adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy

from gamification.admin.base import ReadOnlyAdmin
from gamification.admin.exports import ExportAdmin
from gamification.admin.people import PersonColumn
from gamification.conf import get_settings
from gamification.domain.activity_types import DERIVED_COUNTERS
from gamification.engine.texts import translated
from gamification.models import Activity, UserCounter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class KindFilter(admin.SimpleListFilter):
    """The kinds that the project declares; no table is read to list them."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, translated(kind.label) or kind.name) for kind in get_settings().activity_types.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class CounterFilter(admin.SimpleListFilter):
    """The counters that the project declares, each as a board: the greatest first."""

    title = gettext_lazy("name")
    parameter_name = "name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted({*get_settings().counters, *DERIVED_COUNTERS})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(name=self.value()) if self.value() else queryset


@admin.register(Activity)
class ActivityAdmin(PersonColumn, ExportAdmin[Activity], ReadOnlyAdmin[Activity]):
    """The log. It is never changed."""

    is_large = True
    exact_field = "key"
    list_display = ("occurred_at", "person", "kind", "quantity", "local_date", "timezone", "is_in_streak", "key")
    list_filter = (KindFilter, "occurred_at")
    list_select_related = ("user",)
    ordering = ("-pk",)
    sortable_by = ()
    search_help_text = gettext_lazy("A user's name or id, a whole key, or both with a space between.")
    exported = (
        "occurred_at",
        "user_id",
        "user__username",
        "kind",
        "quantity",
        "local_date",
        "timezone",
        "is_in_streak",
        "data",
        "key",
        "recorded_at",
    )


@admin.register(UserCounter)
class UserCounterAdmin(PersonColumn, ReadOnlyAdmin[UserCounter]):
    """How often users did what."""

    is_large = True
    indexed_filters = ("user", "name")
    exact_field = "name"
    is_exact_indexed = True
    list_display = ("person", "name", "value")
    list_filter = (CounterFilter,)
    list_select_related = ("user",)
    sortable_by = ()
    search_help_text = gettext_lazy("A user's name or id, a counter such as languages_practised:es, or both.")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-value", "user_id") if request.GET.get("name") else ("-pk",)

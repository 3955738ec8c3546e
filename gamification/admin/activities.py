"""The log of what users did, to read and to void; and the counters that it adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin.base import ReadOnlyAdmin, Tool
from gamification.admin.exports import ExportAdmin
from gamification.admin.forms import VoidForm
from gamification.admin.pages import ReasonedAdmin
from gamification.admin.people import PersonColumn, actor, name_of
from gamification.admin.words import kind_name
from gamification.conf import get_settings
from gamification.domain.activity_types import DERIVED_COUNTERS
from gamification.models import Activity, UserCounter, VoidedActivity
from gamification.services import activities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


def void_of(row: Activity) -> VoidedActivity | None:
    """Return what says that an activity is void, if anything does."""
    void: VoidedActivity | None = getattr(row, "void", None)
    return void


def told(void: VoidedActivity) -> str:
    """Return who voided an activity, when and why: ``voided by grace on 5 March because: a fake``."""
    by = name_of(void.actor)
    text = _("voided by {name} on {date} because: {reason}") if by else _("voided on {date} because: {reason}")
    return text.format(name=by, date=date_format(timezone.localtime(void.voided_at)), reason=void.reason)


class KindFilter(admin.SimpleListFilter):
    """The kinds that the project declares; no table is read to list them."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, kind_name(name)) for name in get_settings().activity_types]

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


class VoidFilter(admin.SimpleListFilter):
    """What counts, and what was voided."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("counts", _("counts")), ("voided", _("voided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        states = {"counts": {"void__isnull": True}, "voided": {"void__isnull": False}}
        return queryset.filter(**states.get(self.value() or "", {}))


@admin.register(Activity)
class ActivityAdmin(PersonColumn, ExportAdmin[Activity], ReasonedAdmin[Activity], ReadOnlyAdmin[Activity]):
    """The log. It is never changed: what was voided stays in it, and counts for nothing."""

    is_large = True
    exact_field = "key"
    list_display = (
        "occurred_at",
        "person",
        "kind",
        "mark",
        "quantity",
        "local_date",
        "timezone",
        "is_in_streak",
        "key",
    )
    list_filter = (VoidFilter, KindFilter, "occurred_at")
    list_select_related = ("user", "void")
    ordering = ("-pk",)
    sortable_by = ()
    search_help_text = gettext_lazy("A user's name or id, a whole key, or both with a space between.")
    actions = ("void",)
    readonly_fields = ("voided",)
    verb = "void"
    permission = "gamification.void_activity"
    title = gettext_lazy("Void activities")
    submit = gettext_lazy("Void")
    columns = (gettext_lazy("Occurred at"), gettext_lazy("User"), gettext_lazy("Activity"), gettext_lazy("Key"))
    reason_form = VoidForm
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
        "void__voided_at",
        "void__reason",
        "void__actor_id",
    )

    @admin.display(description=gettext_lazy("state"))
    def mark(self, row: Activity) -> str:
        return _("voided") if void_of(row) is not None else _("counts")

    @admin.display(description=gettext_lazy("state"))
    def voided(self, row: Activity) -> str:
        void = void_of(row)
        return told(void) if void is not None else _("counts")

    def row_tools(self, request: HttpRequest, row: Activity) -> list[Tool]:
        is_open = void_of(row) is None and self.may_perform(request)
        return [Tool(_("Void"), self.reasoned_url([row]))] if is_open else []

    # Voiding

    def has_void_permission(self, request: HttpRequest) -> bool:
        return self.may_perform(request)

    @admin.action(description=gettext_lazy("Void the selected activities"), permissions=["void"])
    def void(self, request: HttpRequest, queryset: QuerySet[Activity]) -> HttpResponse:
        return self.ask_for_reason(request, queryset)

    def perform(self, request: HttpRequest, row: Activity, reason: str, achievements: str) -> None:
        activities.void(row, reason=reason, actor=actor(request), achievements=achievements or None)
        self.log_change(request, row, _("Voided: {reason}").format(reason=reason))

    def done(self, number: int) -> str:
        return ngettext("%d activity was voided.", "%d activities were voided.", number) % number

    def cells(self, row: Activity) -> Sequence[object]:
        return row.occurred_at, name_of(row.user), kind_name(row.kind), row.key


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

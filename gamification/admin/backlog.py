"""The backlog: events that wait to be recorded, and those that were refused when they were to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin.activities import KindFilter
from gamification.admin.base import ReadOnlyAdmin, Tool, chosen
from gamification.admin.pages import ReasonedAdmin
from gamification.admin.people import PersonColumn, name_of
from gamification.exceptions import GamificationError
from gamification.models import QueuedActivity
from gamification.services import ingestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class WaitingFilter(admin.SimpleListFilter):
    """Waiting, or refused."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", _("waiting")), ("refused", _("refused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        states = {"waiting": queryset.waiting, "refused": queryset.refused}  # type: ignore[attr-defined]
        return states[self.value() or ""]() if self.value() in states else queryset


@admin.register(QueuedActivity)
class QueuedActivityAdmin(PersonColumn, ReasonedAdmin[QueuedActivity], ReadOnlyAdmin[QueuedActivity]):
    """Events between being taken in and being recorded. Refused ones can be tried again, or discarded."""

    is_large = True
    indexed_filters = ("user", "state")
    exact_field = "key"
    list_display = ("enqueued_at", "person", "kind", "quantity", "at", "state", "reason", "key")
    list_filter = (WaitingFilter, KindFilter)
    list_select_related = ("user",)
    ordering = ("-pk",)
    sortable_by = ()
    search_help_text = gettext_lazy("A user's name or id, a whole key, or both with a space between.")
    actions = ("retry", "discard")
    verb = "discard"
    permission = "gamification.record_activity"
    title = gettext_lazy("Discard refused events")
    submit = gettext_lazy("Discard")
    columns = (gettext_lazy("Taken in at"), gettext_lazy("User"), gettext_lazy("Kind"), gettext_lazy("Refused because"))

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: QueuedActivity) -> str:
        return _("refused: {code}").format(code=row.code) if row.refused_at is not None else _("waiting")

    def row_tools(self, request: HttpRequest, row: QueuedActivity) -> list[Tool]:
        is_open = row.refused_at is not None and self.may_perform(request)
        return [Tool(_("Discard"), self.reasoned_url([row]))] if is_open else []

    def has_record_permission(self, request: HttpRequest) -> bool:
        return self.may_perform(request)

    @admin.action(description=gettext_lazy("Try the selected events again"), permissions=["record"])
    def retry(self, request: HttpRequest, queryset: QuerySet[QueuedActivity]) -> None:
        rows = [row for row in chosen(queryset) if row.refused_at is not None]
        number = ingestion.retry_refused([row.pk for row in rows])
        for row in rows:
            self.log_change(request, row, _("Tried again."))
        told = ngettext("%d event waits again.", "%d events wait again.", number) % number
        self.message_user(request, told, messages.SUCCESS if number else messages.WARNING)

    @admin.action(description=gettext_lazy("Discard the selected events"), permissions=["record"])
    def discard(self, request: HttpRequest, queryset: QuerySet[QueuedActivity]) -> HttpResponse:
        return self.ask_for_reason(request, queryset)

    def perform(self, request: HttpRequest, row: QueuedActivity, reason: str) -> None:
        # With the person, for the event is gone in a moment: then it would be nobody's, even when they are erased.
        told = _("An event in the backlog was discarded: {reason}").format(reason=reason)
        self.log_change(request, row.user, told)  # type: ignore[arg-type]
        if not ingestion.drop_refused([row.pk]):
            raise GamificationError(_("It is waiting to be recorded."))

    def done(self, number: int) -> str:
        return ngettext("%d event was discarded.", "%d events were discarded.", number) % number

    def cells(self, row: QueuedActivity) -> Sequence[object]:
        return row.enqueued_at, name_of(row.user), row.kind, row.reason or row.code or "-"

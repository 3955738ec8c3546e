"""The log of webhooks: what was sent, what waits, what was given up, and sending it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification import tasks
from gamification.admin.base import ReadOnlyAdmin, Tool, chosen, ids_from
from gamification.admin.pages import PageAdmin
from gamification.admin.people import PersonColumn, name_of
from gamification.domain.webhooks import EVENT_TYPES, TEST
from gamification.models import WebhookDelivery
from gamification.models.webhooks import DeliveryStatus
from gamification.services import webhooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

REPLAY = "gamification.replay_webhook"


class StatusFilter(admin.SimpleListFilter):
    """Waiting, delivered, given up."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(DeliveryStatus.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() in DeliveryStatus.values else queryset


class EventFilter(admin.SimpleListFilter):
    """The types of events; no table is read to list them."""

    title = gettext_lazy("event")
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in (*EVENT_TYPES, TEST)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event_type=self.value()) if self.value() else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(PersonColumn, PageAdmin[WebhookDelivery], ReadOnlyAdmin[WebhookDelivery]):
    """What was sent, what waits, what was given up; each can be sent again once it is over."""

    is_large = True
    indexed_filters = ("user", "endpoint")
    exact_field = "message_id"
    list_display = ("created_at", "event_type", "person", "status", "answer", "attempts", "endpoint")
    list_filter = (StatusFilter, EventFilter, "endpoint")
    list_select_related = ("user", "endpoint")
    ordering = ("-pk",)
    sortable_by = ()
    search_help_text = gettext_lazy("A user's name or id, a whole webhook-id, or both with a space between.")
    actions = ("send_again",)
    readonly_fields = ("person", "state", "answer", "payload")
    fieldsets = (
        (None, {"fields": ("endpoint", "event_type", "message_id", "person", "created_at")}),
        (gettext_lazy("Delivery"), {"fields": ("state", "attempts", "answer", "last_attempt_at", "delivered_at")}),
        (gettext_lazy("Payload"), {"fields": ("payload",)}),
    )

    @admin.display(description=gettext_lazy("user"))
    def person(self, row: WebhookDelivery) -> str:
        return name_of(row.user)

    @admin.display(description=gettext_lazy("status"))
    def state(self, row: WebhookDelivery) -> str:
        if row.status != DeliveryStatus.PENDING:
            return str(row.get_status_display())
        if not row.endpoint.is_active:
            return _("waiting: the endpoint is off")
        return _("waiting, from {at}").format(at=moment(row.due_at)) if row.attempts else _("waiting")

    @admin.display(description=gettext_lazy("last answer"))
    def answer(self, row: WebhookDelivery) -> str:
        return str(row.last_status or row.get_last_failure_display() or "-")

    @admin.display(description=gettext_lazy("payload"))
    def payload(self, row: WebhookDelivery) -> str:
        told = json.dumps(json.loads(row.body), indent=2, ensure_ascii=False)
        return format_html('<pre class="gamification-payload" tabindex="0">{}</pre>', told)

    def row_tools(self, request: HttpRequest, row: WebhookDelivery) -> list[Tool]:
        may = request.user.has_perm(REPLAY) and row.status != DeliveryStatus.PENDING
        return [Tool(_("Send again"), f"{self.url('again')}?ids={row.pk}", is_post=True)] if may else []

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "again": self.again}

    def again(self, request: HttpRequest) -> HttpResponse:
        """Send one event again."""
        if not (request.user.has_perm(REPLAY) and self.has_view_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        rows = list(WebhookDelivery.objects.filter(pk__in=ids_from(request.GET.get("ids", ""))))
        self._replay(request, rows)
        return HttpResponseRedirect(self.url("change", rows[0].pk) if len(rows) == 1 else self.list_url(request))

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(REPLAY)

    @admin.action(description=gettext_lazy("Send the selected events again"), permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        self._replay(request, chosen(queryset))

    def _replay(self, request: HttpRequest, rows: list[WebhookDelivery]) -> None:
        over = [row for row in rows if row.status != DeliveryStatus.PENDING]
        number = webhooks.replay([row.pk for row in over])
        for row in over:
            self.log_change(request, row, _("Sent again."))
        self.message_user(request, told_again(number), messages.SUCCESS if number else messages.WARNING)


def told_again(number: int) -> str:
    told = ngettext("%d event is sent again.", "%d events are sent again.", number) % number
    return f"{told} {when_it_leaves()}" if number else told


def when_it_leaves() -> str:
    """Say when what is in the outbox leaves."""
    if tasks.has_workers():
        return _("A worker takes it now.")
    return _("It leaves when deliver_webhooks runs next.")


def moment(at: Any) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")

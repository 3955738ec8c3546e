"""Webhooks: the endpoints, their secrets, and what can be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin.base import Tool, ids_from
from gamification.admin.deliveries import REPLAY, moment, told_again, when_it_leaves
from gamification.admin.pages import PageAdmin
from gamification.admin.webhook_forms import EndpointForm, ReplayForm, RotateForm
from gamification.domain.webhooks import EVENT_TYPES
from gamification.exceptions import GamificationError
from gamification.models import WebhookDelivery, WebhookEndpoint
from gamification.models.webhooks import DeliveryStatus
from gamification.services import webhooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(PageAdmin[WebhookEndpoint]):
    """Who is told of what happens. A secret is shown once, on a page of its own."""

    form = EndpointForm
    list_display = ("url", "description", "events", "state", "last_success")
    ordering = ("pk",)
    sortable_by = ()
    readonly_fields = ("state", "secret_state", "created_at")
    fieldsets = (
        (None, {"fields": ("url", "description", "event_types", "is_active")}),
        (gettext_lazy("State and secret"), {"fields": ("state", "secret_state", "created_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        return self.fieldsets if obj is not None else self.fieldsets[:1]

    @admin.display(description=gettext_lazy("events"))
    def events(self, row: WebhookEndpoint) -> str:
        if len(row.event_types) == len(EVENT_TYPES):
            return _("all")
        return ", ".join(row.event_types)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: WebhookEndpoint) -> str:
        if row.off_reason:
            return _("switched off: {reason}").format(reason=row.get_off_reason_display())
        if not row.is_active:
            return _("off")
        if row.failing_since is not None:
            return _("failing since {at}").format(at=moment(row.failing_since))
        return _("on")

    @admin.display(description=gettext_lazy("last delivered"))
    def last_success(self, row: Any) -> Any:
        return row.last_success

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        delivered = WebhookDelivery.objects.filter(endpoint_id=OuterRef("pk"), status=DeliveryStatus.DELIVERED)
        newest = Subquery(delivered.order_by("-pk").values("delivered_at")[:1])
        return super().get_queryset(request).annotate(last_success=newest)

    @admin.display(description=gettext_lazy("secret"))
    def secret_state(self, row: WebhookEndpoint) -> str:
        shown = _("shown {at}").format(at=moment(row.secret_shown_at)) if row.secret_shown_at else _("not shown yet")
        if row.previous_until is not None and row.previous_until > timezone.now():
            return _("{state}; the one before signs until {at}").format(state=shown, at=moment(row.previous_until))
        return shown

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if not change:
            webhooks.begin(obj)
            super().save_model(request, obj, form, change)
            return
        if not WebhookEndpoint.objects.select_for_update().filter(pk=obj.pk).exists():
            raise Http404  # deleted since it was read
        # What else it holds was read before, and a new secret or a switch-off may have come meanwhile.
        obj.save(update_fields=form.changed_data)
        if obj.is_active and "is_active" in form.changed_data:
            number = webhooks.switch_on(obj)
            told = ngettext("%d event that waited is sent now.", "%d events that waited are sent now.", number)
            self.message_user(request, told % number, messages.INFO)

    def response_add(self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None) -> Any:
        """Go on to the endpoint's page, where its secret can be seen, if whoever added it may see it."""
        if not self.has_view_permission(request, obj):
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, _("The endpoint was added. Show its secret now, and keep it."), messages.SUCCESS)
        return HttpResponseRedirect(self.url("change", obj.pk))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the endpoints and not their deliveries, which go with them and may be millions."""
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    # What can be done with one

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        pages = {"secret": self.secret, "rotate": self.rotate, "test": self.test, "replay": self.replay}
        return {**super().pages(), **pages}

    def row_tools(self, request: HttpRequest, row: WebhookEndpoint) -> list[Tool]:
        tools = []
        if self.has_change_permission(request, row):
            show = [Tool(_("Show the secret"), self._page("secret", row), is_post=True)]
            tools += show if row.secret_shown_at is None else []
            tools += [
                Tool(_("New secret"), self._page("rotate", row)),
                Tool(_("Send a test"), self._page("test", row), is_post=True),
            ]
        if request.user.has_perm(REPLAY):
            tools.append(Tool(_("Send again"), self._page("replay", row)))
        return tools

    def _page(self, name: str, row: WebhookEndpoint) -> str:
        return f"{self.url(name)}?ids={row.pk}"

    def _row(self, request: HttpRequest, *, may: bool) -> WebhookEndpoint:
        if not may:
            raise PermissionDenied
        row = WebhookEndpoint.objects.filter(pk__in=ids_from(request.GET.get("ids", ""))[:1]).first()
        if row is None:
            raise Http404
        return row

    def secret(self, request: HttpRequest) -> HttpResponse:
        """Show the secret, once."""
        row = self._row(request, may=self.has_change_permission(request))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            secret = webhooks.reveal_secret(row)
        except GamificationError:
            self.message_user(request, _("This secret was shown before. Make a new one."), messages.ERROR)
            return HttpResponseRedirect(self.url("change", row.pk))
        self.log_change(request, row, _("The secret was shown."))
        context = {
            **self.admin_site.each_context(request),
            "title": _("The secret of an endpoint"),
            "opts": self.opts,
            "media": self.media,
            "endpoint": row,
            "secret": secret,
        }
        return TemplateResponse(request, "admin/gamification/webhook_secret.html", context)

    def rotate(self, request: HttpRequest) -> HttpResponse:
        """Make a new secret; for some hours the one before signs beside it."""
        row = self._row(request, may=self.has_change_permission(request))
        form = RotateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            webhooks.rotate_secret(row, overlap_hours=form.cleaned_data["overlap_hours"])
            self.log_change(request, row, _("A new secret was made."))
            self.message_user(request, _("There is a new secret. Show it now, and keep it."), messages.SUCCESS)
            return HttpResponseRedirect(self.url("change", row.pk))
        notes = [
            _("Until the old secret ends, each request is signed with both, so that nothing is refused meanwhile.")
        ]
        return self._form_page(request, row, form, title=_("New secret"), submit=_("Make a new secret"), notes=notes)

    def test(self, request: HttpRequest) -> HttpResponse:
        """Put a test event into the outbox."""
        row = self._row(request, may=self.has_change_permission(request))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if row.is_active:
            webhooks.send_test(row)
            self.log_change(request, row, _("A test event was sent."))
            self.message_user(
                request, _("A test event is on its way. {when}").format(when=when_it_leaves()), messages.SUCCESS
            )
        else:
            self.message_user(request, _("The endpoint is off. Switch it on first."), messages.ERROR)
        return HttpResponseRedirect(self.url("change", row.pk))

    def replay(self, request: HttpRequest) -> HttpResponse:
        """Send everything again that happened since some moment."""
        row = self._row(request, may=request.user.has_perm(REPLAY) and self.has_view_permission(request))
        form = ReplayForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            number = webhooks.replay_since(
                row, form.cleaned_data["since"], only_failed=form.cleaned_data["only_failed"]
            )
            self.log_change(request, row, _("Sent again: %(number)d events.") % {"number": number})
            self.message_user(request, told_again(number), messages.SUCCESS if number else messages.WARNING)
            return HttpResponseRedirect(self.url("change", row.pk))
        notes = [_("Each event keeps its webhook-id, by which the receiver knows what it had already.")]
        return self._form_page(request, row, form, title=_("Send again"), submit=_("Send again"), notes=notes)

    def _form_page(self, request: HttpRequest, row: WebhookEndpoint, form: Any, **context: Any) -> HttpResponse:
        columns, rows = [_("Endpoint"), _("State")], [[row.url, self.state(row)]]
        return self.form_page(request, form, columns=columns, rows=rows, back_url=self.url("change", row.pk), **context)

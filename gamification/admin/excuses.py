"""Dates that were excused for everybody: excusing one after an outage, and taking that back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin import diary_words
from gamification.admin.base import ReadOnlyAdmin, Tool, ids_from
from gamification.admin.forms import ExcuseForm
from gamification.admin.pages import ReasonedAdmin
from gamification.admin.people import actor, name_of
from gamification.exceptions import GamificationError
from gamification.models import ExcusedDate
from gamification.services import excuses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from django.db.models import QuerySet

EXCUSE = "gamification.excuse_date"


@admin.register(ExcusedDate)
class ExcusedDateAdmin(ReasonedAdmin[ExcusedDate], ReadOnlyAdmin[ExcusedDate]):
    """Dates that nobody can miss, those that are no longer so, and how far people's streaks have followed."""

    list_display = ("date", "reason", "by", "state", "progress")
    list_select_related = ("excused_by", "undone_by")
    ordering = ("-date",)
    actions = ("undo",)
    readonly_fields = ("state", "progress")
    verb = "undo"
    permission = EXCUSE
    title = gettext_lazy("Take excused dates back")
    submit = gettext_lazy("Take back")
    columns = (gettext_lazy("Date"), gettext_lazy("Reason"), gettext_lazy("Excused by"))

    @admin.display(description=gettext_lazy("excused by"))
    def by(self, row: ExcusedDate) -> str:
        return name_of(row.excused_by)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: ExcusedDate) -> str:
        if row.is_in_force:
            return _("excused")
        by = name_of(row.undone_by)
        text = _("taken back by {name}: {reason}") if by else _("taken back: {reason}")
        return text.format(name=by, reason=row.undo_reason)

    @admin.display(description=gettext_lazy("streaks"))
    def progress(self, row: ExcusedDate) -> str:
        """Return how many people were looked at and changed, and whether that is all of them."""
        if row.refold_asked_at is None:
            return ""
        facts = {
            "seen": diary_words.number(row.people_seen),
            "changed": diary_words.number(row.people_changed),
        }
        if row.refolded_at is None:
            return _("under way; people looked at: {seen}, changed: {changed}").format(**facts)
        at = date_format(timezone.localtime(row.refolded_at), "DATETIME_FORMAT")
        return _("finished {at}; people looked at: {seen}, changed: {changed}").format(at=at, **facts)

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "excuse": self.excuse, "resume": self.resume}

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        return [Tool(_("Excuse a date"), self.url("excuse"))] if self.may_perform(request) else []

    def row_tools(self, request: HttpRequest, row: ExcusedDate) -> list[Tool]:
        if not self.may_perform(request):
            return []
        undo = [Tool(_("Take back"), self.reasoned_url([row]))] if row.is_in_force else []
        is_open = row.refold_asked_at is not None and row.refolded_at is None
        return [*undo, *([Tool(_("Go on"), f"{self.url('resume')}?ids={row.pk}", is_post=True)] if is_open else [])]

    def excuse(self, request: HttpRequest) -> HttpResponse:
        """Excuse a date, once whoever asks has seen how many people that concerns."""
        if not self.may_perform(request):
            raise PermissionDenied
        form = ExcuseForm(request.POST or None)
        context: dict[str, Any] = {"title": _("Excuse a date"), "submit": _("Preview")}
        if request.method == "POST" and form.is_valid():
            on, reason = form.cleaned_data["date"], form.cleaned_data["reason"]
            try:
                if request.POST.get("confirmed") == on.isoformat():
                    self._excuse(request, on, reason)
                    return HttpResponseRedirect(self.back_url(request))
                excuses.check(on)
                context |= {"submit": _("Excuse this date"), "confirmed": on.isoformat(), "notes": _preview(on)}
            except GamificationError as error:
                form.refuse(error)
        return self.form_page(request, form, **context)

    def _excuse(self, request: HttpRequest, on: date, reason: str) -> None:
        with transaction.atomic():
            row = excuses.excuse_date(on, reason=reason, actor=actor(request))
            self.log_addition(request, row, _("Excused: {reason}").format(reason=reason))
        told = _("{date} is excused. Stored streaks follow in the background.")
        self.message_user(request, told.format(date=date_format(on)), messages.SUCCESS)

    def resume(self, request: HttpRequest) -> HttpResponse:
        """Go on with letting streaks follow, where a worker was cut off."""
        if not self.may_perform(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        for row in ExcusedDate.objects.filter(pk__in=ids_from(request.GET.get("ids", ""))):
            excuses.resume(row)
            self.log_change(request, row, _("Started again."))
        return HttpResponseRedirect(self.list_url(request))

    # Taking back

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return self.may_perform(request)

    @admin.action(description=gettext_lazy("Take the selected dates back"), permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: QuerySet[ExcusedDate]) -> HttpResponse:
        return self.ask_for_reason(request, queryset)

    def perform(self, request: HttpRequest, row: ExcusedDate, reason: str) -> None:
        excuses.unexcuse_date(row.date, reason=reason, actor=actor(request))
        self.log_change(request, row, _("Taken back: {reason}").format(reason=reason))

    def done(self, number: int) -> str:
        return ngettext("%d date was taken back.", "%d dates were taken back.", number) % number

    def cells(self, row: ExcusedDate) -> Sequence[object]:
        return row.date, row.reason, name_of(row.excused_by)


def _preview(on: date) -> list[str]:
    """Return, in sentences, how many people a date concerns and what follows."""
    found = excuses.preview(on)
    facts = {
        "missed": diary_words.number(found.missed),
        "seen": diary_words.number(found.seen),
        "date": date_format(on),
    }
    if found.is_capped:
        told = _("More than {seen} people had a streak then or since. Of these, {missed} did nothing on {date}.")
    else:
        told = _("People who had a streak then or since: {seen}. Of them, {missed} did nothing on {date}.")
    return [
        told.format(**facts),
        _("Streaks that broke over the date are joined, and freezes used for it are given back. It can be taken back."),
    ]

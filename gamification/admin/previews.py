"""Before a rule comes into force: for whom it would unlock at once, and whether to unlock it for them now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin import editor
from gamification.admin.base import Tool, chosen, ids_from
from gamification.admin.forms import REOPEN
from gamification.admin.pages import PageAdmin
from gamification.admin.people import actor, name_of
from gamification.exceptions import GamificationError
from gamification.models import Achievement
from gamification.services import backfills

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gamification.services.backfills import Preview

BACKFILL = "gamification.run_backfill"
#: What the buttons of the page are called in what they send.
SEEN, UNLOCK = "_seen", "_unlock"
#: Not of the form, but of the page before.
OWN_FIELDS = {"csrfmiddlewaretoken", SEEN, UNLOCK, REOPEN}


@dataclass(frozen=True, slots=True)
class Previewed:
    """A definition with its rule in words, and for whom it would unlock; ``people`` are a few of them by name."""

    definition: Achievement
    words: str
    preview: Preview
    people: tuple[tuple[str, str], ...]


class PreviewedAdmin(PageAdmin[Achievement]):
    """Shows for whom a rule would unlock before it is saved as one in force, and begins back-fills."""

    # Before saving

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method == "POST" and not request.POST.keys() & {SEEN, UNLOCK, REOPEN}:
            new = self._coming_into_force(request, object_id)
            previewed = self._previewed(new) if new is not None else None
            if previewed is not None and previewed.preview.people:
                return self._preview_page(request, [previewed], title=_("Before it is saved"))
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _coming_into_force(self, request: HttpRequest, object_id: str | None) -> Achievement | None:
        """Return the definition that the request would save, if its rule is new to those who are active by then."""
        row = self.get_object(request, object_id) if object_id else None
        if row is None and (object_id or not self.has_add_permission(request)):
            return None
        if row is not None and not self.has_change_permission(request, row):
            return None
        form = self.get_form(request, row, change=row is not None)(request.POST, request.FILES, instance=row)
        if not form.is_valid() or not form.instance.is_active:
            return None
        return form.instance if row is None or {"is_active", "conditions"} & set(form.changed_data) else None

    def response_add(self, request: HttpRequest, obj: Achievement, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._begun(request, obj) or super().response_add(request, obj, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Achievement, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._begun(request, obj) or super().response_change(request, obj, *args, **kwargs)

    def _begun(self, request: HttpRequest, obj: Achievement) -> HttpResponse | None:
        """Begin the back-fill that was asked for together with saving."""
        if UNLOCK not in request.POST:
            return None
        return self._begin(request, [obj])

    # Activating

    @admin.action(description=gettext_lazy("Activate the selected achievements"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: models.QuerySet[Achievement]) -> HttpResponse | None:
        rows = chosen(queryset.exclude(is_active=True))
        if any(told.preview.people for told in map(self._previewed, rows) if told is not None):
            ids = ",".join(str(row.pk) for row in rows)
            return HttpResponseRedirect(f"{self.url('activation')}?ids={ids}")
        self._tell_activated(request, self._set_active(request, rows, is_active=True))
        return None

    @admin.action(description=gettext_lazy("Retire the selected achievements"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: models.QuerySet[Achievement]) -> None:
        rows = self._set_active(request, chosen(queryset.exclude(is_active=False)), is_active=False)
        told = ngettext("%d achievement was retired.", "%d achievements were retired.", len(rows))
        self.message_user(request, told % len(rows), messages.SUCCESS)

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "activation": self.activation, "backfill": self.backfill}

    def row_tools(self, request: HttpRequest, row: Achievement) -> list[Tool]:
        tools = super().row_tools(request, row)
        if not request.user.has_perm(BACKFILL):
            return tools
        runs = reverse(f"{self.admin_site.name}:gamification_backfillrun_changelist")
        tools.append(Tool(_("Back-fills"), f"{runs}?achievement={row.achievement_id}"))
        if row.is_active:
            tools.append(Tool(_("Unlock for those who meet it"), f"{self.url('backfill')}?ids={row.pk}"))
        return tools

    def activation(self, request: HttpRequest) -> HttpResponse:
        """Show for whom the chosen definitions would unlock, and activate them."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        rows = self._rows(request, is_active=False)
        if request.method == "POST" and rows:
            return self._together(request, rows, activates=True, begins=UNLOCK in request.POST)
        return self._asked(request, rows, title=_("Before they are active"))

    def backfill(self, request: HttpRequest) -> HttpResponse:
        """Show for whom an active definition would unlock, and begin to."""
        if not request.user.has_perm(BACKFILL):
            raise PermissionDenied
        rows = self._rows(request, is_active=True)
        if request.method == "POST" and rows:
            return self._together(request, rows, begins=True)
        return self._asked(request, rows, title=_("Unlock for those who meet it"), is_active=True)

    def _together(
        self, request: HttpRequest, rows: Sequence[Achievement], *, activates: bool = False, begins: bool
    ) -> HttpResponse:
        """Activate ``rows`` and begin their back-fills, as asked: all of it or nothing."""
        try:
            with transaction.atomic():
                changed = self._set_active(request, rows, is_active=True) if activates else []
                begun = self._begin(request, rows) if begins else None
        except GamificationError as error:
            return self.refuse(request, error, self.list_url(request))
        if activates:
            self._tell_activated(request, changed)
        return begun or HttpResponseRedirect(self.list_url(request))

    def _rows(self, request: HttpRequest, *, is_active: bool) -> list[Achievement]:
        ids = ids_from(request.GET.get("ids", ""))
        return list(self.get_queryset(request).filter(pk__in=ids, is_active=is_active))

    def _asked(self, request: HttpRequest, rows: list[Achievement], **context: Any) -> HttpResponse:
        if not rows:
            self.message_user(request, _("Nothing was chosen."), messages.WARNING)
            return HttpResponseRedirect(self.list_url(request))
        previewed = [told for told in map(self._previewed, rows) if told is not None]
        return self._preview_page(request, previewed, is_page=True, **context)

    def _tell_activated(self, request: HttpRequest, rows: Sequence[Achievement]) -> None:
        told = ngettext("%d achievement was activated.", "%d achievements were activated.", len(rows))
        self.message_user(request, told % len(rows), messages.SUCCESS)

    def _set_active(self, request: HttpRequest, rows: Sequence[Achievement], *, is_active: bool) -> list[Achievement]:
        changed = []
        for row in rows:
            row.is_active = is_active
            try:
                row.save(update_fields=["is_active"])
            except ValidationError as error:
                row.is_active = not is_active
                self.message_user(request, f"{row}: {' '.join(error.messages)}", messages.ERROR)
                continue
            self.log_change(request, row, _("Activated.") if is_active else _("Retired."))
            changed.append(row)
        return changed

    # What both show and do

    def _previewed(self, definition: Achievement) -> Previewed | None:
        """Return what there is to show of a definition; None where its condition cannot be evaluated."""
        checked = editor.check(definition.conditions)
        if not checked.sentence:
            return None
        preview = backfills.preview(definition)
        support = f"{self.admin_site.name}:gamification_userxp_change"
        people = tuple((name_of(user), reverse(support, args=[user.pk])) for user in preview.sample)
        return Previewed(definition, checked.sentence, preview, people)

    def _preview_page(self, request: HttpRequest, previewed: list[Previewed], **context: Any) -> TemplateResponse:
        # Of a definition that is not stored there can be no run.
        busy = [told.definition for told in previewed if backfills.unfinished(told.definition.achievement_id)]
        posted = [(name, value) for name, values in request.POST.lists() for value in values if name not in OWN_FIELDS]
        everything = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "previewed": previewed,
            "people_in_all": sum(told.preview.people for told in previewed),
            "busy": busy,
            "may_unlock": request.user.has_perm(BACKFILL) and not busy,
            "may_see_people": request.user.has_perm("gamification.view_userxp"),
            "posted": posted,
            "back_url": self.list_url(request),
            "has_view_permission": self.has_view_permission(request),
            **context,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/gamification/achievement/preview.html", everything)

    def _begin(self, request: HttpRequest, rows: Sequence[Achievement]) -> HttpResponse:
        """Begin a back-fill of each of ``rows`` and go to where it is shown."""
        if not request.user.has_perm(BACKFILL):
            raise PermissionDenied
        runs = []
        for row in (each for each in rows if each.is_active):
            run = backfills.start(row.achievement_id, actor=actor(request))
            self.log_change(request, row, _("Back-fill %(number)d was begun.") % {"number": run.pk})
            runs.append(run)
        shown = f"{self.admin_site.name}:gamification_backfillrun_"
        if len(runs) == 1:
            return HttpResponseRedirect(reverse(f"{shown}change", args=[runs[0].pk]))
        return HttpResponseRedirect(reverse(f"{shown}changelist"))

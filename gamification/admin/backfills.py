"""Back-fills: who began which when, how far each is, and undoing one as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification import tasks
from gamification.admin import editor
from gamification.admin.base import ReadOnlyAdmin, Tool, ids_from
from gamification.admin.pages import PageAdmin
from gamification.admin.people import actor, name_of
from gamification.admin.previews import BACKFILL
from gamification.admin.unlocks import DefinitionFilter
from gamification.exceptions import GamificationError
from gamification.models import Achievement, BackfillRun
from gamification.models.backfills import RunStatus
from gamification.services import backfills

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE_SHOWN = 100


@admin.register(BackfillRun)
class BackfillRunAdmin(PageAdmin[BackfillRun], ReadOnlyAdmin[BackfillRun]):
    """Runs, newest first. An open one goes on in the background, or while its page is open."""

    list_display = ("started_at", "achievement", "by", "status", "unlocked_shown", "xp_shown", "undone_at", "undoer")
    list_display_links = ("started_at", "achievement")
    list_filter = (DefinitionFilter, "status")
    list_select_related = ("achievement", "started_by", "undone_by")
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = ("in_words", "by", "undoer", "unlocked_shown", "xp_shown", "undone_shown", "passed_over")
    change_form_template = "admin/gamification/backfill.html"
    fieldsets = (
        (None, {"fields": ("achievement", "in_words", "xp_reward")}),
        (
            gettext_lazy("Run"),
            {"fields": ("status", "expected", "unlocked_shown", "xp_shown", "by", "started_at", "finished_at")},
        ),
        (gettext_lazy("Undoing"), {"fields": ("undone_shown", "undoer", "undone_at", "passed_over")}),
    )

    @admin.display(description=gettext_lazy("begun by"))
    def by(self, row: BackfillRun) -> str:
        return name_of(row.started_by)

    @admin.display(description=gettext_lazy("undone by"))
    def undoer(self, row: BackfillRun) -> str:
        return name_of(row.undone_by)

    @admin.display(description=gettext_lazy("unlocked for"))
    def unlocked_shown(self, row: BackfillRun) -> str:
        return number_format(row.unlocked, force_grouping=True)

    @admin.display(description=gettext_lazy("XP paid"))
    def xp_shown(self, row: BackfillRun) -> str:
        return number_format(row.xp, force_grouping=True)

    @admin.display(description=gettext_lazy("undone for"))
    def undone_shown(self, row: BackfillRun) -> str:
        return number_format(row.undone_for, force_grouping=True)

    @admin.display(description=gettext_lazy("by the rule"))
    def in_words(self, row: BackfillRun) -> str:
        checked = editor.check(row.conditions)
        return checked.sentence or checked.rule

    @admin.display(description=gettext_lazy("passed over, because their total would fall below 0"))
    def passed_over(self, row: BackfillRun) -> str:
        people = backfills.passed_over(row)
        if not people:
            return _("nobody")
        support = f"{self.admin_site.name}:gamification_userxp_change"
        shown = ((reverse(support, args=[user.pk]), name_of(user)) for user in people[:PEOPLE_SHOWN])
        listed = format_html_join(", ", '<a href="{}">{}</a>', shown)
        if len(people) > PEOPLE_SHOWN:
            return format_html("{} {}", listed, _("and %(number)d more") % {"number": len(people) - PEOPLE_SHOWN})
        return listed

    def get_fieldsets(self, request: HttpRequest, obj: BackfillRun | None = None) -> Any:
        is_undone = obj is not None and obj.status in {RunStatus.UNDOING, RunStatus.UNDONE}
        return self.fieldsets if is_undone else self.fieldsets[:2]

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "go_on": self.go_on, "undo": self.undo}

    def row_tools(self, request: HttpRequest, row: BackfillRun) -> list[Tool]:
        is_done = row.status in {RunStatus.UNDOING, RunStatus.UNDONE}
        if is_done or not request.user.has_perm(BACKFILL):
            return []
        return [Tool(_("Undo"), f"{self.url('undo')}?ids={row.pk}")]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        run: BackfillRun = context["original"]
        is_undoing = run.status == RunStatus.UNDOING
        context["done"], context["total"] = (
            (run.undone_for, run.unlocked) if is_undoing else (run.unlocked, max(run.expected, run.unlocked))
        )
        context["go_on_url"] = f"{self.url('go_on')}?ids={run.pk}" if request.user.has_perm(BACKFILL) else ""
        context["has_workers"] = tasks.has_workers()
        return super().render_change_form(request, context, *args, **kwargs)

    # Going on

    def go_on(self, request: HttpRequest) -> HttpResponse:
        """Work on an open run for a moment; its page asks again until it has ended."""
        run = self._run(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        backfills.go_on(run, seconds=tasks.SECONDS_AT_ONCE)
        return HttpResponseRedirect(self.url("change", run.pk))

    def _run(self, request: HttpRequest) -> BackfillRun:
        if not request.user.has_perm(BACKFILL):
            raise PermissionDenied
        ids = ids_from(request.GET.get("ids", ""))
        run = BackfillRun.objects.filter(pk__in=ids[:1]).select_related("achievement").first()
        if run is None:
            raise Http404
        return run

    # Undoing

    def undo(self, request: HttpRequest) -> HttpResponse:
        """Ask, and take back all that a run has unlocked; a rule that is still in force is retired with it."""
        run = self._run(request)
        is_in_force = backfills.is_in_force(run)
        may_retire = request.user.has_perm("gamification.change_achievement")
        if request.method == "POST" and (may_retire or not is_in_force):
            try:
                self._undo(request, run, retires=is_in_force)
            except GamificationError as error:
                self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(self.url("change", run.pk))
        if is_in_force and not may_retire:
            self.message_user(
                request, _("The rule is still in force: it has to be changed or retired before."), "ERROR"
            )
            return HttpResponseRedirect(self.url("change", run.pk))
        columns = (_("Achievement"), _("Begun"), _("Unlocked for"), _("XP paid"))
        rows = [(run.achievement, run.started_at, self.unlocked_shown(run), self.xp_shown(run))]
        notes = [_("Nobody is told. What people have earned since on their own stays.")]
        if is_in_force:
            notes.insert(0, _("The rule is still in force, and everybody would unlock it again: so it is retired too."))
        submit = _("Retire the achievement and undo") if is_in_force else _("Undo")
        return self.form_page(
            request, forms.Form(), title=_("Undo a back-fill"), submit=submit, columns=columns, rows=rows, notes=notes
        )

    def _undo(self, request: HttpRequest, run: BackfillRun, *, retires: bool) -> None:
        definitions = self.admin_site.get_model_admin(Achievement)
        with transaction.atomic():
            if retires:
                run.achievement.is_active = False
                run.achievement.save(update_fields=["is_active"])
                definitions.log_change(request, run.achievement, _("Retired."))
            backfills.undo(run, actor=actor(request))
            told = _("Back-fill %(number)d was undone.") % {"number": run.pk}
            definitions.log_change(request, run.achievement, told)
            self.log_change(request, run, told)

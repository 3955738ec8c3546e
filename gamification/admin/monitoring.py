"""The monitoring page: what happens on the site, date by date, as plots with their numbers, from the rollup alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from gamification.admin import charts
from gamification.admin.base import ReadOnlyAdmin
from gamification.admin.pages import PageAdmin
from gamification.models import DailyFigure
from gamification.services import figures

if TYPE_CHECKING:
    from collections.abc import Callable

RANGES = (7, 30, 90)
RANGE = 30


@admin.register(DailyFigure)
class MonitoringAdmin(PageAdmin[DailyFigure], ReadOnlyAdmin[DailyFigure]):
    """One page in the place of a list: the rows are nothing to look at one by one."""

    class Media:
        css = {"all": ("gamification/css/plots.css",)}

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {"refresh": self.refresh}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("days", str(RANGE))
        is_known = asked in map(str, RANGES)
        if not is_known:
            ranges = ", ".join(map(str, RANGES))
            said = _("days must be one of {ranges}; these are the last {days}.").format(ranges=ranges, days=RANGE)
            self.message_user(request, said, messages.ERROR)
        found = figures.read(int(asked) if is_known else RANGE)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": capfirst(self.opts.verbose_name_plural),
            "figures": found,
            "ranges": [(days, days == len(found.days)) for days in RANGES],
            "keys": charts.keys(found),
            "sections": charts.sections(found),
            "may_open": request.user.has_perm("gamification.view_achievement"),
            "unlocks": charts.unlocks(found),
            "refresh_url": f"{self.url('refresh')}?days={len(found.days)}",
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        status = 200 if is_known else 400
        return TemplateResponse(request, "admin/gamification/monitoring.html", context, status=status)

    def refresh(self, request: HttpRequest) -> HttpResponse:
        """Have what is due computed, and go back to the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        figures.refresh_soon()
        asked = request.GET.get("days", "")
        range_asked = f"?days={asked}" if asked in map(str, RANGES) else ""
        if figures.read(1).is_stale:
            self.message_user(request, _("The figures are being computed. Load the page again in a minute."))
        else:
            self.message_user(request, _("The figures are up to date."), messages.SUCCESS)
        return HttpResponseRedirect(f"{self.list_url(request)}{range_asked}")

"""Snapshots of leaderboards: how old they are, and building them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin.base import ReadOnlyAdmin, Tool, chosen
from gamification.admin.pages import PageAdmin
from gamification.exceptions import GamificationError
from gamification.models import LeaderboardCache
from gamification.services import leaderboards

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

REFRESH = "gamification.change_leaderboardcache"


@admin.register(LeaderboardCache)
class LeaderboardCacheAdmin(PageAdmin[LeaderboardCache], ReadOnlyAdmin[LeaderboardCache]):
    """Snapshots, without their content. Building one again is no change of anybody's score."""

    list_display = ("metric", "board", "cached_at", "expires_at", "stale_at")
    search_fields = ("metric__startswith",)
    search_help_text = gettext_lazy("The beginning of a board's name.")
    ordering = ("metric",)
    exclude = ("data",)
    actions = ("refresh",)

    @admin.display(description=gettext_lazy("board"))
    def board(self, row: LeaderboardCache) -> str:
        metric, _at, scope = row.metric.partition("@")
        return f"{leaderboards.label(metric)} @ {scope}" if scope else leaderboards.label(metric)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LeaderboardCache]:
        """Leave out the content, and the notes that a backend keeps beside the snapshots."""
        return super().get_queryset(request).exclude(metric__startswith="~").defer("data")

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {"refresh_all": self.refresh_all}

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        if not self.has_refresh_permission(request):
            return []
        return [Tool(_("Refresh all boards"), self.url("refresh_all"), is_post=True)]

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(REFRESH)

    def refresh_all(self, request: HttpRequest) -> HttpResponse:
        """Build the snapshot of every board for everybody."""
        if not self.has_refresh_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        number = leaderboards.refresh()
        for row in LeaderboardCache.objects.filter(metric__in=leaderboards.metrics()).defer("data"):
            self.log_change(request, row, _("Refreshed."))
        self._say(request, number)
        return HttpResponseRedirect(self.list_url(request))

    @admin.action(description=gettext_lazy("Refresh the selected boards"), permissions=["refresh"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[LeaderboardCache]) -> None:
        number = 0
        for row in chosen(queryset):
            metric, _at, scope = row.metric.partition("@")
            try:
                number += leaderboards.refresh(metric, scope=scope or None)
            except GamificationError as error:
                self.message_user(request, f"{row}: {error.message or error.code}", messages.ERROR)
            else:
                self.log_change(request, row, _("Refreshed."))
        self._say(request, number)

    def _say(self, request: HttpRequest, number: int) -> None:
        told = ngettext("%d board was refreshed.", "%d boards were refreshed.", number) % number
        self.message_user(request, told, messages.SUCCESS if number else messages.WARNING)

"""Who has which achievement: a list to read, to grant and to revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin.base import ReadOnlyAdmin, Tool
from gamification.admin.forms import GrantForm
from gamification.admin.pages import PeopleAdmin, ReasonedAdmin
from gamification.admin.people import PersonColumn, actor, name_of
from gamification.admin.pickers import GRANT, pick_achievement, pick_user
from gamification.models import Achievement, UserAchievement
from gamification.services import achievements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.db.models import QuerySet

DEFINITIONS_LISTED = 100


class DefinitionFilter(admin.SimpleListFilter):
    """Which achievement; the first hundred, and any other through the list of achievements."""

    title = gettext_lazy("achievement")
    parameter_name = "achievement"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Achievement.objects.order_by("order", "pk").values_list("achievement_id", "name")
        return list(rows[:DEFINITIONS_LISTED])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(achievement_id=self.value()) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    """On the way, unlocked, or taken back."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("progress", _("on the way")), ("unlocked", _("unlocked")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        states = {
            "progress": {"unlocked_at__isnull": True},
            "unlocked": {"unlocked_at__isnull": False, "revoked_at__isnull": True},
            "revoked": {"revoked_at__isnull": False},
        }
        return queryset.filter(**states.get(self.value() or "", {}))


@admin.register(UserAchievement)
class UserAchievementAdmin(
    PersonColumn, PeopleAdmin[UserAchievement], ReasonedAdmin[UserAchievement], ReadOnlyAdmin[UserAchievement]
):
    """What users are on the way to, have, or had."""

    is_large = True
    indexed_filters = ("user", "achievement")
    list_display = ("person", "achievement", "state", "percent", "unlocked_at", "revoked_at")
    list_filter = (StateFilter, DefinitionFilter)
    list_select_related = ("user",)
    sortable_by = ()
    search_help_text = gettext_lazy("The name a user signs in with, its beginning, or a user's id.")
    actions = ("revoke",)
    verb = "revoke"
    permission = GRANT
    title = gettext_lazy("Revoke achievements")
    submit = gettext_lazy("Revoke")
    columns = (gettext_lazy("User"), gettext_lazy("Achievement"), gettext_lazy("Unlocked at"))

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: UserAchievement) -> str:
        if row.revoked_at is not None:
            return _("revoked")
        return _("unlocked") if row.unlocked_at is not None else _("on the way")

    @admin.display(description=gettext_lazy("progress"))
    def percent(self, row: UserAchievement) -> str:
        return f"{row.progress} %"

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserAchievement]:
        """Read the definitions apart: joined, SQLite would begin with them and sort all that anybody has."""
        return super().get_queryset(request).prefetch_related("achievement")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the newest first, as far as an index can say."""
        is_of_one = request.GET.get("achievement") and request.GET.get("state") == "unlocked"
        return ("-unlocked_at", "-pk") if is_of_one else ("-pk",)

    def is_served_by_index(self, asked: Mapping[str, Any]) -> bool:
        """Tell so of a user, and of those who have an achievement; others have to be looked for."""
        return "user" in asked or ("achievement" in asked and asked.get("state") == ["unlocked"])

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        own = {"grant": self.grant, "pick_user": pick_user, "pick_achievement": pick_achievement}
        return {**super().pages(), **own}

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        return [Tool(_("Grant an achievement"), self.url("grant"))] if request.user.has_perm(GRANT) else []

    def row_tools(self, request: HttpRequest, row: UserAchievement) -> list[Tool]:
        if not row.is_unlocked or not self.may_perform(request):
            return []
        return [Tool(_("Revoke"), self.reasoned_url([row]))]

    def grant(self, request: HttpRequest) -> HttpResponse:
        """Give somebody an achievement, with its XP, and the reason."""
        if not request.user.has_perm(GRANT):
            raise PermissionDenied
        return self.people_page(request, GrantForm, self._grant, title=_("Grant an achievement"), submit=_("Grant"))

    def _grant(self, request: HttpRequest, user: Any, *, achievement: Achievement, reason: str) -> None:
        names = {"user": name_of(user), "achievement": achievement}
        if achievements.unlock(user, achievement.achievement_id, actor=actor(request), reason=reason):
            row = UserAchievement.objects.get(user=user, achievement=achievement)
            self.log_change(request, row, _("Granted: {reason}").format(reason=reason))
            self.message_user(request, _("{user} now has “{achievement}”.").format(**names), messages.SUCCESS)
        else:
            self.message_user(request, _("{user} had “{achievement}” already.").format(**names), messages.WARNING)

    # Revoking

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.may_perform(request)

    @admin.action(description=gettext_lazy("Revoke the selected achievements"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[UserAchievement]) -> HttpResponse:
        return self.ask_for_reason(request, queryset)

    def perform(self, request: HttpRequest, row: UserAchievement, reason: str) -> None:
        achievements.revoke(row.user, row.achievement_id, actor=actor(request), reason=reason)
        self.log_change(request, row, _("Revoked: {reason}").format(reason=reason))

    def done(self, number: int) -> str:
        return ngettext("%d achievement was revoked.", "%d achievements were revoked.", number) % number

    def cells(self, row: UserAchievement) -> Sequence[object]:
        return name_of(row.user), row.achievement, row.unlocked_at

"""The ledger, to read, to award and to reverse; and what it adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin.base import ReadOnlyAdmin, Tool, chosen
from gamification.admin.exports import ExportAdmin
from gamification.admin.forms import AwardForm
from gamification.admin.pages import PeopleAdmin, ReasonedAdmin
from gamification.admin.people import PersonColumn, actor, name_of
from gamification.admin.pickers import AWARD, GRANT
from gamification.admin.support import SupportAdmin
from gamification.conf import get_settings
from gamification.engine.texts import translated
from gamification.models import UserXP, XPTransaction
from gamification.models.xp import Source
from gamification.services import xp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet


@admin.register(XPTransaction)
class XPTransactionAdmin(
    PersonColumn,
    ExportAdmin[XPTransaction],
    PeopleAdmin[XPTransaction],
    ReasonedAdmin[XPTransaction],
    ReadOnlyAdmin[XPTransaction],
):
    """Every change of somebody's XP. Rows are never changed: a correction is a row of its own."""

    is_large = True
    exact_field = "key"
    list_display = ("created_at", "person", "amount", "why", "source", "by", "reference_id", "earned_on", "key")
    list_filter = ("source", "created_at")
    list_select_related = ("user", "actor")
    ordering = ("-pk",)
    sortable_by = ()
    search_help_text = gettext_lazy("A user's name or id, a whole key, or both with a space between.")
    actions = ("reverse",)
    readonly_fields = ("reversal",)
    exported = (
        "created_at",
        "user_id",
        "user__username",
        "xp_amount",
        "reason",
        "source",
        "actor_id",
        "actor__username",
        "reference_id",
        "earned_on",
        "key",
        "reverses_id",
    )
    verb = "reverse"
    permission = "gamification.reverse_xp"
    title = gettext_lazy("Reverse XP")
    submit = gettext_lazy("Reverse")
    columns = (gettext_lazy("Booked at"), gettext_lazy("User"), gettext_lazy("XP"), gettext_lazy("Reason"))

    @admin.display(description=gettext_lazy("XP"))
    def amount(self, row: XPTransaction) -> str:
        return f"{row.xp_amount:+,}"

    @admin.display(description=gettext_lazy("reason"))
    def why(self, row: XPTransaction) -> str:
        return row.stated_reason

    @admin.display(description=gettext_lazy("by"))
    def by(self, row: XPTransaction) -> str:
        return name_of(row.actor)

    @admin.display(description=gettext_lazy("reversed by"))
    def reversal(self, row: XPTransaction) -> XPTransaction | None:
        return XPTransaction.objects.filter(reverses=row).first()

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "award": self.award}

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        own = [Tool(_("Award XP"), self.url("award"))] if request.user.has_perm(AWARD) else []
        return [*own, *super().list_tools(request)]

    def row_tools(self, request: HttpRequest, row: XPTransaction) -> list[Tool]:
        is_open = row.source not in {Source.REVERSAL, Source.ACHIEVEMENT} and self.reversal(row) is None
        return [Tool(_("Reverse"), self.reasoned_url([row]))] if is_open and self.may_perform(request) else []

    # Awarding

    def award(self, request: HttpRequest) -> HttpResponse:
        """Book XP for somebody, once for each form that was shown."""
        if not request.user.has_perm(AWARD):
            raise PermissionDenied
        return self.people_page(request, AwardForm, self._award, title=_("Award XP"), submit=_("Award"))

    def _award(self, request: HttpRequest, user: Any, *, amount: int, **details: Any) -> None:
        told = xp.award(user, amount, actor=actor(request), **details)
        if not told.is_replay:
            self.log_addition(request, told.transaction, _("Awarded: {reason}").format(reason=details["reason"]))
        facts = {"amount": f"{amount:+,}", "user": name_of(user), "total": f"{told.level.total_xp:,}"}
        if told.is_replay:
            said = _("This form was sent before: {amount} XP were booked for {user} once.")
            self.message_user(request, said.format(**facts), messages.WARNING)
        else:
            said = _("{amount} XP were booked for {user}, who now has {total}.")
            self.message_user(request, said.format(**facts), messages.SUCCESS)

    # Reversing

    def has_reverse_permission(self, request: HttpRequest) -> bool:
        return self.may_perform(request)

    @admin.action(description=gettext_lazy("Reverse the selected transactions"), permissions=["reverse"])
    def reverse(self, request: HttpRequest, queryset: QuerySet[XPTransaction]) -> HttpResponse:
        return self.ask_for_reason(request, queryset)

    def perform(self, request: HttpRequest, row: XPTransaction, reason: str) -> None:
        told = xp.reverse(row, reason=reason, actor=actor(request))
        if not told.is_replay:
            self.log_addition(request, told.transaction, _("Reversal: {reason}").format(reason=reason))
            self.log_change(request, row, _("Reversed: {reason}").format(reason=reason))

    def done(self, number: int) -> str:
        return ngettext("%d transaction was reversed.", "%d transactions were reversed.", number) % number

    def cells(self, row: XPTransaction) -> Sequence[object]:
        return row.created_at, name_of(row.user), f"{row.xp_amount:+,}", row.stated_reason


class TitleFilter(admin.SimpleListFilter):
    """People by title: a range of totals, which the board's index knows."""

    title = gettext_lazy("title")
    parameter_name = "title"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(first), translated(title)) for first, title in get_settings().levels.titles]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        table = get_settings().levels
        firsts = [first for first, _title in table.titles if first <= table.max_level]
        if self.value() not in {str(first) for first in firsts}:
            return queryset
        first = int(self.value() or 0)
        above = [level for level in firsts if level > first]
        queryset = queryset.filter(total_xp__gte=table.thresholds[first - 1])
        return queryset.filter(total_xp__lt=table.thresholds[above[0] - 1]) if above else queryset


@admin.register(UserXP)
class UserXPAdmin(PersonColumn, SupportAdmin[UserXP], ReadOnlyAdmin[UserXP]):
    """Totals and levels, with all about a person on one page."""

    list_display = ("person", "total", "current_level", "title", "highest_level", "is_visible", "is_excluded")
    list_filter = (TitleFilter,)
    list_select_related = ("user",)
    ordering = ("-total_xp", "user_id")
    sortable_by = ("total",)
    search_help_text = gettext_lazy("The name a user signs in with, its beginning, or a user's id.")
    actions = ("award", "grant")

    @admin.display(description=gettext_lazy("total XP"), ordering="total_xp")
    def total(self, row: UserXP) -> str:
        return f"{row.total_xp:,}"

    def has_award_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(AWARD)

    def has_grant_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(GRANT)

    @admin.action(description=gettext_lazy("Award XP to the selected users"), permissions=["award"])
    def award(self, request: HttpRequest, queryset: QuerySet[UserXP]) -> HttpResponse:
        return self._go_on("xptransaction_award", queryset)

    @admin.action(description=gettext_lazy("Grant an achievement to the selected users"), permissions=["grant"])
    def grant(self, request: HttpRequest, queryset: QuerySet[UserXP]) -> HttpResponse:
        return self._go_on("userachievement_grant", queryset)

    def _go_on(self, page: str, queryset: QuerySet[UserXP]) -> HttpResponse:
        """Go to the page that does it, for the chosen users, and come back here."""
        users = ",".join(str(row.pk) for row in chosen(queryset))
        url = reverse(f"{self.admin_site.name}:gamification_{page}")
        return HttpResponseRedirect(f"{url}?{urlencode({'users': users, 'back': self.url('changelist')})}")

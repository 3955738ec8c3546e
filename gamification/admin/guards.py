"""Improbable gains to decide on, and people who are kept off the leaderboards of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin.base import ReadOnlyAdmin, Tool, chosen
from gamification.admin.forms import DecisionForm, PersonForm
from gamification.admin.pages import PeopleAdmin, ReasonedAdmin
from gamification.admin.people import PersonColumn, actor, name_of
from gamification.admin.pickers import EXCLUDE
from gamification.domain import flag_rules
from gamification.models import BoardExclusion, Flag
from gamification.models.guards import FlagState
from gamification.services import exclusions, flags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest

SENTENCES = {
    flag_rules.XP_A_DAY: gettext_lazy("Came to {figure} XP on one day, of at most {expected} expected."),
    flag_rules.XP_OVER_USUAL: gettext_lazy(
        "Came to {figure} XP on one day; by their own usual days at most {expected} were expected."
    ),
    flag_rules.ACTIVITIES_A_DAY: gettext_lazy("Activities on one day: {figure}, of at most {expected} expected."),
    flag_rules.SELF_REPORTED_AN_HOUR: gettext_lazy(
        "Activities that they reported themselves within an hour: {figure}, of at most {expected} expected."
    ),
    flag_rules.MINUTES_A_DAY: gettext_lazy("Minutes reported for one day: {figure}, of at most {expected} expected."),
    flag_rules.ZONES_A_DAY: gettext_lazy("Time zones on one day: {figure}, of at most {expected} expected."),
    flag_rules.ZONES_A_WEEK: gettext_lazy("Time zones within a week: {figure}, of at most {expected} expected."),
}


class StateFilter(admin.SimpleListFilter):
    """What is to be looked at, unless something else is asked for."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*FlagState.choices, ("all", _("all"))]

    def value(self) -> str:
        return super().value() or FlagState.OPEN.value

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() in FlagState.values else queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.value() == value, "query_string": query, "display": label}


class ForceFilter(admin.SimpleListFilter):
    """Excluded, or lifted."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("excluded", _("excluded")), ("lifted", _("lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"excluded", "lifted"}:
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() == "excluded")


@admin.register(Flag)
class FlagAdmin(PersonColumn, ReasonedAdmin[Flag], ReadOnlyAdmin[Flag]):
    """Days that came to more than a rule expects, with what staff made of them."""

    list_display = ("date", "who", "rule", "came_to", "at_most", "state", "note")
    list_filter = (StateFilter, "rule")
    list_select_related = ("user", "decided_by")
    ordering = ("-pk",)
    sortable_by = ()
    search_help_text = gettext_lazy("The name a user signs in with, its beginning, or a user's id.")
    actions = ("decide", "exclude_people")
    fields = ("who", "rule", "told", "date", "found_at", "state", "note", "by", "decided_at")
    readonly_fields = ("who", "told", "by")
    verb = "decide"
    permission = "gamification.review_flag"
    title = gettext_lazy("Decide on flags")
    submit = gettext_lazy("Decide")
    columns = (gettext_lazy("User"), gettext_lazy("Date"), gettext_lazy("What it came to"))
    reason_form = DecisionForm

    @admin.display(description=gettext_lazy("user"))
    def who(self, row: Flag) -> str:
        """Return the name, leading to all that is known of the person."""
        url = reverse(f"{self.admin_site.name}:gamification_userxp_change", args=[row.user_id])
        return format_html('<a href="{}">{}</a>', url, name_of(row.user))

    @admin.display(description=gettext_lazy("came to"))
    def came_to(self, row: Flag) -> str:
        return number_format(row.figure, force_grouping=True)

    @admin.display(description=gettext_lazy("at most expected"))
    def at_most(self, row: Flag) -> str:
        return number_format(row.expected, force_grouping=True)

    @admin.display(description=gettext_lazy("what it came to"))
    def told(self, row: Flag) -> str:
        return SENTENCES[row.rule].format(figure=self.came_to(row), expected=self.at_most(row))

    @admin.display(description=gettext_lazy("decided by"))
    def by(self, row: Flag) -> str:
        return name_of(row.decided_by) or "-"

    def row_tools(self, request: HttpRequest, row: Flag) -> list[Tool]:
        decide = [Tool(_("Decide"), self.reasoned_url([row]))] if self.may_perform(request) else []
        exclude = [Tool(_("Exclude from leaderboards"), self._exclude_url([row], request.path))]
        return [*decide, *(exclude if self.has_exclude_permission(request) else [])]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self.may_perform(request)

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(EXCLUDE)

    @admin.action(description=gettext_lazy("Decide on the selected flags"), permissions=["decide"])
    def decide(self, request: HttpRequest, queryset: QuerySet[Flag]) -> HttpResponse:
        return self.ask_for_reason(request, queryset)

    @admin.action(description=gettext_lazy("Exclude these people from leaderboards"), permissions=["exclude"])
    def exclude_people(self, request: HttpRequest, queryset: QuerySet[Flag]) -> HttpResponse:
        return HttpResponseRedirect(self._exclude_url(chosen(queryset), self.url("changelist")))

    def _exclude_url(self, rows: Sequence[Flag], back: str) -> str:
        users = ",".join(dict.fromkeys(str(row.user_id) for row in rows))
        url = reverse(f"{self.admin_site.name}:gamification_boardexclusion_exclude")
        return f"{url}?{urlencode({'users': users, 'back': back})}"

    def perform(self, request: HttpRequest, row: Flag, reason: str, state: str = FlagState.DISMISSED) -> None:
        flags.decide(row, state, note=reason, actor=actor(request))
        label = FlagState(state).label
        self.log_change(request, row, _("{state}: {reason}").format(state=label, reason=reason))

    def done(self, number: int) -> str:
        return ngettext("%d flag was decided on.", "%d flags were decided on.", number) % number

    def cells(self, row: Flag) -> Sequence[object]:
        return name_of(row.user), row.date, self.told(row)


@admin.register(BoardExclusion)
class BoardExclusionAdmin(
    PersonColumn, ReasonedAdmin[BoardExclusion], PeopleAdmin[BoardExclusion], ReadOnlyAdmin[BoardExclusion]
):
    """Who is kept off the leaderboards of others, and who was."""

    list_display = ("excluded_at", "person", "reason", "by", "state")
    list_filter = (ForceFilter,)
    list_select_related = ("user", "excluded_by", "lifted_by")
    ordering = ("-pk",)
    sortable_by = ()
    search_help_text = gettext_lazy("The name a user signs in with, its beginning, or a user's id.")
    actions = ("lift",)
    fields = ("person", "reason", "excluded_at", "by", "state", "lifted_at")
    readonly_fields = ("person", "by", "state")
    verb = "lift"
    permission = EXCLUDE
    title = gettext_lazy("Show on leaderboards again")
    submit = gettext_lazy("Show again")
    columns = (gettext_lazy("User"), gettext_lazy("Excluded because"), gettext_lazy("Excluded by"))

    @admin.display(description=gettext_lazy("excluded by"))
    def by(self, row: BoardExclusion) -> str:
        return name_of(row.excluded_by)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: BoardExclusion) -> str:
        if row.is_in_force:
            return _("excluded")
        by = name_of(row.lifted_by)
        text = _("lifted by {name}: {reason}") if by else _("lifted: {reason}")
        return text.format(name=by, reason=row.lift_reason)

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "exclude": self.exclude_person}

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        own = [Tool(_("Exclude somebody"), self.url("exclude"))] if self.may_perform(request) else []
        return [*own, *super().list_tools(request)]

    def row_tools(self, request: HttpRequest, row: BoardExclusion) -> list[Tool]:
        is_open = row.is_in_force and self.may_perform(request)
        return [Tool(_("Show on leaderboards again"), self.reasoned_url([row]))] if is_open else []

    def exclude_person(self, request: HttpRequest) -> HttpResponse:
        """Keep people off the leaderboards of others."""
        if not self.may_perform(request):
            raise PermissionDenied
        notes = [_("Others see them on no board from now on. They see their own rank as before, and keep all else.")]
        about = {"title": _("Exclude from leaderboards"), "submit": _("Exclude"), "notes": notes}
        return self.people_page(request, PersonForm, self._exclude, **about)

    def _exclude(self, request: HttpRequest, user: Any, *, reason: str) -> None:
        row = exclusions.exclude(user, reason=reason, actor=actor(request))
        self.log_addition(request, row, _("Excluded: {reason}").format(reason=reason))
        told = _("{user} is on no leaderboard of others any more.").format(user=name_of(user))
        self.message_user(request, told, messages.SUCCESS)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return self.may_perform(request)

    @admin.action(description=gettext_lazy("Show the selected people on leaderboards again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[BoardExclusion]) -> HttpResponse:
        return self.ask_for_reason(request, queryset)

    def perform(self, request: HttpRequest, row: BoardExclusion, reason: str) -> None:
        exclusions.lift(row.user, reason=reason, actor=actor(request))
        self.log_change(request, row, _("Lifted: {reason}").format(reason=reason))

    def done(self, number: int) -> str:
        return ngettext("%d exclusion was lifted.", "%d exclusions were lifted.", number) % number

    def cells(self, row: BoardExclusion) -> Sequence[object]:
        return name_of(row.user), row.reason, name_of(row.excluded_by)

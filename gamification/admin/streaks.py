"""Streaks, and the days behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification.admin.base import ReadOnlyAdmin
from gamification.admin.forms import TimezoneForm
from gamification.admin.pages import PageAdmin
from gamification.admin.people import PersonColumn, name_of, people_from
from gamification.admin.support import MOVE, SupportAdmin
from gamification.exceptions import GamificationError
from gamification.models import UserDay, UserStreak
from gamification.services import streaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet


class RunningFilter(admin.SimpleListFilter):
    """Whether a streak still stands, and how long it is."""

    title = gettext_lazy("streak")
    parameter_name = "streak"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("lapsed", _("lapsed")),
            ("1", _("running, 1 to 6 days")),
            ("7", _("running, 7 to 29 days")),
            ("30", _("running, 30 days and more")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        if self.value() == "lapsed":
            return queryset.filter(expires_at__lte=now)
        ranges = {"1": (1, 6), "7": (7, 29), "30": (30, 2**31 - 1)}
        if self.value() in ranges:
            return queryset.filter(expires_at__gt=now, current_streak__range=ranges[self.value() or ""])
        return queryset


@admin.register(UserStreak)
class UserStreakAdmin(PersonColumn, SupportAdmin[UserStreak], PageAdmin[UserStreak], ReadOnlyAdmin[UserStreak]):
    """Streaks as they read now, with all about a person on one page. Staff may set the time zone, with a reason."""

    list_display = (
        "person",
        "reads",
        "longest_streak",
        "streak_freezes_available",
        "last_activity_date",
        "timezone",
    )
    list_filter = (RunningFilter,)
    list_select_related = ("user",)
    ordering = ("-current_streak", "user_id")
    sortable_by = ("reads", "longest_streak")
    search_help_text = gettext_lazy("The name a user signs in with, its beginning, or a user's id.")
    actions = None
    fields = ("user", "timezone", "timezone_changed_at", "last_at", "expires_at", "starting_freezes", "longest_kept")

    @admin.display(description=gettext_lazy("current streak"), ordering="current_streak")
    def reads(self, row: UserStreak) -> int:
        """Return 0 of a streak that has lapsed, though nobody has written so yet."""
        return row.current_streak if row.expires_at is not None and row.expires_at > timezone.now() else 0

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {"set_timezone": self.set_timezone}

    def set_timezone(self, request: HttpRequest) -> HttpResponse:
        """Count the days of the user in the address in another zone from now on."""
        if not request.user.has_perm(MOVE):
            raise PermissionDenied
        people = people_from(request.GET.get("users", ""))[:1]
        if not people:
            self.message_user(request, _("Nothing was chosen."), messages.WARNING)
            return HttpResponseRedirect(self.back_url(request))
        form = TimezoneForm(request.POST or None, current=streaks.timezone(people[0]))
        if request.method == "POST" and form.is_valid():
            try:
                self._move(request, people[0], **form.cleaned_data)
            except GamificationError as error:
                form.refuse(error)
            else:
                return HttpResponseRedirect(self.back_url(request))
        about = {"title": _("Set the time zone"), "submit": _("Set")}
        return self.form_page(request, form, columns=[_("User")], rows=[[name_of(people[0])]], **about)

    def _move(self, request: HttpRequest, user: Any, *, timezone: str, reason: str) -> None:
        with transaction.atomic():
            before = streaks.timezone(user)
            streaks.set_timezone(user, timezone)
            row = UserStreak.objects.get(pk=user.pk)
            names = {"before": before, "after": timezone, "reason": reason}
            self.log_change(request, row, _("Time zone {before} to {after}: {reason}").format(**names))
        told = _("The days of {user} are now counted in {zone}.").format(user=name_of(user), zone=timezone)
        self.message_user(request, told, messages.SUCCESS)


@admin.register(UserDay)
class UserDayAdmin(PersonColumn, ReadOnlyAdmin[UserDay]):
    """What each date came to for each user."""

    is_large = True
    indexed_filters = ("user", "date")
    list_display = (
        "date",
        "person",
        "status",
        "reason",
        "activities",
        "xp",
        "freezes_earned",
        "freezes_used",
        "freezes_returned",
    )
    list_filter = ("date", "status")
    list_select_related = ("user",)
    ordering = ("-date", "-user_id")
    sortable_by = ()
    search_help_text = gettext_lazy("The name a user signs in with, its beginning, or a user's id.")

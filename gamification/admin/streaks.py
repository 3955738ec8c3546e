"""Streaks, the days behind them, and dates that were excused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification.admin.base import ReadOnlyAdmin
from gamification.admin.people import PersonColumn, name_of
from gamification.admin.support import SupportAdmin
from gamification.domain import calendar
from gamification.models import ExcusedDate, UserDay, UserStreak
from gamification.services import streaks

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class TimezoneForm(forms.ModelForm):  # type: ignore[type-arg]
    """The zone in which a user's days are counted: all that staff may set."""

    class Meta:
        model = UserStreak
        fields = ("timezone",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            choices = [(name, name) for name in sorted(calendar.timezone_names() | {self.instance.timezone})]
            self.fields["timezone"] = forms.ChoiceField(
                label=_("Time zone"), choices=choices, help_text=_("From now on. Past days stay as they were counted.")
            )


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
class UserStreakAdmin(PersonColumn, SupportAdmin[UserStreak]):
    """Streaks as they read now, with all about a person on one page. Staff may set the time zone, and nothing else."""

    form = TimezoneForm
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
    fields = ("user", "timezone", "timezone_changed_at", "last_at", "starting_freezes")
    readonly_fields = ("user", "timezone_changed_at", "last_at", "starting_freezes")

    @admin.display(description=gettext_lazy("current streak"), ordering="current_streak")
    def reads(self, row: UserStreak) -> int:
        """Return 0 of a streak that has lapsed, though nobody has written so yet."""
        return row.current_streak if row.expires_at is not None and row.expires_at > timezone.now() else 0

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UserStreak | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: UserStreak, form: Any, change: bool) -> None:
        """Set the zone through the service, under the user's lock: nothing of ``obj`` is written."""
        if "timezone" in form.changed_data:
            streaks.set_timezone(obj.user, form.cleaned_data["timezone"])


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


@admin.register(ExcusedDate)
class ExcusedDateAdmin(ReadOnlyAdmin[ExcusedDate]):
    """Dates that nobody can miss."""

    list_display = ("date", "reason", "by", "created_at")
    list_select_related = ("excused_by",)
    ordering = ("-date",)

    @admin.display(description=gettext_lazy("excused by"))
    def by(self, row: ExcusedDate) -> str:
        return name_of(row.excused_by)

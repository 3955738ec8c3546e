"""Select boxes that ask as one types: never a list of all users, whether or not the project's admin has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpRequest, JsonResponse

from gamification.admin.people import SHOWN, name_of, people_like
from gamification.models import Achievement, UserAchievement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.admin import AdminSite

PICK_USER = "gamification_userachievement_pick_user"
PICK_ACHIEVEMENT = "gamification_userachievement_pick_achievement"
GRANT, AWARD = "gamification.grant_achievement", "gamification.award_xp"
EXCLUDE = "gamification.exclude_from_boards"


class Picker(AutocompleteSelect):
    """The stock widget, safe from values that were made up."""

    choices: Any

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        """Keep what can be chosen: the stock widget asks the database for anything, and fails on what is no key."""
        return super().optgroups(name, [one for one in value if one == "" or self._can_be_chosen(one)], attr)

    def _can_be_chosen(self, value: str) -> bool:
        try:
            self.choices.field.to_python(value)
        except ValidationError:
            return False
        return True


class UserPicker(Picker):
    """Finds users by the name they sign in with, or by id."""

    url_name = f"%s:{PICK_USER}"


class AchievementPicker(Picker):
    """Finds achievements by name or id."""

    url_name = f"%s:{PICK_ACHIEVEMENT}"


class UserField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One user."""

    def __init__(self, admin_site: AdminSite, **kwargs: Any) -> None:
        field = UserAchievement._meta.get_field("user")
        users = get_user_model()._default_manager.all()
        super().__init__(queryset=users, widget=UserPicker(field, admin_site), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return name_of(obj)


class AchievementField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One definition."""

    def __init__(self, admin_site: AdminSite, **kwargs: Any) -> None:
        field = UserAchievement._meta.get_field("achievement")
        widget = AchievementPicker(field, admin_site)
        super().__init__(queryset=Achievement.objects.all(), widget=widget, to_field_name="achievement_id", **kwargs)


def pick_user(request: HttpRequest) -> JsonResponse:
    """Answer the picker of users: to those who may see users, and to those who may act for them."""
    opts = get_user_model()._meta
    _require_one(request, f"{opts.app_label}.view_{opts.model_name}", GRANT, AWARD, EXCLUDE)
    found = people_like(request.GET.get("term", ""))
    return _answer([(str(user.pk), name_of(user)) for user in found])


def pick_achievement(request: HttpRequest) -> JsonResponse:
    """Answer the picker of achievements: to those who may see or grant them."""
    _require_one(request, "gamification.view_achievement", GRANT)
    term = request.GET.get("term", "").strip().replace("\x00", "")
    rows = Achievement.objects.filter(Q(name__icontains=term) | Q(achievement_id__icontains=term))
    return _answer([(row.achievement_id, row.name) for row in rows.order_by("order", "pk")[:SHOWN]])


def _require_one(request: HttpRequest, *permissions: str) -> None:
    if not any(request.user.has_perm(permission) for permission in permissions):
        raise PermissionDenied


def _answer(found: list[tuple[str, str]]) -> JsonResponse:
    results = [{"id": value, "text": text} for value, text in found]
    return JsonResponse({"results": results, "pagination": {"more": False}})

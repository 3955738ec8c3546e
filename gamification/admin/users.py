"""Deleting users in the admin: what this app keeps about them goes through ``privacy.erase``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.sites import all_sites
from django.contrib.admin.utils import NestedObjects, quote
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.checks import CheckMessage, Warning  # noqa: A004 -- Django's own name
from django.db import models, router, transaction
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification.admin.people import actor
from gamification.models import UserStreak, UserXP
from gamification.services import privacy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

    _UserAdmin = admin.ModelAdmin[Any]
else:
    _UserAdmin = object

APP = "gamification"
SUPPORT = "gamification_support"


class GamificationUserAdminMixin(_UserAdmin):
    """For the project's admin of users, in front of its base class.

    Without it the admin refuses to delete anybody with XP, because the ledger cannot be deleted there.
    """

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None or not self._has_support(request) else (*fields, SUPPORT)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the way to the page for support to the page of a user, for those who may see it."""
        if SUPPORT not in self.get_readonly_fields(request, obj):
            return super().get_fieldsets(request, obj)
        own = [
            (title, {**options, "fields": [name for name in options["fields"] if name != SUPPORT]})
            for title, options in super().get_fieldsets(request, obj)
        ]
        return [*own, (_("Gamification"), {"fields": [SUPPORT]})]

    @admin.display(description=gettext_lazy("for support"))
    def gamification_support(self, user: Any) -> str:
        """Return a link to all about a person on one page."""
        for model in (UserStreak, UserXP):
            if model._default_manager.filter(pk=user.pk).exists():
                url = reverse(f"{self.admin_site.name}:{APP}_{model._meta.model_name}_change", args=(quote(user.pk),))
                return format_html('<a href="{}">{}</a>', url, _("Streak, XP and achievements"))
        return _("Nothing yet.")

    def _has_support(self, request: HttpRequest) -> bool:
        """Tell whether the viewer may open the page for support."""
        pages = (self.admin_site._registry.get(model) for model in (UserStreak, UserXP))
        return all(page is not None and page.has_view_permission(request) for page in pages)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[str], list[Any]]:
        """Collect what would go, save for our own rows: they may be ten thousands, and go without being asked for."""
        rows = list(objs)
        if not rows:
            return [], {}, set(), []
        collector = _OtherObjects(using=router.db_for_write(type(rows[0])), origin=rows)
        collector.collect(rows)
        lacking: set[str] = set()

        def shown(row: models.Model) -> str:
            return _shown(self.admin_site, request, row, lacking)

        told = [*collector.nested(shown), _("Everything that is kept about XP, achievements, streaks and days")]
        found: dict[Any, Any] = collector.model_objs
        counts = {model._meta.verbose_name_plural: len(some) for model, some in found.items()}
        return told, counts, lacking, [shown(row) for row in collector.protected]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self._erase(request, obj)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            for user in queryset.order_by("pk"):
                self._erase(request, user)
            super().delete_queryset(request, queryset)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        """Leave it to the deletion itself: its entry, written after the erasure, does not keep the name."""
        return []

    def _erase(self, request: HttpRequest, user: Any) -> None:
        privacy.erase(user, actor=actor(request))
        LogEntry.objects.create(
            user_id=actor(request).pk,
            content_type=ContentType.objects.get_for_model(user, for_concrete_model=False),
            object_id=user.pk,
            object_repr=_("erased user"),
            action_flag=DELETION,
        )


class _OtherObjects(NestedObjects):
    """Everything that hangs on a user outside this app."""

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> models.QuerySet[Any]:
        found = super().related_objects(related_model, related_fields, objs)
        return found.none() if related_model._meta.app_label == APP else found


def check_user_admin(**kwargs: Any) -> list[CheckMessage]:
    """Warn of an admin of users that cannot delete them properly."""
    return [
        Warning(
            f"{type(registered).__qualname__} does not delete through gamification's privacy.erase.",
            hint="Put gamification.admin.users.GamificationUserAdminMixin in front of its base class.",
            obj=type(registered),
            id="gamification.W010",
        )
        for site in all_sites
        if (registered := site._registry.get(get_user_model())) is not None
        and not isinstance(registered, GamificationUserAdminMixin)
    ]


def _shown(site: admin.AdminSite, request: HttpRequest, row: models.Model, lacking: set[str]) -> str:
    """Return a row as the admin lists it before deletion, and note whether it may be deleted."""
    opts = row._meta
    if not site.is_registered(type(row)):
        return f"{capfirst(str(opts.verbose_name))}: {row}"
    if not site.get_model_admin(type(row)).has_delete_permission(request, row):
        lacking.add(str(opts.verbose_name))
    try:
        url = reverse(f"{site.name}:{opts.app_label}_{opts.model_name}_change", args=(quote(row.pk),))
    except NoReverseMatch:
        return f"{capfirst(str(opts.verbose_name))}: {row}"
    return format_html('{}: <a href="{}">{}</a>', capfirst(str(opts.verbose_name)), url, row)

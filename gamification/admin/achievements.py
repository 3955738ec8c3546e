"""Definitions: seed the shipped ones, edit, retire; what somebody has cannot be deleted."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification.admin.base import BoundedChangeList, Tool
from gamification.admin.editor import EditorAdmin
from gamification.admin.forms import EXAMPLE, AchievementForm, ConditionsField
from gamification.admin.people import actor
from gamification.admin.previews import BACKFILL, PreviewedAdmin
from gamification.admin.transfer import TransferAdmin
from gamification.models import Achievement, UserAchievement
from gamification.services import achievements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INITIALIZE = "gamification.initialize_achievements"
HOLDERS_COUNTED = 1_000


class CountOf(models.Subquery):
    """How many rows a subquery finds: cheap when it is a slice, because counting stops there."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted_rows)"
    output_field = models.IntegerField()


class AchievementChangeList(BoundedChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> models.QuerySet[Any]:
        """Add who holds each, counted through the index and no further than a thousand."""
        holders = UserAchievement.objects.unlocked().filter(achievement_id=models.OuterRef("achievement_id"))
        # In the index's order: otherwise a planner may read the whole table for what hardly anybody has.
        counted = CountOf(holders.order_by("unlocked_at").values("pk")[: HOLDERS_COUNTED + 1])
        rows: models.QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        found: models.QuerySet[Any] = rows.annotate(holder_count=counted)
        return found


@admin.register(Achievement)
class AchievementAdmin(EditorAdmin, PreviewedAdmin, TransferAdmin):
    """What there is to reach. Rules in force change only by those who may run back-fills."""

    form = AchievementForm
    formfield_overrides = {models.JSONField: {"form_class": ConditionsField}}
    list_display = ("shown", "holders_shown", "xp_reward", "category", "rarity", "is_active", "hidden", "order")
    list_filter = ("is_active", "is_hidden", "category", "rarity")
    search_fields = ("name", "achievement_id", "description")
    ordering = ("order", "pk")
    actions = ("activate", "retire")
    fieldsets = (
        (None, {"fields": ("name", "achievement_id", "description", "icon", ("category", "rarity"))}),
        (gettext_lazy("Rule"), {"fields": ("xp_reward", "conditions", "in_words")}),
        (gettext_lazy("Where it shows"), {"fields": ("order", "is_active", "is_hidden")}),
    )

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def shown(self, row: Achievement) -> str:
        return f"{row.icon} {row.name}".strip()

    @admin.display(description=gettext_lazy("hidden"), ordering="is_hidden", boolean=True)
    def hidden(self, row: Achievement) -> bool:
        return row.is_hidden

    @admin.display(description=gettext_lazy("held by"))
    def holders_shown(self, row: Any) -> str:
        number = f"{HOLDERS_COUNTED:,}+" if row.holder_count > HOLDERS_COUNTED else f"{row.holder_count:,}"
        url = reverse(f"{self.admin_site.name}:gamification_userachievement_changelist")
        return format_html('<a href="{}?achievement={}&state=unlocked">{}</a>', url, row.achievement_id, number)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        return AchievementChangeList

    # Seeding

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "seed": self.seed}

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        tools = super().list_tools(request)
        if request.user.has_perm(INITIALIZE):
            tools.append(Tool(_("Seed the shipped achievements"), self.url("seed"), is_post=True))
        return tools

    def seed(self, request: HttpRequest) -> HttpResponse:
        """Create the shipped definitions that are missing; what staff edited stays."""
        if not request.user.has_perm(INITIALIZE):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        with transaction.atomic():
            seeded = achievements.initialize()
            told = _("{created} created, {updated} updated, {unchanged} unchanged.").format(**asdict(seeded))
            LogEntry.objects.create(
                user_id=actor(request).pk,
                content_type=ContentType.objects.get_for_model(Achievement),
                object_repr=_("Shipped achievements"),
                action_flag=CHANGE,
                change_message=told,
            )
        self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(self.list_url(request))

    # Editing

    def locked_fields(self, request: HttpRequest, row: Achievement | None) -> tuple[str, ...]:
        """Return what this person may not change: the rule, while it is active or somebody was rewarded by it."""
        if row is None or request.user.has_perm(BACKFILL):
            return ()
        # Remembered as it was read: a form that is filled in changes ``row`` before it is refused.
        known = vars(row)
        if "_was_in_force" not in known:
            known["_was_in_force"] = row.is_active or row.holders.filter(unlocked_at__isnull=False).exists()
        return ("xp_reward", "conditions") if known["_was_in_force"] else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Achievement | None = None) -> dict[str, Sequence[str]]:
        """Make the id of a new definition from its name while that is typed; one that is stored keeps its id."""
        return {} if obj is not None else {"achievement_id": ("name",)}

    def get_readonly_fields(self, request: HttpRequest, obj: Achievement | None = None) -> tuple[str, ...]:
        fixed = ("in_words",) if obj is None else ("in_words", "achievement_id")
        return (*fixed, *self.locked_fields(request, obj))

    def get_form(
        self, request: HttpRequest, obj: Achievement | None = None, change: bool = False, **kwargs: Any
    ) -> type[AchievementForm]:
        form = cast("type[AchievementForm]", super().get_form(request, obj, change, **kwargs))
        form.locked = self.locked_fields(request, obj)
        if conditions := form.base_fields.get("conditions"):
            conditions.widget.attrs.update(placeholder=EXAMPLE, rows=14, spellcheck="false")
            conditions.help_text = _("“all” or “any” of the clauses must hold; groups can be nested 3 deep.")
        return form

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["is_rule_locked"] = bool(self.locked_fields(request, context.get("original")))
        return super().render_change_form(request, context, *args, **kwargs)

    # Retiring and activating

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do all of an action or nothing, its entries in the log included."""
        with transaction.atomic():
            return super().response_action(request, queryset, *args, **kwargs)

    # Deleting

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[str], list[Any]]:
        """Name what is held, without loading those who hold it, and what would go."""
        rows = list(objs)
        has_it = UserAchievement.objects.filter(achievement=models.OuterRef("achievement_id")).filter(
            models.Q(unlocked_at__isnull=False) | models.Q(revoked_at__isnull=False)
        )
        held = Achievement.objects.filter(models.Exists(has_it), pk__in=[row.pk for row in rows])
        lacking = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        names = [row.name for row in rows]
        return names, {self.opts.verbose_name_plural: len(rows)}, lacking, [row.name for row in held]

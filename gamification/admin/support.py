"""All that support needs to know of a person, on the page of their level or streak: a bounded number of rows each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gamification.admin.base import GamificationAdmin, ModelT
from gamification.admin.people import name_of
from gamification.models import UserAchievement, UserCounter, UserDay
from gamification.services import streaks, xp

if TYPE_CHECKING:
    from django.http import HttpRequest

    from gamification.engine.results import LevelInfo, StreakStatus
    from gamification.models import XPTransaction

LEDGER_ROWS, UNLOCKS, DAYS, COUNTERS = 20, 20, 14, 50


@dataclass(frozen=True, slots=True)
class Support:
    """A person at a glance. A part that the viewer may not see is None."""

    name: str
    level: LevelInfo | None
    streak: StreakStatus | None
    ledger: list[XPTransaction] | None
    unlocks: list[UserAchievement] | None
    days: list[UserDay] | None
    counters: list[UserCounter] | None


def look_up(user: Any, request: HttpRequest) -> Support:
    """Return what the viewer may see of ``user``: at most one query a part, and one for each reading."""

    def may_see(model: str) -> bool:
        return request.user.has_perm(f"gamification.view_{model}")

    unlocks = UserAchievement.objects.of(user).filter(unlocked_at__isnull=False).select_related("achievement")
    return Support(
        name=name_of(user),
        level=xp.level(user) if may_see("userxp") else None,
        streak=streaks.status(user) if may_see("userstreak") else None,
        ledger=list(xp.history(user).select_related("actor")[:LEDGER_ROWS]) if may_see("xptransaction") else None,
        unlocks=list(unlocks.order_by("-unlocked_at", "-pk")[:UNLOCKS]) if may_see("userachievement") else None,
        days=list(UserDay.objects.filter(user=user).order_by("-date")[:DAYS]) if may_see("userday") else None,
        counters=list(UserCounter.objects.filter(user=user).order_by("name")[:COUNTERS])
        if may_see("usercounter")
        else None,
    )


class SupportAdmin(GamificationAdmin[ModelT]):
    """Adds the person at a glance below a row that belongs to one."""

    change_form_template = "admin/gamification/support_form.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if row is not None:
            context["support"] = look_up(row.user, request)
            context["subtitle"] = name_of(row.user)
        return super().render_change_form(request, context, *args, **kwargs)

"""All that support needs to know of a person, on the page of their level or streak: a bounded number of rows each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from gamification.admin import diary_words
from gamification.admin.base import GamificationAdmin, ModelT, Tool
from gamification.admin.people import name_of
from gamification.admin.pickers import AWARD, EXCLUDE, GRANT
from gamification.admin.words import kind_name
from gamification.models import UserAchievement, UserCounter
from gamification.models.xp import Source
from gamification.services import diaries, xp

if TYPE_CHECKING:
    from django.http import HttpRequest

    from gamification.engine.results import LevelInfo
    from gamification.models import VoidedActivity, XPTransaction
    from gamification.services.diaries import Diary

LEDGER_ROWS, UNLOCKS, ENTRIES, COUNTERS, VOIDS = 20, 20, 60, 50, 20
MOVE, REVERSE = "gamification.change_userstreak", "gamification.reverse_xp"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the history in words; ``kind`` is what happened, for its mark."""

    dates: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with the address that takes it back, empty where that is not possible."""

    row: Any
    undo_url: str


@dataclass(frozen=True, slots=True)
class Void:
    """An activity that was voided: what people call its kind, what says so, and its page."""

    kind: str
    row: VoidedActivity
    url: str


@dataclass(frozen=True, slots=True)
class Support:
    """A person at a glance. A part that the viewer may not see is None; ``older`` is where the history goes on."""

    name: str
    level: LevelInfo | None
    diary: Diary | None
    answer: list[str]
    history: list[Line] | None
    older: str
    ledger: list[Row] | None
    unlocks: list[Row] | None
    underway: list[UserAchievement] | None
    counters: list[UserCounter] | None
    voids: list[Void]
    links: dict[str, str]


class SupportAdmin(GamificationAdmin[ModelT]):
    """Puts the person at a glance above a row that belongs to one, and what can be done for them beside it."""

    change_form_template = "admin/gamification/support_form.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if row is not None:
            context["support"] = self.look_up(request, row.user)
            context["subtitle"] = name_of(row.user)
        return super().render_change_form(request, context, *args, **kwargs)

    def row_tools(self, request: HttpRequest, row: Any) -> list[Tool]:
        chosen = urlencode({"users": row.user_id, "back": request.path})
        tools = [
            (AWARD, _("Award XP"), "xptransaction_award"),
            (GRANT, _("Grant an achievement"), "userachievement_grant"),
            (MOVE, _("Set the time zone"), "userstreak_set_timezone"),
        ]
        if not getattr(row, "is_excluded", False):
            tools.append((EXCLUDE, _("Exclude from leaderboards"), "boardexclusion_exclude"))
        return [
            Tool(label, f"{self._page(name)}?{chosen}")
            for permission, label, name in tools
            if request.user.has_perm(permission)
        ]

    def look_up(self, request: HttpRequest, user: Any) -> Support:
        """Return what the viewer may see of ``user``: at most a query a part, and two more for the streak."""

        def may_see(model: str) -> bool:
            return request.user.has_perm(f"gamification.view_{model}")

        diary = diaries.diary(user) if may_see("userstreak") else None
        if diary is not None and not may_see("activity"):
            diary = replace(diary, voided={})
        told = diary.entries if diary is not None and may_see("userday") else None
        shown, older = _page_of(told or [], request)
        unlocks = UserAchievement.objects.of(user).select_related("achievement")
        may_see_unlocks = may_see("userachievement")
        unlocked = unlocks.filter(unlocked_at__isnull=False).order_by("-unlocked_at", "-pk")
        underway = unlocks.filter(unlocked_at__isnull=True, revoked_at__isnull=True).order_by("-progress", "pk")
        counters = UserCounter.objects.filter(user=user).order_by("name")
        return Support(
            name=name_of(user),
            level=xp.level(user) if may_see("userxp") else None,
            diary=diary,
            answer=diary_words.answer(diary) if diary is not None else [],
            history=None if told is None or diary is None else [_line(entry, diary) for entry in shown],
            older=older,
            ledger=self._ledger(request, user) if may_see("xptransaction") else None,
            unlocks=[self._unlock(request, row) for row in unlocked[:UNLOCKS]] if may_see_unlocks else None,
            underway=list(underway[:UNLOCKS]) if may_see_unlocks else None,
            counters=list(counters[:COUNTERS]) if may_see("usercounter") else None,
            voids=self._voids(diary) if diary is not None else [],
            links=self._links(user),
        )

    def _voids(self, diary: Diary) -> list[Void]:
        rows = chain.from_iterable(diary.voided.values())
        newest = sorted(rows, key=lambda row: (row.voided_at, row.pk), reverse=True)[:VOIDS]
        return [
            Void(kind_name(row.activity.kind), row, self._page("activity_change", row.activity_id)) for row in newest
        ]

    def _ledger(self, request: HttpRequest, user: Any) -> list[Row]:
        rows = list(xp.history(user).select_related("actor")[:LEDGER_ROWS])
        reversals = xp.history(user).filter(reverses__in=[row.pk for row in rows])
        closed = set(reversals.order_by().values_list("reverses_id", flat=True))
        return [Row(row, "" if row.pk in closed else self._undo_url(request, row)) for row in rows]

    def _undo_url(self, request: HttpRequest, row: XPTransaction) -> str:
        is_open = row.source not in {Source.REVERSAL, Source.ACHIEVEMENT}
        return self._reasoned("xptransaction_reverse", REVERSE, request, row.pk) if is_open else ""

    def _unlock(self, request: HttpRequest, row: UserAchievement) -> Row:
        url = self._reasoned("userachievement_revoke", GRANT, request, row.pk) if row.is_unlocked else ""
        return Row(row, url)

    def _reasoned(self, name: str, permission: str, request: HttpRequest, pk: Any) -> str:
        if not request.user.has_perm(permission):
            return ""
        return f"{self._page(name)}?{urlencode({'ids': pk, 'back': request.path})}"

    def _links(self, user: Any) -> dict[str, str]:
        """Return where all rows of ``user`` are, by table."""
        query = urlencode({"user__exact": user.pk})
        tables = ("xptransaction", "userachievement", "userday", "usercounter", "activity")
        return {table: f"{self._page(f'{table}_changelist')}?{query}" for table in tables}

    def _page(self, name: str, *args: Any) -> str:
        return reverse(f"{self.admin_site.name}:gamification_{name}", args=args)


def _line(entry: Any, diary: Diary) -> Line:
    first, last = diary_words.shown(entry.on), diary_words.shown(entry.until) if entry.is_range else ""
    dates = _("{first} to {last}").format(first=first, last=last) if last else first
    return Line(dates, entry.what.value, diary_words.sentence(entry, diary))


def _page_of(told: list[Any], request: HttpRequest) -> tuple[list[Any], str]:
    """Return the entries before the date that was asked for, and the query of the next page, empty at the end."""
    before = _date_from(request.GET.get("before", ""))
    rest = [entry for entry in told if before is None or entry.on < before]
    older = urlencode({"before": rest[ENTRIES - 1].on.isoformat()}) if len(rest) > ENTRIES else ""
    return rest[:ENTRIES], older


def _date_from(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None

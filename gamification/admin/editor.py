"""What the form of a definition adds for who writes no code: rows for the rule, its words, icons, the card."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification.admin import metrics, words
from gamification.admin.forms import ConditionsField
from gamification.admin.icons import ICONS
from gamification.admin.pages import PageAdmin
from gamification.conf import get_settings
from gamification.domain.catalogue import RARITIES
from gamification.domain.conditions import MAX_CLAUSES, MAX_DEPTH, compile_condition
from gamification.engine.results import AchievementState
from gamification.exceptions import InvalidCondition
from gamification.models import Achievement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXT_SHOWN = 2_000
TEXTS = {
    "choose": gettext_lazy("Choose an icon"),
    "icons": gettext_lazy("Icons"),
    "conditions": gettext_lazy("Conditions"),
    "group": gettext_lazy("Group {number}"),
    "join": gettext_lazy("{group}: how many must hold"),
    "all": gettext_lazy("All of these must hold"),
    "any": gettext_lazy("Any one of these is enough"),
    "metric": gettext_lazy("Condition {number}: what counts"),
    "pick": gettext_lazy("Choose what counts"),
    "fact": gettext_lazy("Condition {number}: only this one, such as “es”; empty for all different ones"),
    "fact_hint": gettext_lazy("all"),
    "least": gettext_lazy("at least"),
    "value": gettext_lazy("Condition {number}: at least"),
    "unknown": gettext_lazy("{name} (not known)"),
    "add": gettext_lazy("Add a condition"),
    "add_group": gettext_lazy("Add a group"),
    "add_to": gettext_lazy("Add a condition to {group}"),
    "add_group_to": gettext_lazy("Add a group to {group}"),
    "remove": gettext_lazy("Remove"),
    "remove_whole": gettext_lazy("Remove the group"),
    "remove_clause": gettext_lazy("Remove condition {number}"),
    "remove_group": gettext_lazy("Remove group {number}"),
    "added": gettext_lazy("Condition {number} was added."),
    "added_group": gettext_lazy("Group {number} was added."),
    "removed": gettext_lazy("Condition {number} was removed."),
    "removed_group": gettext_lazy("Group {number} was removed."),
    "as_json": gettext_lazy("Edit as JSON"),
    "as_rows": gettext_lazy("Edit as rows"),
    "no_rows": gettext_lazy("This JSON cannot be shown as rows. Mend it first, or empty it to begin anew."),
    "unfinished": gettext_lazy("Fill in every row to see it in words."),
    "no_answer": gettext_lazy("The preview could not be loaded. What you typed is still here."),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a condition amounts to: its ``sentence``, or the ``place`` and the ``rule`` that it breaks.

    ``target`` is what the progress bar of the card counts to.
    """

    sentence: str = ""
    place: str = ""
    rule: str = ""
    target: int = 0


def check(conditions: object) -> Checked:
    """Return what ``conditions``, as stored, amount to."""
    try:
        condition = compile_condition(conditions, is_known=get_settings().is_known_metric)
    except InvalidCondition as error:
        return Checked(place=error.place, rule=error.rule)
    return Checked(words.sentence(condition), target=condition.progress({}).target)


def check_text(text: str) -> Checked:
    """Return what a condition that somebody is typing amounts to."""
    try:
        return check(ConditionsField().to_python(text))
    except ValidationError as error:
        return Checked(rule=" ".join(error.messages))


def cards(row: Achievement, target: int) -> str:
    """Return the card of ``row`` as the pages show it, locked and unlocked."""
    locked = AchievementState(
        achievement=row,
        position=0,
        unlocked=False,
        unlocked_at=None,
        unlock_metadata={},
        progress=0,
        current=0,
        target=target,
        is_masked=row.is_hidden,
    )
    unlocked = replace(locked, unlocked=True, unlocked_at=timezone.now(), progress=100, is_masked=False)
    return render_to_string("admin/gamification/achievement/cards.html", {"states": (locked, unlocked)})


def typed(data: Mapping[str, str]) -> Achievement:
    """Return what the form's fields make so far; what is not yet a value is left out."""
    reward, rarity = data.get("xp_reward", ""), data.get("rarity", "")
    return Achievement(
        name=data.get("name", "")[:TEXT_SHOWN] or _("Name of the achievement"),
        description=data.get("description", "")[:TEXT_SHOWN],
        icon=data.get("icon", "")[:50],
        rarity=rarity if rarity in RARITIES else RARITIES[0],
        xp_reward=int(reward) if reward.isascii() and reward.isdecimal() and len(reward) < 7 else 0,
        is_hidden=data.get("is_hidden") == "on",
    )


class EditorAdmin(PageAdmin[Achievement]):
    """Adds the rule in words, the preview of the card and what the scripts of the form ask and need to know."""

    @admin.display(description=gettext_lazy("in words"))
    def in_words(self, row: Achievement) -> str:
        checked = check(row.conditions)
        said = checked.sentence or _("Nobody can meet this: {reason}.").format(reason=checked.rule)
        if row.conditions is None:
            said = _("Choose what counts to see it in words.")
        return format_html('<span id="gamification-sentence" role="status">{}</span>', said)

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "check": self.check_typed}

    def check_typed(self, request: HttpRequest) -> HttpResponse:
        """Answer the form while somebody types: the rule in words or what is wrong with it, and the cards."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        checked = check_text(request.POST.get("conditions", ""))
        answer = {
            "is_valid": bool(checked.sentence),
            "sentence": checked.sentence or _("Nobody could meet this: {reason}").format(reason=checked.rule),
            "error": {"place": checked.place, "rule": checked.rule},
            "cards": cards(typed(request.POST.dict()), checked.target),
        }
        return JsonResponse(answer)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["metrics"] = known = metrics.known()
        row = context.get("original")
        # What the form may not hold, because this person may not change it.
        fixed = {"xp_reward": row.xp_reward, "conditions": json.dumps(row.conditions)} if row else {}
        context["cards"] = self._cards(context["adminform"].form.instance)
        context["editor"] = {
            "url": self.url("check"),
            "fixed": fixed,
            "metrics": [asdict(metric) for metric in known],
            "icons": [(icon, str(name)) for icon, name in ICONS],
            "texts": {name: str(text) for name, text in TEXTS.items()},
            "depth": MAX_DEPTH,
            "clauses": MAX_CLAUSES,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _cards(self, row: Achievement) -> str:
        shown = row if row.name else typed({"icon": row.icon, "xp_reward": str(row.xp_reward)})
        return cards(shown, check(row.conditions).target)

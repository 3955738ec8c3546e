"""Conditions in words: what somebody has to do, as one sentence that can be translated, plurals included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format
from django.utils.text import capfirst, get_text_list
from django.utils.translation import get_language_info, gettext_lazy, ngettext, ngettext_lazy
from django.utils.translation import gettext as _

from gamification.conf import get_settings
from gamification.domain.conditions import Clause, Group
from gamification.engine.texts import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = {
    "current_streak": gettext_lazy("Running streak"),
    "longest_streak": gettext_lazy("Longest streak"),
    "active_days": gettext_lazy("Active days"),
    "total_xp_earned": gettext_lazy("XP earned"),
    "level": gettext_lazy("Level"),
    "achievements_unlocked": gettext_lazy("Achievements unlocked"),
    "early_days": gettext_lazy("Early mornings"),
    "night_days": gettext_lazy("Late nights"),
    "scenarios_completed": gettext_lazy("Scenarios completed"),
    "perfect_scenarios": gettext_lazy("Perfect scenarios"),
    "conversations_completed": gettext_lazy("Conversations held"),
    "words_learned": gettext_lazy("Words learned"),
    "study_minutes": gettext_lazy("Minutes studied"),
    "languages_practised": gettext_lazy("Languages practised"),
}
# Verbs, so that they can be joined; each is formatted with the ``count`` and, as people write it, the ``number``.
PHRASES: dict[str, Any] = {
    "current_streak": ngettext_lazy(
        "keep a streak of %(number)s day going", "keep a streak of %(number)s days going", "count"
    ),
    "longest_streak": ngettext_lazy("reach a %(number)s-day streak", "reach a %(number)s-day streak", "count"),
    "active_days": ngettext_lazy("be active on %(number)s day", "be active on %(number)s different days", "count"),
    "total_xp_earned": gettext_lazy("earn %(number)s XP"),
    "level": gettext_lazy("reach level %(number)s"),
    "achievements_unlocked": ngettext_lazy("unlock %(number)s achievement", "unlock %(number)s achievements", "count"),
    "early_days": ngettext_lazy(
        "be active between 05:00 and 08:00 on %(number)s day",
        "be active between 05:00 and 08:00 on %(number)s days",
        "count",
    ),
    "night_days": ngettext_lazy(
        "be active between 22:00 and 02:00 on %(number)s night",
        "be active between 22:00 and 02:00 on %(number)s nights",
        "count",
    ),
    "scenarios_completed": ngettext_lazy(
        "complete %(number)s scenario in any language", "complete %(number)s scenarios in any language", "count"
    ),
    "perfect_scenarios": ngettext_lazy(
        "finish %(number)s scenario with a perfect score", "finish %(number)s scenarios with a perfect score", "count"
    ),
    "conversations_completed": ngettext_lazy("hold %(number)s conversation", "hold %(number)s conversations", "count"),
    "words_learned": ngettext_lazy("learn %(number)s word", "learn %(number)s words", "count"),
    "languages_practised": ngettext_lazy(
        "complete scenarios in %(number)s language", "complete scenarios in %(number)s different languages", "count"
    ),
}


def label(metric: str) -> str:
    """Return the name of a metric for people; of the project's own ones what their name says."""
    found = LABELS.get(metric)
    return str(found) if found is not None else capfirst(metric.replace("_", " "))


def kind_name(name: str) -> str:
    """Return what people call a kind of activity; of a kind without a label, or declared no longer, its name."""
    kind = get_settings().activity_types.get(name)
    return translated(kind.label) if kind and kind.label else name


def sentence(condition: Group) -> str:
    """Return what ``condition`` asks for: "Complete 10 scenarios in any language and learn 50 words."."""
    return _("%(what)s.") % {"what": capfirst(_whole(_simplified(condition)))}


def _simplified(part: Clause | Group) -> Clause | Group:
    """Return the same condition without groups of one, and without groups joined like the one around them."""
    if isinstance(part, Clause):
        return part
    parts: list[Clause | Group] = []
    for inner in map(_simplified, part.parts):
        is_same = isinstance(inner, Group) and inner.joined_by == part.joined_by
        parts.extend(inner.parts if isinstance(inner, Group) and is_same else [inner])
    if len(parts) == 1:
        return parts[0]
    # What is simple comes first: the order means nothing, and the sentence is read more easily.
    return Group(part.joined_by, tuple(sorted(parts, key=lambda inner: isinstance(inner, Group))))


def _whole(part: Clause | Group) -> str:
    if isinstance(part, Clause):
        return _clause(part)
    texts = [_clause(inner) if isinstance(inner, Clause) else _inside(inner) for inner in part.parts]
    if all(isinstance(inner, Clause) for inner in part.parts):
        return get_text_list(texts, _("and") if part.joined_by == "all" else _("or"))
    # A comma before the last one shows where a group begins.
    words = {"first": _listed(texts[:-1]), "last": texts[-1]}
    return (_("%(first)s, and %(last)s") if part.joined_by == "all" else _("%(first)s, or %(last)s")) % words


def _inside(group: Group) -> str:
    """Return a group within another; what holds groups itself stands in brackets."""
    if any(isinstance(inner, Group) for inner in group.parts):
        return f"({_whole(group)})"
    if group.joined_by == "any":
        return _("either %(what)s") % {"what": _whole(group)}
    template = _("both %(what)s") if len(group.parts) == 2 else _("all of this: %(what)s")
    return template % {"what": _whole(group)}


def _listed(texts: Sequence[str]) -> str:
    text, *others = texts
    for other in others:
        text = _("%(first)s, %(next)s") % {"first": text, "next": other}
    return text


def _clause(clause: Clause) -> str:
    metric, is_fact, fact = clause.metric.partition(":")
    numbers = {"count": clause.value, "number": number_format(clause.value, force_grouping=True)}
    if is_fact:
        return _fact(metric, fact, numbers)
    if metric == "study_minutes":
        return _study(clause.value, numbers)
    phrase = PHRASES.get(metric)
    if phrase is not None:
        return str(phrase % numbers)
    return _("bring “%(metric)s” to at least %(number)s") % {**numbers, "metric": label(metric)}


def _study(minutes: int, numbers: dict[str, Any]) -> str:
    hours, rest = divmod(minutes, 60)
    if rest:
        return ngettext("study for %(number)s minute", "study for %(number)s minutes", minutes) % numbers
    number = {"number": number_format(hours, force_grouping=True)}
    return ngettext("study for %(number)s hour", "study for %(number)s hours", hours) % number


def _fact(metric: str, fact: str, numbers: dict[str, Any]) -> str:
    """Return what to do for one fact of a counter that counts different ones: so many scenarios in Spanish."""
    if metric != "languages_practised":
        named = {**numbers, "metric": label(metric), "fact": fact}
        return _("bring “%(metric)s: %(fact)s” to at least %(number)s") % named
    try:
        language = str(get_language_info(fact)["name_translated"])
    except KeyError:
        language = fact
    return ngettext(
        "complete %(number)s scenario in %(language)s",
        "complete %(number)s scenarios in %(language)s",
        numbers["count"],
    ) % {**numbers, "language": language}

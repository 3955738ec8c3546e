"""What the metrics of conditions mean, in words for staff."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification.admin import words
from gamification.conf import get_settings
from gamification.engine.texts import translated

MEANINGS = {
    "current_streak": gettext_lazy("days in the running streak"),
    "longest_streak": gettext_lazy("days in the longest streak ever"),
    "active_days": gettext_lazy("days with an activity, in all"),
    "total_xp_earned": gettext_lazy("XP ever earned; what was taken back does not count"),
    "level": gettext_lazy("the highest level ever reached"),
    "achievements_unlocked": gettext_lazy("achievements the user has"),
    "early_days": gettext_lazy("days with an activity between 05:00 and 08:00, in the user's time zone"),
    "night_days": gettext_lazy("nights with an activity between 22:00 and 02:00, in the user's time zone"),
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A name that conditions may use, what people call it, and what it counts.

    ``has_facts`` says that it counts different things, each of which is a metric of its own: ``name:fact``.
    """

    name: str
    label: str
    meaning: str
    has_facts: bool


def known() -> list[Metric]:
    """Return every metric with its meaning: the app's own first, then counters, then the project's, each by name."""
    settings = get_settings()
    counters = sorted(settings.counters - MEANINGS.keys())
    own = sorted(settings.METRICS.keys() - MEANINGS.keys() - settings.counters)
    meanings = {
        **{name: str(meaning) for name, meaning in MEANINGS.items()},
        **{name: _counted(name) for name in counters},
        **{name: _("computed by the project") for name in own},
    }
    return [
        Metric(name, words.label(name), meaning, name in settings.distinct_counters)
        for name, meaning in meanings.items()
    ]


def _counted(name: str) -> str:
    settings = get_settings()
    kinds = [kind for kind in settings.activity_types.values() if name in kind.counters]
    meaning = _("raised by: {kinds}").format(kinds=", ".join(translated(kind.label) or kind.name for kind in kinds))
    if name in settings.distinct_counters:
        meaning += _("; counts each different one once, and {name}:… counts one alone").format(name=name)
    return meaning

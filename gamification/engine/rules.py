"""The active definitions, compiled once per process and indexed by the metrics that they depend on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum

from gamification.conf import get_settings
from gamification.domain.conditions import Group, compile_condition
from gamification.exceptions import InvalidCondition
from gamification.models import Achievement


@dataclass(frozen=True, slots=True)
class Rule:
    """An active definition: its condition, the metrics it depends on and what it pays."""

    achievement_id: str
    name: str
    xp_reward: int
    condition: Group
    metrics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules in their order, and which of them depend on a metric."""

    rules: tuple[Rule, ...]
    by_metric: Mapping[str, tuple[int, ...]]

    def depending_on(self, metrics: Collection[str]) -> list[Rule]:
        """Return the rules that a change of ``metrics`` may meet, in their order."""
        positions = {position for metric in metrics for position in self.by_metric.get(metric, ())}
        return [self.rules[position] for position in sorted(positions)]


def compiled(definition: Achievement) -> Rule:
    """Return the rule of one definition.

    Raises:
        InvalidCondition: its condition names what the project does not know.
    """
    condition = compile_condition(definition.conditions, is_known=get_settings().is_known_metric)
    return Rule(definition.achievement_id, definition.name, definition.xp_reward, condition, condition.metrics())


_latest: tuple[Any, Rulebook] | None = None


def rulebook(known: tuple[int, int] | None = None) -> Rulebook:
    """Return the rules in force.

    Number and sum of the revisions of the definitions tell whether one was edited; only then are they compiled.
    Where nobody has read those before (``known``), it takes a small query.
    """
    global _latest  # noqa: PLW0603 -- one remembered value, replaced whole
    if known is None:
        known = tuple(Achievement.objects.aggregate(number=Count("pk"), revisions=Sum("revision")).values())
    stamp = (known, get_settings().metrics)
    if _latest is None or _latest[0] != stamp:
        _latest = (stamp, _compile())
    return _latest[1]


def _compile() -> Rulebook:
    rules: list[Rule] = []
    for row in Achievement.objects.active().order_by("order", "pk"):
        try:
            rules.append(compiled(row))
        except InvalidCondition:
            continue  # a metric that the project no longer declares: nobody can reach it until staff mend it
    by_metric: dict[str, list[int]] = {}
    for position, rule in enumerate(rules):
        for metric in rule.metrics:
            by_metric.setdefault(metric, []).append(position)
    return Rulebook(tuple(rules), {metric: tuple(positions) for metric, positions in by_metric.items()})

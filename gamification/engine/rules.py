"""The active definitions, compiled once per process and indexed by the metrics that they depend on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import or_
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
class Ladder:
    """The rules that ask for one metric. A set of rules is a number here: bit N stands for the N-th rule.

    ``within[N]`` holds those that ask for no more than the N lowest of the ``values``.
    """

    values: tuple[int, ...]
    within: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules in their order, and for each metric those that ask for it."""

    rules: tuple[Rule, ...]
    ladders: Mapping[str, Ladder]
    positions: Mapping[str, int]

    def depending_on(self, metrics: Collection[str], *, but: int = 0) -> list[Rule]:
        """Return the rules that ask for any of ``metrics``, in their order, without the set ``but``."""
        ladders = [self.ladders[metric] for metric in metrics if metric in self.ladders]
        return self._rules(reduce(or_, (ladder.within[-1] for ladder in ladders), 0) & ~but)

    def within_reach(self, metrics: Collection[str], values: Mapping[str, int], *, but: int = 0) -> list[Rule]:
        """Return the rules of which ``values`` meet what they ask of any of ``metrics``, without the set ``but``.

        It costs no more with a thousand rules than with thirty: most of the time none is left.
        """
        reached = 0
        for metric in metrics:
            if (ladder := self.ladders.get(metric)) is not None:
                reached |= ladder.within[bisect_right(ladder.values, values.get(metric, 0))]
        return self._rules(reached & ~but) if reached & ~but else []

    def set_of(self, achievement_ids: Iterable[str]) -> int:
        """Return the set of the rules of these achievements; what is no rule in force is left out."""
        known = (self.positions[name] for name in achievement_ids if name in self.positions)
        return reduce(or_, (1 << position for position in known), 0)

    def _rules(self, chosen: int) -> list[Rule]:
        found = []
        while chosen:
            lowest = chosen & -chosen
            found.append(self.rules[lowest.bit_length() - 1])
            chosen ^= lowest
        return found


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
    return indexed(rules)


def indexed(rules: Sequence[Rule]) -> Rulebook:
    """Return the rules with what it takes to find some of them by what they ask for.

    A rule that one unmet clause does not rule out is always within reach.
    """
    asked: dict[str, dict[int, int]] = {}
    for position, rule in enumerate(rules):
        for clause in rule.condition.clauses():
            value = clause.value if rule.condition.needs_every_clause() else 0
            steps = asked.setdefault(clause.metric, {})
            steps[value] = steps.get(value, 0) | 1 << position
    ladders = {}
    for metric, steps in asked.items():
        values = sorted(steps)
        ladders[metric] = Ladder(tuple(values), tuple(accumulate((steps[value] for value in values), or_, initial=0)))
    return Rulebook(tuple(rules), ladders, {rule.achievement_id: position for position, rule in enumerate(rules)})

"""Conditions of achievements: a small tree of data, validated once, evaluated by look-up only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gamification.exceptions import InvalidCondition

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

VERSION = 1
MAX_DEPTH = 3
MAX_CLAUSES = 20
MAX_BYTES = 4096
MAX_VALUE = 10**12


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a condition is met: ``percent`` is 0 to 100, floored; ``current`` and ``target`` are raw values."""

    percent: int
    current: int
    target: int


@dataclass(frozen=True, slots=True)
class Clause:
    """``metric`` is at least ``value``."""

    metric: str
    value: int

    def is_met(self, values: Mapping[str, int]) -> bool:
        return values.get(self.metric, 0) >= self.value

    def percent(self, values: Mapping[str, int]) -> int:
        """Return how far it is met, from 0 to 100, floored."""
        current = values.get(self.metric, 0)
        return 100 if current >= self.value else max(0, 100 * current // self.value)

    def progress(self, values: Mapping[str, int]) -> Progress:
        return Progress(self.percent(values), values.get(self.metric, 0), self.value)

    def clauses(self) -> Iterator[Clause]:
        yield self


@dataclass(frozen=True, slots=True)
class Group:
    """All or any of the parts hold. The progress of ``all`` is that of its smallest part, of ``any`` of its largest."""

    joined_by: Literal["all", "any"]
    parts: tuple[Clause | Group, ...]

    def is_met(self, values: Mapping[str, int]) -> bool:
        met = (part.is_met(values) for part in self.parts)
        return all(met) if self.joined_by == "all" else any(met)

    def percent(self, values: Mapping[str, int]) -> int:
        """Return how far it is met, from 0 to 100, floored."""
        percents = [part.percent(values) for part in self.parts]
        return min(percents) if self.joined_by == "all" else max(percents)

    def needs_every_clause(self) -> bool:
        """Tell whether one unmet clause is enough for the condition not to be met."""
        is_joined = self.joined_by == "all" or len(self.parts) == 1
        return is_joined and all(isinstance(part, Clause) or part.needs_every_clause() for part in self.parts)

    def clauses(self) -> Iterator[Clause]:
        """Yield every clause, at whatever depth."""
        for part in self.parts:
            yield from part.clauses()

    def progress(self, values: Mapping[str, int]) -> Progress:
        choose: Callable[..., Progress] = min if self.joined_by == "all" else max
        return choose((part.progress(values) for part in self.parts), key=lambda part: part.percent)

    def metrics(self) -> frozenset[str]:
        return frozenset(clause.metric for clause in self.clauses())


def compile_condition(raw: object, *, is_known: Callable[[str], bool]) -> Group:
    """Return the condition that ``raw`` describes.

    Raises:
        InvalidCondition: a sentence that names the place, such as ``all[1].value``, and the rule.
    """
    if not isinstance(raw, dict):
        raise InvalidCondition("The condition must be an object.", field="conditions")
    _check_size(raw)
    if type(raw.get("v")) is not int or raw["v"] != VERSION:
        raise _refused("v", f"must be {VERSION}")
    group = _group({name: part for name, part in raw.items() if name != "v"}, "", 1, is_known)
    if _count(group) > MAX_CLAUSES:
        raise _refused("", f"has more than {MAX_CLAUSES} clauses")
    return group


def _check_size(raw: dict[Any, Any]) -> None:
    try:
        size = len(json.dumps(raw, ensure_ascii=False).encode(errors="surrogatepass"))
    except (RecursionError, ValueError, TypeError) as error:
        raise _refused("", "is not plain JSON text") from error
    if size > MAX_BYTES:
        raise _refused("", f"is larger than {MAX_BYTES} bytes")


def _group(raw: dict[Any, Any], place: str, depth: int, is_known: Callable[[str], bool]) -> Group:
    if depth > MAX_DEPTH:
        raise _refused(place, f"is nested more than {MAX_DEPTH} deep")
    if len(raw) != 1 or not raw.keys() <= {"all", "any"}:
        raise _refused(place, f"must have either 'all' or 'any' and nothing else, not {_names(raw)}")
    joined_by, items = next(iter(raw.items()))
    inside = f"{place}.{joined_by}" if place else joined_by
    if not isinstance(items, list) or not items:
        raise _refused(inside, "must be a list of at least one clause")
    return Group(
        joined_by, tuple(_part(item, f"{inside}[{index}]", depth, is_known) for index, item in enumerate(items))
    )


def _part(raw: object, place: str, depth: int, is_known: Callable[[str], bool]) -> Clause | Group:
    if not isinstance(raw, dict):
        raise _refused(place, "must be an object")
    if "metric" not in raw and raw.keys() & {"all", "any"}:
        return _group(raw, place, depth + 1, is_known)
    if raw.keys() != {"metric", "op", "value"}:
        raise _refused(place, f"must have 'metric', 'op' and 'value' and nothing else, not {_names(raw)}")
    metric, op, value = raw["metric"], raw["op"], raw["value"]
    if not isinstance(metric, str) or not is_known(metric):
        raise _refused(f"{place}.metric", f"{_shown(metric)} is not a known metric")
    if op != "gte":
        raise _refused(f"{place}.op", "must be 'gte'")
    if type(value) is not int or not 1 <= value <= MAX_VALUE:
        raise _refused(f"{place}.value", f"must be a whole number from 1 to {MAX_VALUE:,}")
    return Clause(metric, value)


def _count(part: Clause | Group) -> int:
    return 1 if isinstance(part, Clause) else sum(_count(inner) for inner in part.parts)


def _names(raw: Collection[object]) -> str:
    return ", ".join(sorted(_shown(name) for name in raw)) or "nothing"


def _shown(value: object) -> str:
    return ascii(value)[:60]


def _refused(place: str, rule: str) -> InvalidCondition:
    where = f"conditions.{place}" if place else "conditions"
    return InvalidCondition(f"{where}: {rule}.", field="conditions", place=place, rule=rule)

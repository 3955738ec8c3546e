"""Kinds of activity: what each may carry, which counters it raises and what it pays."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gamification.domain import rewards
from gamification.domain.limits import Limits
from gamification.exceptions import InvalidInput

FACT_MAX_LENGTH = 50
AMOUNT_MAX = 10**9
Reward = int | Callable[[Mapping[str, Any]], int]

EARLY_DAYS = "early_days"
NIGHT_DAYS = "night_days"
ACHIEVEMENTS_UNLOCKED = "achievements_unlocked"
#: Counters that follow from the day or from unlocking, whatever the kind.
DERIVED_COUNTERS = (EARLY_DAYS, NIGHT_DAYS, ACHIEVEMENTS_UNLOCKED)


@dataclass(frozen=True, eq=False)
class ActivityType:
    """A kind of activity, as the project declares it.

    ``counters`` maps a counter's name to how far one activity raises it: a whole number, the name of a field of the
    activity's data (a truth value counts as 0 or 1), or ``{"distinct": FIELD}``, which counts each value of the field
    once. ``schema`` is a JSON Schema of the data, or None for any object. ``is_multiplied`` says whether the quantity
    multiplies counters and XP. ``limits`` hold for each person.
    """

    name: str
    counters: Mapping[str, int | str | Mapping[str, str]] = field(default_factory=dict)
    xp: Reward = 0
    schema: Mapping[str, Any] | None = None
    is_multiplied: bool = True
    label: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def distinct_counters(self) -> dict[str, str]:
        """Return the counters of distinct facts, each with the field that holds the fact."""
        return {name: step["distinct"] for name, step in self.counters.items() if isinstance(step, Mapping)}

    def raised_by(self, data: Mapping[str, Any], quantity: int) -> dict[str, int]:
        """Return how far one activity raises each counter; a distinct fact appears as ``counter:fact``."""
        factor = quantity if self.is_multiplied else 1
        raised: dict[str, int] = {}
        for name, step in self.counters.items():
            if isinstance(step, Mapping):
                fact = data.get(step["distinct"])
                if fact is not None:
                    raised[f"{name}:{_normalised(step['distinct'], fact)}"] = 1
                continue
            amount = step if isinstance(step, int) else _whole(step, data.get(step, 0))
            if amount:
                raised[name] = amount * factor
        return raised

    def pays(self, data: Mapping[str, Any], quantity: int) -> int:
        """Return the XP of one activity."""
        xp = self.xp if isinstance(self.xp, int) else self.xp(data)
        if type(xp) is not int:
            raise InvalidInput(f"{self.name} pays {xp!r} XP, which is no whole number.", field="kind")
        return xp * quantity if self.is_multiplied else xp


def _normalised(field_name: str, fact: object) -> str:
    """Return the fact as it is counted: a language by its primary subtag, in lower case."""
    text = fact if isinstance(fact, str) else ""
    if not text or len(text) > FACT_MAX_LENGTH or not text.isprintable():
        raise InvalidInput(
            f"data.{field_name} must be a text of 1 to {FACT_MAX_LENGTH} printable characters.",
            field=f"data.{field_name}",
        )
    return text.split("-")[0].lower() if field_name == "language" else text


def _whole(field_name: str, value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= AMOUNT_MAX:
        raise InvalidInput(
            f"data.{field_name} must be a whole number from 0 to {AMOUNT_MAX:,}.", field=f"data.{field_name}"
        )
    return int(value)


LANGUAGE_PATTERN = re.compile(r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
_MINUTES = {"type": "integer", "minimum": 0, "maximum": 1440}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


SHIPPED: tuple[ActivityType, ...] = (
    ActivityType(
        name="scenario_completed",
        label="Scenario completed",
        counters={
            "scenarios_completed": 1,
            "study_minutes": "minutes",
            "perfect_scenarios": "perfect",
            "languages_practised": {"distinct": "language"},
        },
        xp=rewards.scenario_xp,
        schema=_object(
            difficulty={"enum": list(rewards.SCENARIO_BASE)},
            minutes=_MINUTES,
            perfect={"type": "boolean"},
            language={"type": "string", "maxLength": 35, "pattern": LANGUAGE_PATTERN.pattern},
        ),
    ),
    ActivityType(
        name="conversation_completed",
        label="Conversation completed",
        counters={"conversations_completed": 1, "study_minutes": "minutes"},
        schema=_object(minutes=_MINUTES),
    ),
    ActivityType(name="words_learned", label="Words learned", counters={"words_learned": 1}, schema=_object()),
    ActivityType(
        name="study_session",
        label="Study session",
        counters={"study_minutes": "minutes"},
        schema=_object(minutes=_MINUTES),
    ),
    ActivityType(name="daily_visit", label="Daily visit", schema=_object()),
)

"""The worked cases of ``vectors/streaks.json``, parsed. They go through the rules and through the services."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gamification.tests.servers import ROOT

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

PATH = ROOT.parent / "shared" / "vectors" / "streaks.json"
NOT_GIVEN = object()


@dataclass(frozen=True)
class Step:
    """One step: ``occurred_at`` and ``is_trusted`` belong to ``act``, ``zone`` to ``tz``; ``now`` is the clock."""

    op: str
    now: datetime
    expect: dict[str, Any]
    expires: Any
    occurred_at: datetime | None = None
    is_trusted: bool = True
    zone: str = ""


@dataclass(frozen=True)
class Case:
    id: str
    zone: str
    freezes: int
    auto: bool
    steps: list[Step]

    @property
    def settings(self) -> dict[str, Any]:
        """Return the ``GAMIFICATION`` under which the services answer the case."""
        return {
            "DEFAULT_TIMEZONE": self.zone,
            "STREAK_FREEZES": self.freezes,
            "STREAK_AUTO_FREEZE": self.auto,
            "STREAK_FREEZE_EARNED_EVERY": 0,
        }


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _step(raw: dict[str, Any]) -> Step:
    arguments = raw.get("arg", [])
    is_act = raw["op"] == "act"
    expires = raw.get("expires", NOT_GIVEN)
    return Step(
        op=raw["op"],
        now=moment(raw["at"]),
        expect=raw["expect"],
        expires=moment(expires) if isinstance(expires, str) else expires,
        occurred_at=moment(arguments[0]) if is_act and arguments else None,
        is_trusted=arguments[1] if is_act and len(arguments) > 1 else True,
        zone=arguments[0] if raw["op"] == "tz" else "",
    )


def cases() -> list[ParameterSet]:
    """Return the cases as parameters of a test; none, and so a skipped test, where the file is not there."""
    if not PATH.is_file():
        return []
    return [
        pytest.param(
            Case(raw["id"], raw["tz"], raw["freezes"], raw["auto"], [_step(step) for step in raw["steps"]]),
            id=f"{raw['id']} {raw['title']}",
        )
        for raw in json.loads(PATH.read_text())
    ]

"""The worked cases through the pure rules; ``services/test_streaks.py`` sends the same ones through the services."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gamification.domain import calendar, streaks
from gamification.domain.streaks import Policy, Streak
from gamification.exceptions import GamificationError
from gamification.tests.domain.vectors import NOT_GIVEN, Case, Step, cases

WINDOW = timedelta(days=7)


class Walk:
    """Somebody whose days are kept in memory, as the services keep them in rows."""

    def __init__(self, case: Case) -> None:
        self.zone = ZoneInfo(case.zone)
        self.policy = Policy(auto_freeze=case.auto, freezes_max=3, earned_every=0)
        self.streak = Streak(freezes=case.freezes)
        self.days: dict[date, str] = {}

    def take(self, step: Step) -> dict[str, Any]:
        """Take one step and return what was answered."""
        try:
            told = getattr(self, step.op)(step)
        except GamificationError as refused:
            told = {"code": refused.code, "status_code": refused.status_code}
        reading = streaks.read(self.streak, step.now, self.zone, self.policy)
        assert reading.expires_at == streaks.expires_at(self.streak, self.zone, self.policy)
        seen = {"current": reading.current, "longest": reading.longest, "freezes": reading.freezes}
        return {**seen, "status": reading.status.value, **told}

    def act(self, step: Step) -> dict[str, Any]:
        at = min(step.occurred_at or step.now, step.now)
        if step.now - at > WINDOW:
            return {"action": None, "reason": "outside_window"}
        day = calendar.local_date(at, self.zone)
        return self._become(streaks.act(self.streak, day, at, self.zone, self.policy, self.days))

    def freeze(self, step: Step) -> dict[str, Any]:
        change = streaks.freeze(self.streak, step.now, self.zone, self.policy)
        return {**self._become(change), "replayed": not change.transitions}

    def tz(self, step: Step) -> dict[str, Any]:
        self.zone = ZoneInfo(step.zone)
        return {}

    def read(self, step: Step) -> dict[str, Any]:
        return {}

    def _become(self, change: streaks.Change) -> dict[str, Any]:
        self.streak = change.streak
        self.days |= {mark.date: mark.status.value for mark in change.days}
        return {"action": change.action, "transitions": list(change.transitions)}


@pytest.mark.parametrize("case", cases())
def test_a_worked_case_is_answered_step_by_step(case):
    walk = Walk(case)

    for number, step in enumerate(case.steps):
        told = walk.take(step)

        assert told == step.expect, f"step {number}: {step.op} at {step.now}"
        if step.expires is not NOT_GIVEN:
            assert streaks.expires_at(walk.streak, walk.zone, walk.policy) == step.expires

"""Tokens are earned within a run, whatever was done before it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gamification.domain.streaks import Policy, Streak, act


@pytest.mark.parametrize(("current", "total", "earned"), [(6, 9, 1), (2, 6, 0)])
def test_a_token_is_earned_by_the_days_of_a_run_and_not_by_those_of_all_runs(current, total, earned):
    day, at = date(2026, 6, 10), datetime(2026, 6, 10, 12, tzinfo=UTC)
    streak = Streak(current, 6, 0, total, day, day, at)

    change = act(streak, date(2026, 6, 11), datetime(2026, 6, 11, 12, tzinfo=UTC), ZoneInfo("UTC"), Policy())

    assert change.streak.freezes == earned

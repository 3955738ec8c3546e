"""Whatever people and staff do, in whatever order: what is stored is what the log, the ledger and the days say."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from gamification.exceptions import GamificationError
from gamification.models import UserAchievement, UserCounter, UserStreak, UserXP, XPTransaction
from gamification.services import achievements, activities, integrity, streaks, xp
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at, snapshot
from gamification.tests.properties import DATABASE

pytestmark = pytest.mark.django_db

START = at("2026-03-20T12:00")
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Honolulu", "Africa/Cairo"]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("daily_visit", {}),
    ("words_learned", {}),
    ("scenario_completed", {"difficulty": "beginner", "minutes": 30, "language": "es", "perfect": True}),
    ("conversation_completed", {"minutes": 15}),
]
GRANTED = ["first_steps", "word_collector", "week_warrior"]

waits = st.one_of(st.integers(0, 600), st.integers(1300, 1600), st.integers(0, 5 * 1440))
steps = st.one_of(
    st.tuples(st.just("record"), waits, st.sampled_from(KINDS), st.integers(0, 9 * 1440) | st.just(0)),
    st.tuples(st.just("record"), waits, st.sampled_from(KINDS), st.just(0)),
    st.tuples(st.just("touch"), waits),
    st.tuples(st.just("freeze"), waits),
    st.tuples(st.just("move"), waits, st.sampled_from(ZONES)),
    st.tuples(st.just("award"), waits, st.integers(-400, 400).filter(bool)),
    st.tuples(st.just("reverse"), waits, st.integers(0, 30)),
    st.tuples(st.just("grant"), waits, st.sampled_from(GRANTED)),
    st.tuples(st.just("revoke"), waits, st.sampled_from(GRANTED)),
    st.tuples(st.just("check"), waits),
)


def take(user: Any, number: int, step: tuple[Any, ...], now: datetime) -> None:
    """Do one thing; a refusal is as good as any answer."""
    name, arguments = step[0], step[2:]
    if name == "record":
        (kind, data), back = arguments
        moment = now - timedelta(minutes=back)
        activities.record(user, kind, key=f"{number}", data=data, occurred_at=moment, quantity=1 + number % 3, now=now)
    elif name == "award":
        xp.award(user, arguments[0], reason="test", key=f"{number}", now=now)
    elif name == "reverse":
        rows = list(XPTransaction.objects.filter(user=user))
        if rows:
            xp.reverse(rows[arguments[0] % len(rows)], reason="test", now=now)
    elif name == "move":
        streaks.set_timezone(user, arguments[0], now=now)
    elif name in ("touch", "freeze"):
        getattr(streaks, name)(user, now=now)
    elif name == "check":
        achievements.check(user, now=now)
    else:
        service = achievements.unlock if name == "grant" else achievements.revoke
        service(user, arguments[0], now=now)


def figures(user: Any) -> dict[str, int]:
    """Return what never falls."""
    row, total = UserStreak.objects.get(user=user), UserXP.objects.get(user=user)
    progress = UserAchievement.objects.filter(user=user).values_list("achievement_id", "progress")
    return {
        "longest": row.longest_streak,
        "active days": row.total_active_days,
        "highest level": total.highest_level,
        **{f"progress of {name}": percent for name, percent in progress},
        **{
            f"counter {name}": value
            for name, value in UserCounter.objects.filter(user=user).values_list("name", "value")
            if name != "achievements_unlocked"
        },
    }


@pytest.mark.parametrize("auto", [True, False], ids=["by themselves", "by hand"])
@DATABASE
@given(st.lists(steps, min_size=1, max_size=20))
def test_nothing_drifts_and_what_must_not_fall_does_not(auto, drawn):
    achievements.initialize()
    ada, now = UserFactory(), START
    xp.initialize(ada)
    history = [figures(ada)]

    with override_settings(GAMIFICATION={"STREAK_AUTO_FREEZE": auto, "STREAK_FREEZE_EARNED_EVERY": 3}):
        for number, step in enumerate(drawn):
            now += timedelta(minutes=step[1])
            before = snapshot()
            try:
                take(ada, number, step, now)
            except GamificationError:
                assert snapshot() == before
            history.append(figures(ada))

        assert [str(drift) for drift in integrity.verify(users=[ada], now=now)] == []

    row = UserStreak.objects.get(user=ada)
    assert row.longest_streak >= row.current_streak >= 0
    assert 0 <= row.streak_freezes_available <= 3
    for earlier, later in pairwise(history):
        assert all(later[name] >= value for name, value in earlier.items())

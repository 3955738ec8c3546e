"""What was recorded and then voided, against a life in which it never was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from gamification.exceptions import GamificationError
from gamification.models import Activity, UserCounter, UserDay, UserStreak, UserXP, XPTransaction
from gamification.models.xp import Source
from gamification.services import activities, integrity, streaks
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at
from gamification.tests.properties import DATABASE
from gamification.tests.services.ledger_model import KINDS

pytestmark = pytest.mark.django_db

START = at("2026-03-20T12:00")
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Honolulu"]

waits = st.one_of(st.integers(0, 600), st.integers(1300, 1600), st.integers(1300, 1600), st.integers(0, 4 * 1440))
backs = st.one_of(st.just(0), st.just(0), st.integers(0, 8 * 1440))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("act"), waits, st.integers(0, len(KINDS) - 1), backs),
        st.tuples(st.just("act"), waits, st.integers(0, len(KINDS) - 1), backs),
        st.tuples(st.just("freeze"), waits),
        st.tuples(st.just("move"), waits, st.sampled_from(ZONES)),
    ),
    min_size=1,
    max_size=14,
)


def live(user: Any, drawn: list[tuple[Any, ...]], but: set[int]) -> tuple[dict[int, Activity], set[int], datetime]:
    """Take the steps, without those numbered in ``but``.

    Return the activities by number, the numbers of the freezes that were not granted, and the end.
    """
    now, done, refused = START, {}, set()
    for number, step in enumerate(drawn):
        now += timedelta(minutes=step[1])
        if step[0] == "move":
            streaks.set_timezone(user, step[2], now=now)
        elif number in but:
            continue
        elif step[0] == "freeze":
            try:
                is_new = not streaks.freeze(user, now=now).is_replay
            except GamificationError:
                is_new = False
            refused |= set() if is_new else {number}
        else:
            kind, data, *_ = KINDS[step[2]]
            moment = now - timedelta(minutes=step[3])
            receipt = activities.record(user, kind, key=f"{number}", data=data, occurred_at=moment, now=now)
            done[number] = receipt.activity
    return done, refused, now


def days(user: Any) -> dict[Any, tuple[Any, ...]]:
    """Return what each day of ``user`` came to, without tokens and XP."""
    rows = UserDay.objects.filter(user=user).values_list("date", "status", "activities", "is_early", "is_night")
    return {on: tuple(told) for on, *told in rows if any(told)}


def told(user: Any) -> dict[str, Any]:
    """Return what follows from the log alone."""
    streak, total = UserStreak.objects.get(user=user), UserXP.objects.get(user=user)
    bonuses = XPTransaction.objects.filter(user=user, source=Source.STREAK).values_list("xp_amount", "reversed_by")
    return {
        "counters": {row.name: row.value for row in UserCounter.objects.filter(user=user) if row.value},
        "total without bonuses": total.total_xp - sum(xp for xp, reversed_by in bonuses if reversed_by is None),
        "streak": (streak.current_streak, streak.longest_streak, streak.total_active_days),
        "last": (streak.last_activity_date, streak.last_at),
    }


def drifts(user: Any, now: datetime) -> list[str]:
    return [str(drift) for drift in integrity.verify(users=[user], now=now)]


@pytest.mark.parametrize("auto", [True, False], ids=["by themselves", "by hand"])
@DATABASE
@given(steps, st.sets(st.integers(0, 13), min_size=1, max_size=3), st.randoms(use_true_random=False))
@example([("act", 0, 3, 0), ("act", 2880, 3, 0), ("act", 1440, 3, 0)], {0}, None)
def test_recorded_and_voided_is_as_never_recorded(auto, drawn, chosen, order):
    """Without freezes everything is the same; with them, all but what stays used."""
    settings = {"STREAK_FREEZES": 0, "STREAK_FREEZES_MAX": 0, "STREAK_AUTO_FREEZE": auto}
    with override_settings(GAMIFICATION=settings):
        ada, bob = UserFactory(), UserFactory()
        done, refused, now = live(ada, drawn, set())
        live(bob, drawn, refused | chosen)
        streaks.initialize(ada), streaks.initialize(bob)
        void = [done[number] for number in sorted(chosen) if number in done]
        if order is not None:
            order.shuffle(void)
        for row in void:
            activities.void(row, reason="test", now=now)

        assert (told(ada), days(ada)) == (told(bob), days(bob))
        assert UserStreak.objects.get(user=ada).expires_at == UserStreak.objects.get(user=bob).expires_at
        assert drifts(ada, now) == []


@DATABASE
@given(steps, st.integers(0, 13))
def test_with_freezes_all_but_those_that_stay_used_is_as_never_recorded(drawn, chosen):
    with override_settings(GAMIFICATION={"STREAK_FREEZE_EARNED_EVERY": 3}):
        ada, bob = UserFactory(), UserFactory()
        done, refused, now = live(ada, drawn, set())
        live(bob, drawn, refused | {number for number in done if number == chosen})
        streaks.initialize(ada), streaks.initialize(bob)
        spent = tokens_spent(ada)
        if chosen in done:
            activities.void(done[chosen], reason="test", now=now)

        mine, hers = UserStreak.objects.get(user=ada), UserStreak.objects.get(user=bob)
        assert told(ada) == told(bob)
        assert mine.streak_freezes_available <= hers.streak_freezes_available
        assert tokens_spent(ada) >= min(spent, tokens_spent(bob))
        assert 0 <= mine.streak_freezes_available <= 3
        # Behind the last day of the other life, days that tokens covered stay covered.
        kept, never = days(ada), days(bob)
        assert {on: day for on, day in kept.items() if on in never} == never
        extra = {on: day[0] for on, day in kept.items() if on not in never}
        assert set(extra.values()) <= {"frozen", "skipped"}
        assert all(hers.last_day is not None and on > hers.last_day for on in extra)
        assert drifts(ada, now) == []


def tokens_spent(user: Any) -> int:
    rows = UserDay.objects.filter(user=user).values_list("freezes_used", "freezes_returned")
    return sum(used - returned for used, returned in rows)

"""Farming: what an ordinary user gains by tricks with zones, clocks, keys and freezes. The big search is a script."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gamification.exceptions import BackdatingNotAllowed, FutureEvent, GamificationError, IdempotencyConflict
from gamification.models import UserStreak
from gamification.services import achievements, activities, streaks, xp
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at, noon
from gamification.tests.services import farmers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings):
    settings.GAMIFICATION = farmers.SETTINGS


@pytest.fixture
def eve():
    return UserFactory(username="eve")


def commit(user, key, **given):
    return activities.record(user, "commit", key=key, trusted=False, **given)


@pytest.mark.parametrize("seed", range(5))
def test_a_life_of_tricks_gains_a_day_at_most_and_what_the_limits_allow(seed):
    achievements.initialize()

    life = farmers.live(seed)

    assert life.broken == []
    assert life.days_gained <= 1


def test_hopping_between_the_ends_of_the_world_gains_one_day(eve):
    """Five dates can be touched within 46 hours and two minutes, where somebody honest touches three."""
    zones = [("2026-06-01T11:59", "Etc/GMT+12"), ("2026-06-02T12:01", "Pacific/Kiritimati")]
    visits = ["2026-06-01T11:59", "2026-06-01T12:00", "2026-06-02T12:00", "2026-06-02T12:01", "2026-06-03T10:01"]
    moves = dict(zones)
    refused = 0

    for moment in visits:
        if moment in moves:
            try:
                streaks.set_timezone(eve, moves[moment], now=at(moment), by_staff=False)
            except GamificationError:
                refused += 1
        streaks.touch(eve, now=at(moment))

    assert refused == 1
    assert UserStreak.objects.get(user=eve).total_active_days <= 3 + 1


def test_made_up_moments_new_keys_and_old_ones_gain_nothing_past_the_limits(eve):
    now = noon(1)
    for shift, refusal in ((-301, BackdatingNotAllowed), (301, FutureEvent)):
        with pytest.raises(refusal):
            commit(eve, f"{shift}", occurred_at=now + timedelta(seconds=shift), now=now)
    for number in range(20):
        commit(eve, f"{number}", quantity=10_000, now=now)
        commit(eve, f"{number}", quantity=10_000, now=now)
    with pytest.raises(IdempotencyConflict):
        commit(eve, "0", quantity=9_999, now=now)

    assert xp.level(eve).total_xp == 95 + 5


def test_reports_in_reverse_order_of_time_do_not_slip_under_a_cooldown(eve):
    now = noon(1)

    receipts = [
        activities.record(
            eve, "review", key=f"{seconds}", occurred_at=now - timedelta(seconds=seconds), now=now, trusted=False
        )
        for seconds in range(0, 300, 30)
    ]

    assert [receipt.capped_by is None for receipt in receipts] == [turn % 4 == 0 for turn in range(10)]

"""Rebuilding boards from the command line."""

from __future__ import annotations

import pytest

from gamification.models import LeaderboardCache
from gamification.services import leaderboards, xp
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import noon

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _people():
    for number in range(3):
        xp.award(UserFactory(), 10 + number, reason="test", key="k", now=noon(1))


def test_all_boards_are_rebuilt(manage):
    outcome = manage("refresh_leaderboards")

    assert outcome.code == 0
    assert [line.split()[:3] for line in outcome.out.splitlines()[:1]] == [["xp_all_time", "3", "people"]]
    assert [line.split()[0] for line in outcome.out.splitlines()] == [*leaderboards.metrics(), "7"]
    assert set(LeaderboardCache.objects.values_list("metric", flat=True)) == set(leaderboards.metrics())


def test_those_that_are_named_are_rebuilt_each_once(manage):
    outcome = manage("refresh_leaderboards", "xp_all_time", "streak_current", "xp_all_time")

    assert [line.split()[0] for line in outcome.out.splitlines()] == ["xp_all_time", "streak_current", "2"]
    assert LeaderboardCache.objects.count() == 2


def test_a_rebuild_does_not_wait_until_the_snapshot_is_old(manage):
    leaderboards.top("xp_all_time")
    before = LeaderboardCache.objects.get()
    xp.award(UserFactory(), 5, reason="test", key="k")

    manage("refresh_leaderboards", "xp_all_time")

    after = LeaderboardCache.objects.get()
    assert after.cached_at > before.cached_at
    assert len(after.data["current"]["entries"]) == 4


def test_a_board_that_there_is_not_rebuilds_nothing(manage):
    outcome = manage("refresh_leaderboards", "xp_all_time", "xp_\ud800", "nonsense")

    assert (outcome.code, LeaderboardCache.objects.count()) == (1, 0)
    assert outcome.err.startswith("'xp_\\ud800', 'nonsense': no such board; there are xp_all_time, xp_weekly, ")

"""How rare each achievement is: counted seldom, for everybody at once."""

from __future__ import annotations

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.db.models import Count

from gamification.engine import shares
from gamification.models import UserAchievement
from gamification.services import achievements, activities, xp
from gamification.tests.api.caches import BROKEN, DUMMY
from gamification.tests.factories import AchievementFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    """Return one of three players, who has the achievement ``one``."""
    AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=0)
    AchievementFactory(achievement_id="two", metric="words_learned", value=1000, xp_reward=0)
    user = UserFactory()
    activities.record(user, "words_learned", key="words", quantity=3)
    for _ in range(2):
        xp.initialize(UserFactory())
    return user


def test_a_share_is_of_all_players(ada):
    assert achievements.share_of_holders("one") == 33.3
    assert achievements.share_of_holders("two") == 0
    assert {name: round(share) for name, share in achievements.shares_of_holders().items()} == {"one": 33}


def test_what_was_taken_back_is_nobodys(ada):
    achievements.revoke(ada, "one")

    assert achievements.share_of_holders("one") == 0
    assert achievements.shares_of_holders().get("one", 0) == 0

    achievements.unlock(ada, "one")
    cache.clear()
    assert achievements.share_of_holders("one") == 33.3


@pytest.mark.parametrize("name", ["nonsense", "", "\x00", "\ud800"])
def test_nobody_has_what_there_is_not(ada, name):
    assert achievements.share_of_holders(name) == 0


def test_where_nobody_plays_nobody_has_anything():
    assert achievements.share_of_holders("one") == 0
    assert achievements.shares_of_holders() == {}


def test_it_is_counted_once_for_everybody(ada, django_assert_num_queries):
    with django_assert_num_queries(2):
        achievements.shares_of_holders()

    with django_assert_num_queries(0):
        achievements.shares_of_holders()
        achievements.share_of_holders("one")


def test_it_is_counted_again_when_its_time_is_over(ada):
    with time_machine.travel("2026-06-01 12:00", tick=False) as clock:
        achievements.shares_of_holders()
        achievements.revoke(ada, "one")
        clock.shift(shares.FRESH - 1)
        assert achievements.share_of_holders("one") == 33.3

        clock.shift(1)
        assert achievements.share_of_holders("one") == 0


def test_a_count_that_took_long_stands_long(ada, monkeypatch):
    ticks = iter([100.0, 102.5])
    monkeypatch.setattr(shares.time, "perf_counter", lambda: next(ticks))

    with time_machine.travel("2026-06-01 12:00", tick=False):
        counted = shares.count()
        assert counted.fresh_until == shares.time.time() + 2500


def test_while_one_process_counts_the_others_are_given_what_was(ada, django_assert_num_queries):
    cache.add(shares.CLAIM, 1, shares.CLAIMED)

    with django_assert_num_queries(0):
        assert achievements.shares_of_holders() == {}
    assert achievements.share_of_holders("one") == 33.3, "of a single one it is counted on the spot"


@pytest.mark.parametrize("backend", [BROKEN, DUMMY])
def test_without_a_cache_pages_count_nothing(ada, settings, backend, django_assert_num_queries):
    settings.CACHES = {"default": {"BACKEND": backend}}

    with django_assert_num_queries(0):
        assert achievements.shares_of_holders() == {}
    assert achievements.share_of_holders("one") == 33.3


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other plans depend on how many rows there are")
def test_counting_reads_an_index_and_no_table(ada):
    rows = UserAchievement.objects.unlocked().order_by().values_list("achievement_id").annotate(number=Count("*"))

    assert rows.explain().endswith("COVERING INDEX gamification_unlocks")

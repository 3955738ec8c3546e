"""Notices: what there is to celebrate, kept until it is taken, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from django.db import connections

from gamification.models import Notice
from gamification.services import achievements, activities, imports, notices, xp
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.helpers import noon

pytestmark = pytest.mark.django_db
NOW = noon(10)


def told(user):
    return [(row.kind, row.subject, row.xp) for row in notices.take(user)]


@pytest.fixture
def ada():
    AchievementFactory(achievement_id="a_word", metric="words_learned", value=1, xp_reward=70)
    return UserFactory(username="ada")


def test_an_unlock_and_a_level_are_told_once(ada):
    activities.record(ada, "words_learned", key="a", now=NOW)
    xp.award(ada, 100, reason="a prize", key="p", now=NOW)

    assert told(ada) == [("achievement", "a_word", 70), ("level", "2", 0)]
    assert told(ada) == []


def test_a_replay_tells_nothing_again(ada):
    activities.record(ada, "words_learned", key="a", now=NOW)
    notices.take(ada)

    activities.record(ada, "words_learned", key="a", now=NOW)

    assert told(ada) == []


def test_old_history_is_not_celebrated_and_what_is_new_in_it_is(ada):
    AchievementFactory(achievement_id="two_words", metric="words_learned", value=2, xp_reward=200)
    lines = ["user,kind,key,occurred_at"]
    lines += [f"ada,words_learned,{on},{at.isoformat()}" for on, at in (("old", noon(2)), ("new", noon(9)))]

    imports.run(BytesIO("\n".join(lines).encode()), now=NOW)

    assert told(ada) == [("achievement", "two_words", 200), ("level", "3", 0)]


def test_what_was_taken_back_before_it_was_told_is_not_told(ada):
    activities.record(ada, "words_learned", key="a", now=NOW)

    achievements.revoke(ada, "a_word", reason="a mistake", now=NOW)

    assert told(ada) == []


def test_those_of_others_stay(ada):
    eve = UserFactory(username="eve")
    for user in (ada, eve):
        activities.record(user, "words_learned", key="a", now=NOW)

    notices.take(ada)

    assert len(told(eve)) == 1


def test_where_there_is_nothing_nothing_is_written(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert notices.take(ada) == ()


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_gets_it(ada):
    activities.record(ada, "words_learned", key="a", now=NOW)

    def take(_: int) -> int:
        try:
            return len(notices.take(ada))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(8)))

    assert sorted(taken) == [0, 0, 0, 0, 0, 0, 0, 1]
    assert not Notice.objects.exists()

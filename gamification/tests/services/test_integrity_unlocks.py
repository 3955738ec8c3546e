"""Drifts of what is unlocked, of progress, of levels once reached and of kept leaderboards; and lost unlocks beside
what people go on doing.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from gamification.models import Activity, LeaderboardCache, UserAchievement, UserCounter, UserXP, XPTransaction
from gamification.services import achievements, activities, integrity, leaderboards, privacy, xp
from gamification.tests.backends.people import person
from gamification.tests.factories import AchievementFactory, UserFactory, XPTransactionFactory
from gamification.tests.services.lives import NOW, lively

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    achievements.initialize()
    return lively()


def facts():
    return [drift.fact for drift in integrity.verify(now=NOW)]


def mend():
    return [drift.fact for drift in integrity.repair(now=NOW)]


def ledger():
    return XPTransaction._base_manager.all()


# Levels


def high(score):
    user = person()
    xp.award(user, score, reason="a gift", key="up", now=NOW)
    return user


@pytest.mark.parametrize("stored", [1, 99])
def test_the_highest_level_is_that_of_the_highest_total_even_when_less_is_left(stored):
    user = high(2000)
    xp.award(user, -1500, reason="a fine", key="down", now=NOW)
    before = UserXP.objects.get()
    UserXP.objects.update(highest_level=stored)

    assert (facts(), mend(), facts()) == (["highest_level"], ["highest_level"], [])
    assert UserXP.objects.get().highest_level == before.highest_level > before.current_level


def test_a_level_that_was_reached_by_earlier_settings_is_no_drift(settings):
    high(2000)
    highest = UserXP.objects.get().highest_level
    settings.GAMIFICATION = {**settings.GAMIFICATION, "BASE_XP": 1000}

    assert mend() != []

    assert (facts(), UserXP.objects.get().highest_level) == ([], highest)


# Unlocks


LOST = "scenario_explorer"


def lose(user):
    total, held = xp.level(user).total_xp, UserAchievement.objects.get(user=user, achievement=LOST)
    UserAchievement.objects.filter(user=user, achievement=LOST).delete()
    return total, held


WAYS = {
    "a grant": lambda user: achievements.unlock(user, LOST, now=NOW),
    "a check": lambda user: achievements.check(user, now=NOW),
    "an activity": lambda user: activities.record(user, "scenario_completed", key="again", now=NOW).activity,
    "several at once": lambda user: activities.record_many(
        [activities.Event(user, "scenario_completed", f"again-{number}") for number in range(2)], now=NOW
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_unlock_whose_row_was_lost_comes_back_and_is_not_paid_twice(ada, way):
    _, held = lose(ada)

    WAYS[way](ada)

    row = UserAchievement.objects.get(user=ada, achievement=LOST)
    assert (row.is_unlocked, row.grants, row.unlock_metadata["by"]) == (True, held.grants, "repair")
    assert XPTransaction.objects.filter(user=ada, source="achievement", reference_id=LOST).count() == 1
    assert facts() == []


def test_a_grant_of_what_is_held_all_along_is_not_new(ada):
    total, _ = lose(ada)

    assert achievements.unlock(ada, LOST, now=NOW) is False

    assert xp.level(ada).total_xp == total


def test_a_lost_row_of_what_was_revoked_does_not_keep_it_from_being_granted_again(ada):
    achievements.revoke(ada, LOST, now=NOW)
    lose(ada)

    assert achievements.unlock(ada, LOST, now=NOW) is True

    assert UserAchievement.objects.get(user=ada, achievement=LOST).grants == 2
    assert facts() == []


def test_an_unlock_that_was_emptied_is_restored_and_keeps_its_xp(ada):
    total = xp.level(ada).total_xp
    UserAchievement.objects.filter(achievement=LOST).update(unlocked_at=None, progress=40)

    assert f"unlock of {LOST}" in facts()

    mend()
    assert facts() == []
    assert UserAchievement.objects.get(achievement=LOST).is_unlocked
    assert xp.level(ada).total_xp == total


def test_how_often_it_was_granted_is_what_the_ledger_says(ada):
    UserAchievement.objects.filter(achievement__in=[LOST, "first_scenario"]).update(grants=0)

    assert {f"grants of {LOST}", "grants of first_scenario"} <= set(facts())

    mend()
    assert facts() == []
    assert achievements.unlock(ada, "first_scenario", now=NOW)
    assert facts() == []


# Progress


def open_row():
    return UserAchievement.objects.filter(achievement="words").get()


@pytest.mark.parametrize("stored", [0, 99])
def test_progress_that_no_value_can_have_come_to_is_found_and_mended(ada, stored):
    AchievementFactory(achievement_id="words", metric="words_learned", value=200)
    activities.record(ada, "words_learned", key="one more", now=NOW)
    before = open_row().progress
    UserAchievement.objects.filter(pk=open_row().pk).update(progress=stored)

    assert 0 < before < 99
    assert (facts(), mend(), facts()) == (["progress of words"], ["progress of words"], [])
    assert open_row().progress == before


def test_progress_that_was_reached_by_a_streak_that_is_over_is_no_drift(ada):
    AchievementFactory(achievement_id="hundred_days", metric="current_streak", value=100)
    activities.record(ada, "daily_visit", key="today", now=NOW + timedelta(days=1))
    reached = UserAchievement.objects.get(achievement="hundred_days").progress
    activities.record(ada, "daily_visit", key="much-later", now=NOW + timedelta(days=60))

    assert list(integrity.verify(now=NOW + timedelta(days=60))) == []
    assert UserAchievement.objects.get(achievement="hundred_days").progress == reached > 1


def test_a_new_rule_that_nobody_was_looked_at_for_is_no_drift(ada):
    AchievementFactory(achievement_id="new", metric="words_learned", value=100)

    assert facts() == []


def test_after_a_revocation_and_a_reversal_progress_stays(ada):
    AchievementFactory(achievement_id="rich", metric="total_xp_earned", value=100_000)
    AchievementFactory(achievement_id="collector", metric="achievements_unlocked", value=100)
    award = xp.award(ada, 9000, reason="a gift", key="much", now=NOW)
    achievements.unlock(ada, "polyglot", now=NOW)
    xp.reverse(award.transaction, reason="a mistake", now=NOW)
    achievements.revoke(ada, "polyglot", now=NOW)
    activities.record(ada, "daily_visit", key="then", now=NOW)

    assert facts() == []


# What the records themselves get wrong


def test_what_contradicts_itself_is_told_and_left(ada):
    XPTransactionFactory(user=ada, source="achievement", key="no number", xp_amount=5, created_at=NOW)
    Activity._base_manager.filter(key="words").update(timezone="Mars/Base")
    mend()
    left = ledger().count(), Activity.objects.count()

    found = facts()

    assert {fact.split(" of ")[0] for fact in found} == {"key", "time zone"}
    assert (mend(), facts(), (ledger().count(), Activity.objects.count())) == ([], found, left)


# Leaderboards


def test_a_kept_leaderboard_with_another_score_is_found_and_built_anew(ada):
    leaderboards.top("xp_all_time", now=NOW)
    leaderboards.top("streak_longest", now=NOW)
    UserXP.objects.update(total_xp=1)
    LeaderboardCache.objects.filter(metric="streak_longest").update(stale_at=NOW)

    found = [str(drift) for drift in integrity.verify_boards(now=NOW)]
    mended = [drift.fact for drift in integrity.repair_boards(now=NOW)]

    assert found == ["leaderboard xp_all_time is another, the records say as in the tables"]
    assert mended == ["leaderboard xp_all_time"]
    assert list(integrity.verify_boards(now=NOW)) == []
    assert [row.score for row in leaderboards.top("xp_all_time", now=NOW).entries] == [1]


def test_a_kept_leaderboard_with_somebody_who_has_no_score_is_found_too(ada):
    leaderboards.top("xp_all_time", now=NOW)
    UserXP.objects.update(total_xp=0)

    assert [drift.fact for drift in integrity.verify_boards(now=NOW)] == ["leaderboard xp_all_time"]


def test_a_reward_too_many_whose_xp_was_spent_stops_no_repair(ada):
    other = UserFactory()
    xp.award(other, 5, reason="gift", key="k", now=NOW)
    UserXP.objects.filter(user=other).update(title="Nobody")
    rare = AchievementFactory(achievement_id="rare", metric="words_learned", value=10**9, xp_reward=500)
    achievements.unlock(ada, rare.achievement_id, now=NOW)
    xp.award(ada, -UserXP.objects.get(user=ada).total_xp, reason="spent", key="all", now=NOW)
    UserAchievement.objects.filter(user=ada, achievement=rare).update(revoked_at=NOW)

    mended = [drift.fact for drift in integrity.repair(now=NOW)]

    assert "title" in mended
    assert "reward rare:1" in [drift.fact for drift in integrity.verify(now=NOW)]


def test_a_kept_leaderboard_is_no_drift_when_somebody_is_banned(ada):
    leaderboards.top("xp_all_time", now=NOW)
    ada.is_active = False
    ada.save()

    assert list(integrity.verify_boards(now=NOW)) == []


# How it is done


def test_a_sample_is_some_of_the_people_and_costs_the_same_however_many_there_are(django_assert_max_num_queries):
    users = [high(10) for _ in range(30)]

    with django_assert_max_num_queries(5 * 20 + 5):
        chosen = integrity.sample(5)

    assert len({user.pk for user in chosen}) == 5
    assert {user.pk for user in chosen} <= {user.pk for user in users}
    assert len(integrity.sample(31)) == len(integrity.sample(1000)) == 30


def test_somebody_who_is_erased_before_the_repair_does_not_come_back(ada):
    UserXP.objects.update(total_xp=1)
    suspects = [ada]
    privacy.erase(ada)

    assert list(integrity.repair(users=suspects, now=NOW)) == []
    assert not UserXP.objects.exists()


def test_nothing_is_written_for_those_who_have_not_drifted(ada):
    bob = person(score=10)
    UserXP.objects.filter(user=ada).update(total_xp=1)
    before = UserXP.objects.get(user=bob).version

    mend()

    assert UserXP.objects.get(user=bob).version == before
    assert UserCounter.objects.filter(user=ada).exists()

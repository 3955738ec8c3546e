from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from gamification.exceptions import (
    AchievementInUse,
    InsufficientXP,
    NotUnlocked,
    UnknownAchievement,
)
from gamification.models import Achievement, UserAchievement, UserCounter, UserXP, XPTransaction
from gamification.services import achievements, activities, xp
from gamification.tests.factories import AchievementFactory, UserFactory, condition
from gamification.tests.helpers import listening, noon, snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return UserFactory()


def learn(user: Any, words: int, key: str = "w", day: int = 1) -> activities.Receipt:
    return activities.record(user, "words_learned", key=key, quantity=words, now=noon(day))


def held(user: Any) -> set[str]:
    return {state.achievement.achievement_id for state in achievements.for_user(user)}


def state_of(user: Any, achievement_id: str) -> Any:
    states = {state.achievement.achievement_id: state for state in achievements.catalogue(user)}
    return states[achievement_id]


def rewards(user: Any) -> dict[str, int]:
    rows = XPTransaction.objects.filter(user=user, source="achievement").values_list("key", "xp_amount")
    return dict(rows)


# Seeding


def test_initializing_creates_the_27_once():
    first, second = achievements.initialize(), achievements.initialize()

    assert (first.created, first.updated, first.unchanged) == (27, 0, 0)
    assert (second.created, second.updated, second.unchanged) == (0, 0, 27)
    assert Achievement.objects.count() == 27


def test_initializing_never_overwrites_what_staff_edited():
    achievements.initialize()
    Achievement.objects.filter(achievement_id="first_steps").update(name="Erste Schritte", xp_reward=70)
    Achievement.objects.filter(achievement_id="polyglot").update(is_active=False, is_hidden=True, order=99)
    Achievement.objects.filter(achievement_id="night_owl").delete()

    seeded = achievements.initialize()

    assert (seeded.created, seeded.updated, seeded.unchanged) == (1, 0, 26)
    row = Achievement.objects.get(achievement_id="first_steps")
    assert (row.name, row.xp_reward) == ("Erste Schritte", 70)
    retired = Achievement.objects.get(achievement_id="polyglot")
    assert (retired.is_active, retired.is_hidden, retired.order) == (False, True, 99)


def test_initializing_overwrites_when_it_is_told_to():
    achievements.initialize()
    Achievement.objects.filter(achievement_id="first_steps").update(name="Erste Schritte", xp_reward=70)
    own = AchievementFactory(name="Own")

    seeded = achievements.initialize(overwrite=True)

    assert (seeded.created, seeded.updated, seeded.unchanged) == (0, 1, 26)
    row = Achievement.objects.get(achievement_id="first_steps")
    assert (row.name, row.xp_reward) == ("First Steps", 50)
    own.refresh_from_db()
    assert own.name == "Own"


def test_definitions_come_in_the_order_of_the_catalogue():
    achievements.initialize()

    ids = list(Achievement.objects.values_list("achievement_id", flat=True))
    assert (ids[0], ids[6], ids[-1]) == ("first_scenario", "quick_learner", "polyglot")


# Unlocking


def test_reaching_a_threshold_unlocks_once(ada):
    achievements.initialize()

    told = [learn(ada, words, key=f"{number}").achievements_unlocked for number, words in enumerate([49, 1, 1, 200])]

    assert told == [(), ("word_collector",), (), ("vocabulary_builder", "first_steps")]
    assert rewards(ada) == {"word_collector:1": 50, "vocabulary_builder:1": 150, "first_steps:1": 50}
    assert UserCounter.objects.get(user=ada, name="achievements_unlocked").value == 3


def test_an_unlock_tells_how_it_came_about(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=75)

    learn(ada, 1, key="lesson 1")

    (state,) = achievements.for_user(ada)
    assert (state.unlocked, state.unlocked_at, state.progress) == (True, noon(1), 100)
    assert state.unlock_metadata == {"by": "activity", "activity": "lesson 1", "xp": 75}


def test_an_unlock_without_reward_writes_no_row_of_xp(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", xp_reward=0)

    assert learn(ada, 1).achievements_unlocked == ("one",)
    assert rewards(ada) == {}


def test_unlocking_goes_on_until_nothing_new_is_met(ada):
    AchievementFactory(achievement_id="words", metric="words_learned", value=1, xp_reward=995)
    AchievementFactory(achievement_id="level", metric="level", value=7, xp_reward=1000)
    AchievementFactory(achievement_id="two", metric="achievements_unlocked", value=2, xp_reward=0)
    AchievementFactory(achievement_id="rich", metric="total_xp_earned", value=2000, xp_reward=1)

    receipt = learn(ada, 1)

    assert receipt.achievements_unlocked == ("words", "level", "two", "rich")
    assert receipt.level.total_xp == 5 + 995 + 1000 + 1


def test_any_and_nested_conditions_unlock_by_whichever_part_changes(ada):
    parts = [
        {"metric": "words_learned", "op": "gte", "value": 10},
        {"all": [{"metric": "longest_streak", "op": "gte", "value": 2}]},
    ]
    AchievementFactory(achievement_id="either", conditions={"v": 1, "any": parts})

    assert learn(ada, 1, key="a", day=1).achievements_unlocked == ()
    assert learn(ada, 1, key="b", day=2).achievements_unlocked == ("either",)


def test_each_metric_of_the_streak_can_be_a_condition(ada):
    for metric in ("current_streak", "longest_streak", "active_days"):
        AchievementFactory(achievement_id=metric, metric=metric, value=3)

    for day in (1, 2):
        assert learn(ada, 1, key=f"{day}", day=day).achievements_unlocked == ()
    assert set(learn(ada, 1, key="3", day=3).achievements_unlocked) == {
        "current_streak",
        "longest_streak",
        "active_days",
    }


def test_the_level_of_a_condition_is_the_highest_one(ada):
    AchievementFactory(achievement_id="riser", metric="level", value=3, xp_reward=0)
    Achievement.objects.update(is_active=False)
    xp.award(ada, 300, reason="gift", key="a")
    xp.award(ada, -300, reason="gift", key="b")
    Achievement.objects.update(is_active=True)

    assert achievements.check(ada) == ("riser",)


def test_a_hundred_xp_in_total_also_gives_first_steps_in_the_same_answer(ada):
    achievements.initialize()
    xp.award(ada, 45, reason="gift", key="a", now=noon(1))

    receipt = activities.record(ada, "scenario_completed", key="s", now=noon(1))

    assert receipt.achievements_unlocked == ("first_scenario", "first_steps")


# Progress


def test_progress_is_the_whole_percent_with_raw_values_beside_it(ada):
    achievements.initialize()
    learn(ada, 33)

    states = {state.achievement.achievement_id: state for state in achievements.progress(ada)}

    assert [(states[name].progress, states[name].current, states[name].target) for name in ("word_collector",)] == [
        (66, 33, 50)
    ]
    assert (states["vocabulary_builder"].progress, states["vocabulary_virtuoso"].progress) == (13, 3)
    assert UserAchievement.objects.get(user=ada, achievement_id="word_collector").progress == 66


def test_a_stored_progress_is_rewritten_only_when_the_whole_percent_changes(ada):
    AchievementFactory(achievement_id="many", metric="words_learned", value=1000)
    learn(ada, 10, key="a")

    with CaptureQueriesContext(connection) as captured:
        learn(ada, 1, key="b")
    assert not [
        query for query in captured if "gamification_userachievement" in query["sql"] and "INSERT" in query["sql"]
    ]

    learn(ada, 9, key="c")
    assert UserAchievement.objects.get(user=ada).progress == 2


def test_progress_never_falls(ada):
    AchievementFactory(achievement_id="steady", metric="current_streak", value=10)
    for day in range(1, 6):
        learn(ada, 1, key=f"{day}", day=day)
    assert state_of(ada, "steady").progress == 50

    learn(ada, 1, key="later", day=25)

    state = state_of(ada, "steady")
    assert (state.current, state.progress) == (1, 50)


def test_a_higher_threshold_takes_no_progress_away(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=10)
    learn(ada, 9)

    Achievement.objects.update(conditions=condition("words_learned", 100))

    assert (state_of(ada, "one").progress, state_of(ada, "one").target) == (90, 100)


def test_somebody_new_is_at_level_one_of_ten_and_has_no_rows(ada):
    achievements.initialize()

    begun = {state.achievement.achievement_id: state.progress for state in achievements.progress(ada) if state.progress}
    assert begun == {"rising_star": 10}
    assert (len(achievements.catalogue(ada)), achievements.for_user(ada)) == (27, [])
    assert not UserXP.objects.exists()


def test_the_catalogue_takes_few_queries_whatever_its_size(ada):
    AchievementFactory.create_batch(5)
    learn(ada, 5)
    with CaptureQueriesContext(connection) as few:
        achievements.catalogue(ada)
    AchievementFactory.create_batch(100)

    with CaptureQueriesContext(connection) as many:
        achievements.catalogue(ada)

    assert len(many) == len(few) <= 8


# Checking


def test_checking_unlocks_what_is_met_by_now_and_can_be_repeated(ada):
    learn(ada, 60)
    achievements.initialize()

    assert achievements.check(ada, now=noon(3)) == ("word_collector",)
    before = snapshot()

    assert achievements.check(ada, now=noon(4)) == ()
    assert snapshot() == before
    (state,) = achievements.for_user(ada)
    assert (state.unlocked_at, state.unlock_metadata) == (noon(3), {"by": "check", "xp": 50})
    assert XPTransaction.objects.get(source="achievement").earned_on == noon(3).date()


def test_checking_somebody_new_unlocks_nothing(ada):
    achievements.initialize()

    assert achievements.check(ada) == ()
    assert achievements.check(ada) == ()


def followers(user: Any) -> int:
    return 7


@override_settings(GAMIFICATION={"METRICS": {"followers": f"{__name__}.followers"}})
def test_a_project_registers_metrics_of_its_own(ada):
    AchievementFactory(achievement_id="popular", metric="followers", value=7)
    AchievementFactory(achievement_id="famous", metric="followers", value=70)

    assert achievements.check(ada) == ("popular",)
    assert (state_of(ada, "famous").current, state_of(ada, "famous").progress) == (7, 10)


# Edits by staff


def test_a_lower_threshold_is_met_at_the_next_check_and_not_before(ada):
    definition = AchievementFactory(achievement_id="one", metric="words_learned", value=100)
    learn(ada, 20)

    definition.conditions = condition("words_learned", 10)
    definition.save()

    assert held(ada) == set()
    assert achievements.check(ada) == ("one",)


def test_after_a_higher_threshold_unlocks_stay(ada):
    definition = AchievementFactory(achievement_id="one", metric="words_learned", value=10)
    learn(ada, 20)

    definition.conditions = condition("words_learned", 1000)
    definition.save()

    assert held(ada) == {"one"}
    assert state_of(ada, "one").progress == 100


def test_a_changed_reward_is_for_future_unlocks_only(ada):
    definition = AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=50)
    learn(ada, 1)
    definition.xp_reward = 80
    definition.save()
    ben = UserFactory()

    learn(ben, 1)

    assert (rewards(ada), rewards(ben)) == ({"one:1": 50}, {"one:1": 80})


def test_a_retired_definition_is_hidden_from_those_without_it_and_unlocks_no_more(ada):
    definition = AchievementFactory(achievement_id="one", metric="words_learned", value=1)
    learn(ada, 1)
    definition.is_active = False
    definition.save()
    ben = UserFactory()

    assert learn(ben, 1).achievements_unlocked == achievements.check(ben) == ()
    assert achievements.catalogue(ben) == []
    with pytest.raises(UnknownAchievement):
        achievements.get("one", ben)
    assert held(ada) == {"one"}
    assert achievements.get("one", ada).unlocked


def test_a_condition_that_cannot_be_evaluated_is_refused_on_save(ada):
    for wrong in ({}, condition("__class__", 1), condition("words_learned", 0), None, "x"):
        with pytest.raises(ValidationError):
            AchievementFactory(conditions=wrong)

    assert not Achievement.objects.exists()


def test_deleting_what_somebody_has_or_had_is_refused(ada):
    definition = AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=0)
    learn(ada, 1)

    for _ in range(2):
        for delete in (definition.delete, Achievement.objects.all().delete):
            with pytest.raises(AchievementInUse) as refused:
                delete()
            assert (refused.value.code, refused.value.status_code) == ("achievement_in_use", 409)
        if held(ada):
            achievements.revoke(ada, "one")

    assert Achievement.objects.filter(achievement_id="one").exists()


def test_deleting_what_nobody_has_takes_the_progress_with_it(ada):
    definition = AchievementFactory(metric="words_learned", value=100)
    learn(ada, 10)

    definition.delete()

    assert not UserAchievement.objects.exists()


# Hidden ones


def test_a_hidden_definition_is_masked_until_it_is_unlocked(ada):
    AchievementFactory(achievement_id="open", metric="level", value=50)
    AchievementFactory(achievement_id="secret", metric="words_learned", value=10, is_hidden=True)
    learn(ada, 5, key="a")

    masked = [state for state in achievements.catalogue(ada) if state.is_masked]
    assert [(state.position, state.unlocked) for state in masked] == [(2, False)]
    assert [state.achievement.achievement_id for state in achievements.progress(ada)] == ["open"]
    with pytest.raises(UnknownAchievement) as refused:
        achievements.get("secret", ada)
    assert (refused.value.code, refused.value.status_code) == ("unknown_achievement", 404)

    learn(ada, 5, key="b")

    assert achievements.get("secret", ada).unlocked
    assert not any(state.is_masked for state in achievements.catalogue(ada))
    assert any(state.is_masked for state in achievements.catalogue(UserFactory()))


def test_a_hidden_one_that_was_revoked_is_hidden_again(ada):
    AchievementFactory(achievement_id="secret", metric="words_learned", value=1, is_hidden=True, xp_reward=0)
    learn(ada, 1)
    achievements.revoke(ada, "secret")

    assert state_of(ada, "secret").is_masked
    with pytest.raises(UnknownAchievement):
        achievements.get("secret", ada)


@pytest.mark.parametrize("achievement_id", ["nothing", "", "a\x00b", "x" * 500])
def test_an_unknown_id_is_not_found(ada, achievement_id):
    for call in (
        lambda: achievements.get(achievement_id, ada),
        lambda: achievements.unlock(ada, achievement_id),
    ):
        with pytest.raises(UnknownAchievement):
            call()
    with pytest.raises(NotUnlocked):
        achievements.revoke(ada, achievement_id)


# Granting and revoking


def test_staff_grant_an_achievement_with_its_xp_whatever_its_condition(ada):
    achievements.initialize()
    staff = UserFactory()

    assert achievements.unlock(ada, "polyglot", actor=staff, reason="speaks three", now=noon(2)) is True

    row = XPTransaction.objects.get(key="polyglot:1")
    assert (row.xp_amount, row.actor, row.earned_on, row.source) == (200, staff, noon(2).date(), "achievement")
    assert held(ada) == {"polyglot", "first_steps"}
    assert achievements.get("polyglot", ada).unlocked_at == noon(2)


def test_granting_again_changes_nothing(ada):
    achievements.initialize()
    achievements.unlock(ada, "polyglot", now=noon(2))
    before = snapshot()

    assert achievements.unlock(ada, "polyglot", now=noon(3)) is False
    assert snapshot() == before


def test_revoking_takes_the_xp_back_on_the_date_it_was_earned(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=75)
    learn(ada, 1)
    staff = UserFactory()

    achievements.revoke(ada, "one", actor=staff, reason="by mistake", now=noon(9))

    paid = XPTransaction.objects.get(source="achievement")
    back = XPTransaction.objects.get(source="reversal")
    assert (back.xp_amount, back.reverses, back.actor, back.reason) == (-75, paid, staff, "by mistake")
    assert (back.earned_on, back.created_at) == (noon(1).date(), noon(9))
    row = UserAchievement.objects.get(user=ada)
    assert (row.revoked_at, row.is_unlocked, row.progress) == (noon(9), False, 100)
    assert UserXP.objects.get(user=ada).total_xp == 5
    assert UserCounter.objects.get(user=ada, name="achievements_unlocked").value == 0
    assert held(ada) == set()


def test_what_was_revoked_does_not_come_back_by_itself(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=1)
    learn(ada, 1, key="a")
    achievements.revoke(ada, "one", now=noon(2))

    assert learn(ada, 1, key="b").achievements_unlocked == ()
    assert achievements.check(ada) == ()
    assert held(ada) == set()


def test_what_was_revoked_can_be_granted_again_with_its_xp(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=75)
    learn(ada, 1)
    achievements.revoke(ada, "one", now=noon(2))

    assert achievements.unlock(ada, "one", now=noon(3)) is True
    assert achievements.unlock(ada, "one", now=noon(3)) is False
    assert rewards(ada) == {"one:1": 75, "one:2": 75}
    achievements.revoke(ada, "one", now=noon(4))
    achievements.unlock(ada, "one", now=noon(5))

    assert sorted(rewards(ada)) == ["one:1", "one:2", "one:3"]
    assert UserXP.objects.get(user=ada).total_xp == 5 + 75
    row = UserAchievement.objects.get(user=ada)
    assert (row.grants, row.unlocked_at, row.revoked_at) == (3, noon(5), None)


def test_a_changed_reward_is_paid_by_the_second_grant_and_taken_back_as_it_was_paid(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=75)
    learn(ada, 1)
    Achievement.objects.update(xp_reward=10)

    achievements.revoke(ada, "one")
    assert UserXP.objects.get(user=ada).total_xp == 5
    achievements.unlock(ada, "one")
    assert UserXP.objects.get(user=ada).total_xp == 15


def test_revoking_what_somebody_does_not_have_is_refused(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=10)
    learn(ada, 5)
    before = snapshot()

    with pytest.raises(NotUnlocked) as refused:
        achievements.revoke(ada, "one")

    assert (refused.value.code, refused.value.status_code) == ("not_unlocked", 409)
    assert snapshot() == before


def test_revoking_may_not_take_the_total_below_zero(ada):
    AchievementFactory(achievement_id="one", metric="words_learned", value=1, xp_reward=75)
    learn(ada, 1)
    xp.award(ada, -40, reason="spent", key="a")
    before = snapshot()

    with pytest.raises(InsufficientXP):
        achievements.revoke(ada, "one")

    assert snapshot() == before


# What is announced


def test_unlocks_are_announced_after_commit(ada, django_capture_on_commit_callbacks):
    AchievementFactory(achievement_id="one", xp_reward=120)

    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        achievements.unlock(ada, "one")
        assert heard == []

    assert sorted(heard.names) == ["achievement_unlocked", "level_up", "xp_awarded"]
    assert heard.of("achievement_unlocked")[0]["user_achievement"].achievement_id == "one"


def test_a_check_that_finds_nothing_announces_nothing(ada, django_capture_on_commit_callbacks):
    achievements.initialize()

    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        achievements.check(ada)

    assert heard == []

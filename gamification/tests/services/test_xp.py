from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from gamification.exceptions import (
    AlreadyReversed,
    GamificationError,
    IdempotencyConflict,
    InsufficientXP,
    InvalidInput,
    NotReversible,
)
from gamification.models import UserDay, UserStreak, UserXP, XPTransaction
from gamification.services import achievements, activities, streaks, xp
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.helpers import at, listening, noon, snapshot
from gamification.tests.properties import DATABASE

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return UserFactory()


def give(user: Any, amount: int = 10, *, key: str = "a", **given: Any) -> xp.Award:
    given.setdefault("now", noon(1))
    return xp.award(user, amount, reason=given.pop("reason", "gift"), key=key, **given)


def total(user: Any) -> int:
    return UserXP.objects.get(user=user).total_xp


# Awards


def test_an_award_is_a_row_of_the_ledger_and_the_total_follows(ada):
    staff = UserFactory()

    award = give(ada, 120, reason="contest", reference_id="c1", metadata={"place": 1}, actor=staff)

    row = XPTransaction.objects.get()
    assert (row.user, row.xp_amount, row.reason, row.reference_id, row.metadata) == (
        *(ada, 120, "contest", "c1"),
        {"place": 1},
    )
    assert (row.source, row.key, row.earned_on, row.created_at, row.actor) == (
        *("client", "a", date(2026, 6, 1), noon(1)),
        staff,
    )
    assert (award.transaction, award.is_replay, award.xp_awarded) == (row, False, 120)
    assert (award.previous_level, award.level.current_level, award.level_up) == (1, 2, True)
    stored = UserXP.objects.get(user=ada)
    assert (stored.total_xp, stored.total_xp_earned, stored.current_level, stored.highest_level) == (120, 120, 2, 2)
    assert (stored.xp_to_next_level, stored.level_progress_percentage, stored.title) == (
        *(95, Decimal("17.39")),
        "Novice",
    )


def test_xp_awarded_is_the_amount_itself_and_the_total_holds_what_it_unlocked(ada):
    achievements.initialize()

    award = give(ada, 100)

    assert (award.xp_awarded, award.achievements_unlocked) == (100, ("first_steps",))
    assert award.level.total_xp == total(ada) == 150


def test_an_award_belongs_to_the_local_date(ada):
    streaks.set_timezone(ada, "Asia/Tokyo", now=noon(1))

    give(ada, 10, now=at("2026-06-01T15:00"))

    assert XPTransaction.objects.get().earned_on == date(2026, 6, 2)
    assert UserDay.objects.get(user=ada).xp == 10


def test_an_award_makes_no_day_active(ada):
    give(ada, 10)

    assert UserDay.objects.get(user=ada).status == ""
    assert (UserStreak.objects.get(user=ada).last_day, streaks.status(ada, now=noon(1)).status) == (None, "none")


@pytest.mark.parametrize("amount", [1, 100_000, -1, -100_000])
def test_any_whole_number_within_a_hundred_thousand_can_be_awarded(ada, amount):
    give(ada, 100_000, key="before")

    assert give(ada, amount).xp_awarded == amount
    assert total(ada) == 100_000 + amount


@pytest.mark.parametrize(
    "amount",
    [
        *(0, True, False, "10", 10.0, 10.5, None, [10], b"10"),
        *(float("nan"), float("inf"), Decimal(10), 2**63, -(2**63), 100_001, -100_001),
        pytest.param(10**5000, id="huge"),
    ],
)
def test_anything_else_is_no_amount(ada, amount):
    give(ada, 50, key="before")
    before = snapshot()

    with pytest.raises(InvalidInput) as refused:
        give(ada, amount)

    assert (refused.value.code, refused.value.status_code, refused.value.field) == ("invalid", 400, "amount")
    assert snapshot() == before


@pytest.mark.parametrize(
    ("given_wrong", "code", "field"),
    [
        ({"key": ""}, "key_required", "key"),
        ({"key": None}, "key_required", "key"),
        ({"key": "ä"}, "invalid", "key"),
        ({"key": "a" * 256}, "invalid", "key"),
        ({"reason": ""}, "invalid", "reason"),
        ({"reason": "  "}, "invalid", "reason"),
        ({"reason": "a" * 256}, "invalid", "reason"),
        ({"reason": "\x00"}, "invalid", "reason"),
        ({"reason": None}, "invalid", "reason"),
        ({"reference_id": "a" * 256}, "invalid", "reference_id"),
        ({"reference_id": 5}, "invalid", "reference_id"),
        ({"reference_id": "\ud800"}, "invalid", "reference_id"),
        ({"metadata": []}, "invalid", "metadata"),
        ({"metadata": {"a": float("nan")}}, "invalid", "metadata.a"),
        ({"metadata": {"a": "x" * 5000}}, "invalid", "metadata"),
    ],
)
def test_a_refused_award_changes_nothing(ada, given_wrong, code, field):
    before = snapshot()

    with pytest.raises(GamificationError) as refused:
        give(ada, 10, **given_wrong)

    assert (refused.value.code, refused.value.status_code, refused.value.field) == (code, 400, field)
    assert snapshot() == before


def test_the_total_cannot_fall_below_zero(ada):
    give(ada, 50, key="before")
    before = snapshot()

    with pytest.raises(InsufficientXP) as refused:
        give(ada, -51)

    assert (refused.value.code, refused.value.status_code) == ("insufficient_xp", 409)
    assert snapshot() == before
    assert give(ada, -50).level.total_xp == 0


def test_taking_xp_from_somebody_new_is_refused_and_leaves_no_rows(ada):
    with pytest.raises(InsufficientXP):
        give(ada, -1)

    assert not UserXP.objects.exists()


def test_the_level_falls_with_the_total_and_the_highest_one_stays(ada):
    give(ada, 1_700, key="a")

    award = give(ada, -1_650, key="b")

    assert (award.previous_level, award.level.current_level, award.level.highest_level) == (10, 1, 10)
    assert (award.level.title, award.level_up) == ("Novice", False)
    stored = UserXP.objects.get(user=ada)
    assert (stored.current_level, stored.highest_level, stored.title) == (1, 10, "Novice")


def test_a_level_up_is_told_once_for_each_level(ada, django_capture_on_commit_callbacks):
    with listening(["level_up"]) as heard, django_capture_on_commit_callbacks(execute=True):
        told = [give(ada, amount, key=f"{n}").level_up for n, amount in enumerate([100, -100, 100, 114, 1, 1_500])]

    assert told == [True, False, False, False, True, True]
    assert [(said["previous_level"], said["level"].current_level) for said in heard.of("level_up")] == [
        *((1, 2), (2, 3), (3, 10)),
    ]


def test_unlocked_achievements_stay_when_xp_is_taken_back(ada):
    achievements.initialize()
    give(ada, 100, key="a")

    give(ada, -150, key="b")

    assert [state.achievement.achievement_id for state in achievements.for_user(ada)] == ["first_steps"]


def test_what_was_taken_back_still_was_earned(ada):
    AchievementFactory(achievement_id="earner", metric="total_xp_earned", value=100, xp_reward=0)

    give(ada, 60, key="a")
    give(ada, -60, key="b")

    assert give(ada, 40, key="c").achievements_unlocked == ("earner",)
    assert UserXP.objects.get(user=ada).total_xp_earned == 100


def test_a_chain_of_rewards_is_unlocked_to_its_end(ada):
    for number, needed in enumerate([100, 150, 200, 250]):
        AchievementFactory(achievement_id=f"step{number}", metric="total_xp_earned", value=needed, xp_reward=50)
    AchievementFactory(achievement_id="collector", metric="achievements_unlocked", value=4, xp_reward=7)

    award = give(ada, 100)

    assert award.achievements_unlocked == ("step0", "step1", "step2", "step3", "collector")
    assert award.level.total_xp == 307


# Once per key


def test_a_replayed_key_pays_once_and_answers_the_same(ada):
    achievements.initialize()
    first = give(ada, 120, metadata={"a": 1, "b": 2})
    give(ada, 5_000, key="b", now=noon(2))
    before = snapshot()

    again = give(ada, 120, metadata={"b": 2, "a": 1}, now=noon(3))

    assert snapshot() == before
    assert again.is_replay
    assert replace(again, is_replay=False) == first
    assert (again.level.total_xp, again.level_up, again.achievements_unlocked) == (170, True, ("first_steps",))


@pytest.mark.parametrize(
    "other", [{"amount": 11}, {"reason": "other"}, {"reference_id": "r"}, {"metadata": {"a": 1}}], ids=str
)
def test_the_same_key_for_something_else_is_a_conflict(ada, other):
    give(ada, 10)
    before = snapshot()

    with pytest.raises(IdempotencyConflict) as refused:
        give(ada, **{"amount": 10, **other})

    assert (refused.value.code, refused.value.status_code) == ("idempotency_conflict", 422)
    assert snapshot() == before


def test_what_is_left_out_equals_what_is_given_as_nothing(ada):
    give(ada, 10)

    assert give(ada, 10, reference_id="", metadata=None, actor=UserFactory()).is_replay
    assert give(ada, 10, metadata={}).is_replay


def test_a_failed_award_leaves_its_key_free(ada):
    with pytest.raises(InsufficientXP):
        give(ada, -10)

    give(ada, 10, key="before")
    assert not give(ada, -10).is_replay


def test_a_key_belongs_to_one_user(ada):
    ben = UserFactory()
    give(ada, 10)

    assert not give(ben, 20).is_replay


def test_a_clients_key_never_meets_a_derived_one(ada):
    achievements.initialize()
    receipt = activities.record(ada, "scenario_completed", key="s", data={"difficulty": "advanced"}, now=noon(1))

    for key in (str(receipt.activity.pk), "2026-06-01", "first_scenario:1", "s"):
        assert not give(ada, 10, key=key).is_replay


# Reversals


def test_a_reversal_is_the_opposite_row_on_the_date_of_the_original(ada):
    staff = UserFactory()
    award = give(ada, 120)

    back = xp.reverse(award.transaction, reason="mistake", actor=staff, now=noon(9))

    row = XPTransaction.objects.get(source="reversal")
    assert (row.xp_amount, row.reason, row.earned_on, row.created_at) == (-120, "mistake", date(2026, 6, 1), noon(9))
    assert (row.reverses, row.actor) == (award.transaction, staff)
    assert (back.transaction, back.xp_awarded, back.is_replay) == (row, -120, False)
    assert (back.previous_level, back.level.current_level, back.level.highest_level) == (2, 1, 2)
    assert [(day.date.day, day.xp) for day in UserDay.objects.all()] == [(1, 0)]
    stored = UserXP.objects.get(user=ada)
    assert (stored.total_xp, stored.total_xp_earned) == (0, 0)


def test_a_second_reversal_is_refused(ada):
    award = give(ada, 10)
    give(ada, 100, key="more")
    xp.reverse(award.transaction, reason="mistake")
    before = snapshot()

    for request in ({"reason": "mistake"}, {"reason": "again"}, {"reason": "mistake", "key": "k"}):
        with pytest.raises(AlreadyReversed) as refused:
            xp.reverse(award.transaction, **request)
        assert (refused.value.code, refused.value.status_code) == ("already_reversed", 409)

    assert snapshot() == before


def test_a_reversal_can_be_replayed_by_its_key(ada):
    award = give(ada, 10)
    first = xp.reverse(award.transaction, reason="mistake", key="k" * 255, now=noon(2))
    before = snapshot()

    again = xp.reverse(award.transaction, reason="mistake", key="k" * 255, now=noon(3))

    assert replace(again, is_replay=False) == first
    assert (again.is_replay, snapshot()) == (True, before)


def test_the_key_of_a_reversal_for_something_else_is_a_conflict(ada):
    one, other = give(ada, 10, key="a"), give(ada, 10, key="b")
    xp.reverse(one.transaction, reason="mistake", key="k")
    before = snapshot()

    for original, reason in ((other, "mistake"), (one, "other")):
        with pytest.raises(IdempotencyConflict):
            xp.reverse(original.transaction, reason=reason, key="k")

    assert snapshot() == before


def test_a_clients_key_of_a_reversal_never_meets_a_derived_one(ada):
    achievements.initialize()
    one, other = give(ada, 100, key="a"), give(ada, 100, key="b")
    paid = XPTransaction.objects.get(source="achievement")

    xp.reverse(one.transaction, reason="mistake", key=str(paid.pk))
    xp.reverse(XPTransaction.objects.get(key="b"), reason="mistake", key=str(one.transaction.pk))
    achievements.revoke(ada, "first_steps")

    assert (total(ada), other.transaction.reversed_by.xp_amount) == (0, -100)


def test_a_reversal_may_not_take_the_total_below_zero(ada):
    award = give(ada, 100)
    give(ada, -60, key="b")
    before = snapshot()

    with pytest.raises(InsufficientXP):
        xp.reverse(award.transaction, reason="mistake")

    assert snapshot() == before


def test_a_reversed_deduction_comes_back(ada):
    give(ada, 100)
    taken = give(ada, -60, key="b")

    back = xp.reverse(taken.transaction, reason="mistake")

    assert (back.xp_awarded, total(ada)) == (60, 100)


def test_a_reversal_cannot_be_reversed(ada):
    back = xp.reverse(give(ada, 10).transaction, reason="mistake")

    with pytest.raises(NotReversible) as refused:
        xp.reverse(back.transaction, reason="mistake")

    assert (refused.value.code, refused.value.status_code) == ("not_reversible", 409)


def test_the_xp_of_an_achievement_goes_only_with_the_achievement(ada):
    achievements.initialize()
    give(ada, 100)

    with pytest.raises(NotReversible):
        xp.reverse(XPTransaction.objects.get(source="achievement"), reason="mistake")


def test_what_an_activity_paid_can_be_reversed(ada):
    activities.record(ada, "scenario_completed", key="s", now=noon(1))

    for row in XPTransaction.objects.filter(source__in=["activity", "streak"]):
        xp.reverse(row, reason="mistake", now=noon(5))

    assert total(ada) == 0
    assert [(day.date.day, day.xp) for day in UserDay.objects.all()] == [(1, 0)]


@pytest.mark.parametrize("reason", ["", " ", None, "\x00", "a" * 256])
def test_a_reversal_needs_a_reason(ada, reason):
    award = give(ada, 10)
    before = snapshot()

    with pytest.raises(InvalidInput) as refused:
        xp.reverse(award.transaction, reason=reason)

    assert (refused.value.field, snapshot()) == ("reason", before)


def test_the_database_itself_allows_one_reversal_for_a_row(ada):
    award = give(ada, 10)
    xp.reverse(award.transaction, reason="mistake")

    with pytest.raises(IntegrityError), transaction.atomic():
        XPTransaction.objects.create(
            user=ada,
            xp_amount=-10,
            reason="again",
            created_at=noon(1),
            source="reversal",
            key="z",
            reverses=award.transaction,
        )


# What somebody has


def test_the_level_of_somebody_new_is_that_of_a_beginner(ada):
    level = xp.level(ada)

    assert (level.total_xp, level.current_level, level.highest_level, level.title) == (0, 1, 1, "Novice")
    assert (level.xp_to_next_level, level.level_progress_percentage) == (100, 0)
    assert not UserXP.objects.exists()


def test_initializing_twice_changes_nothing(ada):
    give(ada, 120)

    assert xp.initialize(ada).current_level == 2
    assert xp.initialize(UserFactory()).current_level == 1
    assert UserXP.objects.count() == 2


@override_settings(GAMIFICATION={"BASE_XP": 10, "LEVEL_MULTIPLIER": "2", "MAX_LEVEL": 3, "TITLES": {1: "A", 3: "Z"}})
def test_levels_follow_the_settings(ada):
    award = give(ada, 29)
    assert (award.level.current_level, award.level.title, award.level.xp_to_next_level) == (2, "A", 1)

    top = give(ada, 1, key="b").level
    assert (top.current_level, top.title, top.xp_to_next_level, top.level_progress_percentage) == (3, "Z", 0, 100)


def test_a_changed_level_table_is_read_at_once_and_not_only_at_the_next_award(ada):
    give(ada, 99)

    with override_settings(GAMIFICATION={"BASE_XP": 50}):
        assert xp.level(ada).current_level == 2


def test_the_history_is_the_ledger_newest_first(ada):
    for day in (2, 1, 3):
        give(ada, day, key=f"{day}", now=noon(day))
    give(UserFactory(), 7)

    assert [row.xp_amount for row in xp.history(ada)] == [3, 2, 1]


def test_stats_sum_local_dates(ada):
    streaks.set_timezone(ada, "Pacific/Kiritimati", now=noon("2026-01-01"))
    for days_ago, amount in ((0, 1), (6, 10), (7, 100), (29, 1_000), (30, 10_000)):
        give(ada, amount, key=f"{days_ago}", reason=f"reason {days_ago % 2}", now=noon(30) - timedelta(days=days_ago))

    stats = xp.stats(ada, now=noon(30))

    assert (stats.today, stats.last_7_days, stats.last_30_days) == (1, 11, 1_111)
    assert stats.by_reason == {"reason 0": 10_011, "reason 1": 1_100}
    assert stats.best_day == (date(2026, 6, 1), 10_000)
    assert stats.daily_average == 37.03


def test_stats_of_somebody_new_are_zeros(ada):
    stats = xp.stats(ada, now=noon(1))

    assert (stats.today, stats.last_7_days, stats.last_30_days, stats.by_reason) == (0, 0, 0, {})
    assert (stats.best_day, stats.daily_average) == (None, 0)


def test_a_day_that_was_taken_back_is_no_best_day(ada):
    award = give(ada, 500)
    give(ada, 20, key="b", now=noon(2))
    xp.reverse(award.transaction, reason="mistake", now=noon(3))

    stats = xp.stats(ada, now=noon(3))

    assert (stats.best_day, stats.last_7_days) == ((date(2026, 6, 2), 20), 20)


# Several in one transaction, and signals


def test_awards_to_several_users_can_share_a_transaction(ada):
    ben = UserFactory()

    with transaction.atomic():
        xp.lock(ben, ada)
        give(ada, 10)
        give(ben, 20)

    assert (total(ada), total(ben)) == (10, 20)


def test_an_award_is_announced_after_commit(ada, django_capture_on_commit_callbacks):
    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        award = give(ada, 120)
        assert heard == []

    assert heard.names == ["xp_awarded", "level_up"]
    assert heard[0][1]["transaction"] == award.transaction


def test_a_replayed_or_refused_award_is_not_announced(ada, django_capture_on_commit_callbacks):
    give(ada, 10)

    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        give(ada, 10)
        for refused in ({"amount": 11}, {"amount": -100, "key": "b"}):
            with pytest.raises(GamificationError):
                give(ada, **refused)

    assert heard == []


def test_a_reversal_is_announced(ada, django_capture_on_commit_callbacks):
    award = give(ada, 10)

    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        xp.reverse(award.transaction, reason="mistake")

    assert [(name, said["transaction"].xp_amount) for name, said in heard] == [("xp_awarded", -10)]


@DATABASE
@given(st.lists(st.integers(-300, 300).filter(bool), max_size=15))
def test_the_total_is_the_sum_of_what_was_accepted(amounts):
    user, expected, highest = UserFactory(), 0, 1

    for number, amount in enumerate(amounts):
        if expected + amount < 0:
            with pytest.raises(InsufficientXP):
                give(user, amount, key=f"{number}")
            continue
        award = give(user, amount, key=f"{number}")
        expected += amount
        assert award.level.total_xp == expected
        assert award.level_up is (award.level.current_level > highest)
        highest = max(highest, award.level.current_level)

    level = xp.level(user)
    assert (level.total_xp, level.highest_level) == (expected, highest)
    assert sum(XPTransaction.objects.filter(user=user).values_list("xp_amount", flat=True)) == expected

"""Drifts, planted by hand: each is found, told, and mended."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection
from django.db.models import F

from gamification.models import UserAchievement, UserCounter, UserDay, UserStreak, UserXP, XPTransaction
from gamification.services import achievements, integrity, leaderboards, xp
from gamification.tests.backends.people import person
from gamification.tests.services.lives import NOW, lively, rows

pytestmark = pytest.mark.django_db

DAY_ACTIVE, DAY_FROZEN, DAY_EMPTY = date(2026, 6, 5), date(2026, 6, 4), date(2026, 6, 13)


@pytest.fixture
def ada():
    achievements.initialize()
    return lively()


def filled():
    """Return all rows but those that say nothing: counters of 0, days without anything on them."""
    found = rows()
    found["UserCounter"] = [row for row in found["UserCounter"] if row["value"]]
    found["UserDay"] = [row for row in found["UserDay"] if row["status"] or row["xp"] or row["activities"]]
    return found


def facts(**options):
    return [drift.fact for drift in integrity.verify(now=NOW, **options)]


def mend():
    return [drift.fact for drift in integrity.repair(now=NOW)]


def ledger():
    """Return the rows of the ledger in a way that lets them be changed."""
    return XPTransaction._base_manager.all()


def change(model, **values):
    return lambda: model._base_manager.update(**values)


def counter(name, **values):
    return lambda: UserCounter.objects.filter(name=name).update(**values)


def day(on, **values):
    return lambda: UserDay.objects.filter(date=on).update(**values)


def drop(model, **which):
    return lambda: model._base_manager.filter(**which).delete()


def invent_a_day(**values):
    return lambda: UserDay.objects.create(user_id=UserStreak.objects.get().user_id, date=DAY_EMPTY, **values)


def invent_a_counter():
    UserCounter.objects.create(user_id=UserStreak.objects.get().user_id, name="scenarios_compl", value=3)


#: What is planted, and the beginnings of the facts that must be told.
PLANTED = {
    "a total too high": (change(UserXP, total_xp=F("total_xp") + 1), ["total_xp"]),
    "a total too low": (change(UserXP, total_xp=F("total_xp") - 1000), ["total_xp"]),
    "a total of nothing": (change(UserXP, total_xp=0), ["total_xp"]),
    "what was ever earned": (change(UserXP, total_xp_earned=F("total_xp_earned") + 7), ["total_xp_earned"]),
    "the level": (change(UserXP, current_level=99), ["current_level"]),
    "the highest level": (change(UserXP, highest_level=1), ["highest_level"]),
    "the XP to the next level": (change(UserXP, xp_to_next_level=1), ["xp_to_next_level"]),
    "the progress": (change(UserXP, level_progress_percentage=Decimal("99.99")), ["level_progress_percentage"]),
    "the title": (change(UserXP, title="Mythic"), ["title"]),
    "no totals at all": (drop(UserXP), ["total_xp"]),
    "a counter too high": (counter("scenarios_completed", value=999), ["counter scenarios_completed"]),
    "a counter at 0": (counter("study_minutes", value=0), ["counter study_minutes"]),
    "a missing counter": (drop(UserCounter, name="words_learned"), ["counter words_learned"]),
    "a missing fact": (drop(UserCounter, name="languages_practised:es"), ["counter languages_practised:es"]),
    "distinct facts": (counter("languages_practised", value=2), ["counter languages_practised"]),
    "an invented counter": (invent_a_counter, ["counter scenarios_compl"]),
    "early days": (counter("early_days", value=1), ["counter early_days"]),
    "nights": (drop(UserCounter, name="night_days"), ["counter night_days"]),
    "unlocked achievements": (counter("achievements_unlocked", value=27), ["counter achievements_unlocked"]),
    "no counters at all": (drop(UserCounter), ["counter "]),
    "the XP of a day": (day(DAY_ACTIVE, xp=1_000_000), [f"day {DAY_ACTIVE}: xp"]),
    "the activities of a day": (day(DAY_ACTIVE, activities=0), [f"day {DAY_ACTIVE}: activities"]),
    "an active day without a status": (day(DAY_ACTIVE, status=""), [f"day {DAY_ACTIVE}: status"]),
    "an active day that is said to be frozen": (day(DAY_ACTIVE, status="frozen"), [f"day {DAY_ACTIVE}: status"]),
    "a day on which nobody acted": (invent_a_day(status="active"), [f"day {DAY_EMPTY}: status"]),
    "a day with XP from nowhere": (invent_a_day(xp=5000), [f"day {DAY_EMPTY}: xp"]),
    "an early morning": (day(DAY_ACTIVE, is_early=False), [f"day {DAY_ACTIVE}: is_early"]),
    "a night": (day(DAY_FROZEN, is_night=True), [f"day {DAY_FROZEN}: is_night"]),
    "a missing day": (drop(UserDay, date=DAY_ACTIVE), [f"day {DAY_ACTIVE}: status", f"day {DAY_ACTIVE}: xp"]),
    "the current streak": (change(UserStreak, current_streak=1), ["current_streak"]),
    "the longest streak": (change(UserStreak, longest_streak=365, current_streak=365), ["longest_streak"]),
    "the freezes": (change(UserStreak, streak_freezes_available=9), ["streak_freezes_available"]),
    "the active days": (change(UserStreak, total_active_days=1), ["total_active_days"]),
    "the last day": (change(UserStreak, last_day=DAY_ACTIVE), ["last_day"]),
    "the last active date": (change(UserStreak, last_activity_date=DAY_ACTIVE), ["last_activity_date"]),
    "the last moment": (change(UserStreak, last_at=NOW - timedelta(days=9)), ["last_at"]),
    "a streak that never ends": (change(UserStreak, expires_at=NOW + timedelta(days=999)), ["expires_at"]),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_drift_is_found_and_mended(ada, name):
    plant, told = PLANTED[name]
    before = filled()
    plant()
    planted = filled()

    found = facts()
    mended = mend()

    assert planted != before
    assert [start for start in told if not any(fact.startswith(start) for fact in found)] == []
    assert mended == found
    assert facts() == []
    assert filled() == before


def test_somebody_without_a_streak_is_found_too(ada):
    UserXP.objects.update(total_xp=1)
    UserStreak.objects.all().delete()

    assert {"total_xp", "current_streak", "last_day"} <= set(facts())

    mend()
    assert facts() == []
    assert (xp.level(ada).total_xp, UserStreak.objects.get().current_streak) == (
        sum(XPTransaction.objects.values_list("xp_amount", flat=True)),
        10,
    )


def test_everything_that_can_be_derived_is_rebuilt_from_nothing(ada):
    before = rows(ada)
    for model in (UserXP, UserCounter):
        model.objects.all().delete()
    UserStreak.objects.update(
        current_streak=0, longest_streak=0, last_day=None, last_at=None, expires_at=None, last_activity_date=None
    )
    UserDay.objects.update(xp=0, activities=0, is_early=False, is_night=False)

    mend()

    assert rows(ada) == before
    assert facts() == []


# The ledger


def test_a_row_that_vanished_from_the_ledger_is_told_and_totals_follow(ada):
    before = xp.level(ada).total_xp
    gone = XPTransaction.objects.filter(source="activity").first()
    ledger().filter(pk=gone.pk).delete()

    assert {"total_xp", "total_xp_earned", f"day {gone.earned_on}: xp"} <= set(facts())

    mend()
    assert facts() == []
    assert xp.level(ada).total_xp == before - gone.xp_amount


def test_a_reward_that_was_never_paid_is_paid(ada):
    before = xp.level(ada).total_xp
    reward = XPTransaction.objects.get(source="achievement", key="scenario_explorer:1")
    ledger().filter(pk=reward.pk).delete()

    assert "reward scenario_explorer:1" in facts()

    mend()
    assert facts() == []
    assert xp.level(ada).total_xp == before
    paid = XPTransaction.objects.get(source="achievement", key="scenario_explorer:1")
    assert (paid.xp_amount, paid.reference_id) == (reward.xp_amount, "scenario_explorer")


def test_a_reward_that_was_paid_twice_is_taken_back_once(ada):
    before = xp.level(ada).total_xp
    reward = XPTransaction.objects.get(source="achievement", key="scenario_explorer:1")
    XPTransaction(
        user=ada, xp_amount=reward.xp_amount, source="achievement", key="scenario_explorer:2", created_at=NOW
    ).save()

    assert "reward scenario_explorer:2" in facts()

    mend()
    assert facts() == []
    assert xp.level(ada).total_xp == before
    assert XPTransaction.objects.get(reverses__key="scenario_explorer:2").xp_amount == -reward.xp_amount


def test_the_reward_of_a_revoked_achievement_is_taken_back(ada):
    before = xp.level(ada).total_xp
    ledger().filter(reverses__key="first_scenario:1").delete()

    assert "reward first_scenario:1" in facts()

    mend()
    assert facts() == []
    assert xp.level(ada).total_xp == before


def test_an_unlock_that_only_the_ledger_still_knows_of_is_restored(ada):
    before = xp.level(ada).total_xp
    UserAchievement.objects.filter(achievement="scenario_explorer").delete()

    assert {"grants of scenario_explorer", "counter achievements_unlocked"} <= set(facts())

    mend()
    assert facts() == []
    assert xp.level(ada).total_xp == before
    assert UserAchievement.objects.get(achievement="scenario_explorer").is_unlocked


def test_a_reversal_that_is_not_the_opposite_is_told(ada):
    ledger().filter(source="reversal", reverses__key="prize").update(xp_amount=-499)
    UserXP.objects.update(total_xp=F("total_xp") + 1)

    assert [fact for fact in facts() if "revers" in fact]


def test_a_reversal_on_another_date_is_told(ada):
    reversal = ledger().get(source="reversal", reverses__key="prize")
    ledger().filter(pk=reversal.pk).update(earned_on=NOW.date())

    assert [fact for fact in facts() if "revers" in fact]


def test_whoever_cannot_be_mended_does_not_keep_others_from_it(ada):
    broken, other = lively(), lively()
    ledger().filter(user=broken, source="activity").update(xp_amount=-1000)
    UserXP.objects.filter(user=other).update(total_xp=1)

    mend()

    assert facts(users=[other]) == []
    assert facts(users=[broken]) != []


# What a run does


def test_a_clean_database_is_left_as_it_is(ada):
    lively()
    before = rows(without=())

    assert (facts(), mend(), facts()) == ([], [], [])
    assert rows(without=()) == before


def test_verifying_writes_nothing(ada):
    UserXP.objects.update(total_xp=1, title="Mythic")
    before = rows(without=())

    def refuse(execute, sql, params, many, context):
        if sql.split(None, 1)[0] in {"INSERT", "UPDATE", "DELETE"}:
            raise OperationalError("nothing may be written")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        found = facts()

    assert {"total_xp", "title"} <= set(found)
    assert rows(without=()) == before


def test_only_those_asked_for_are_verified_and_mended(ada):
    other = lively()
    UserXP.objects.update(total_xp=1)

    assert {drift.user_id for drift in integrity.repair(users=[ada], now=NOW)} == {ada.pk}

    assert {drift.user_id for drift in integrity.verify(now=NOW)} == {other.pk}


def test_a_drift_is_told_in_a_line(ada):
    total = xp.level(ada).total_xp
    UserXP.objects.update(total_xp=1)

    lines = [str(drift) for drift in integrity.verify(now=NOW)]

    assert f"user {ada.pk}: total_xp is 1, the records say {total}" in lines
    assert not [line for line in lines if "\n" in line]


def test_boards_follow_a_repair(ada, django_capture_on_commit_callbacks):
    total = xp.level(ada).total_xp
    UserXP.objects.update(total_xp=1)
    leaderboards.top("xp_all_time", now=NOW)

    with django_capture_on_commit_callbacks(execute=True):
        mend()

    (row,) = leaderboards.top("xp_all_time", now=NOW + timedelta(seconds=5)).entries
    assert row.score == total


def test_people_without_rows_are_nobodys_business():
    person()

    assert (facts(), mend()) == ([], [])
    assert not UserStreak.objects.exists()


def test_many_people_cost_few_queries(ada, django_assert_max_num_queries):
    for _ in range(9):
        xp.initialize(person())

    with django_assert_max_num_queries(20):
        assert facts() == []

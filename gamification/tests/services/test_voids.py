"""Voiding an activity: everything is as if it had not been, and the log tells both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from gamification.exceptions import AlreadyReversed, AlreadyVoided, InsufficientXP, InvalidInput, UnknownActivity
from gamification.models import Activity, UserAchievement, UserCounter, UserDay, VoidedActivity, XPTransaction
from gamification.models.xp import Source
from gamification.services import achievements, activities, integrity, leaderboards, privacy, streaks, xp
from gamification.services.activities import Event
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.helpers import at, listening, noon, snapshot

pytestmark = pytest.mark.django_db

NOW = noon(30)
SCENARIO = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}


@pytest.fixture
def ada():
    return UserFactory(username="ada")


@pytest.fixture
def grace():
    return UserFactory(username="grace")


def act(user: Any, *days: int, kind: str = "daily_visit", **details: Any) -> list[Activity]:
    return [
        activities.record(user, kind, key=f"{kind}-{day}", occurred_at=noon(day), now=noon(day), **details).activity
        for day in days
    ]


def void(activity: Activity, **details: Any) -> Any:
    return activities.void(activity, **{"reason": "a fake", "now": NOW, **details})


def counters(user: Any) -> dict[str, int]:
    return dict(UserCounter.objects.filter(user=user, value__gt=0).values_list("name", "value"))


def days(user: Any) -> dict[int, tuple[str, int, int]]:
    """Return status, activities and XP of each day of June that has any."""
    rows = UserDay.objects.filter(user=user).values_list("date", "status", "activities", "xp")
    return {on.day: tuple(told) for on, *told in rows if any(told)}


def drifts(user: Any) -> list[str]:
    return [str(drift) for drift in integrity.verify(users=[user], now=NOW)]


# What goes


def test_xp_counters_day_and_streak_are_as_if_it_had_not_been(ada):
    act(ada, 1, 2)
    before = (xp.level(ada).total_xp, counters(ada), days(ada), streaks.status(ada, now=noon(3)))
    (fake,) = act(ada, 3, kind="scenario_completed", data=SCENARIO)

    told = void(fake)

    assert (xp.level(ada).total_xp, counters(ada), days(ada), streaks.status(ada, now=noon(3))) == before
    assert (told.xp_taken_back, told.level.total_xp, told.streak.longest) == (315, 15, 2)
    assert drifts(ada) == []


def test_the_log_and_the_ledger_keep_both(ada, grace):
    (fake,) = act(ada, 1, kind="scenario_completed", data=SCENARIO)

    void(fake, actor=grace)

    row = VoidedActivity.objects.get(activity=fake)
    taken = XPTransaction.objects.filter(user=ada, source=Source.REVERSAL)
    assert (row.user, row.reason, row.actor, row.voided_at) == (ada, "a fake", grace, NOW)
    assert Activity.objects.filter(pk=fake.pk).exists()
    assert not Activity.objects.unvoided().filter(pk=fake.pk).exists()
    assert {(each.reverses.source, each.reason, each.actor, each.earned_on) for each in taken} == {
        ("activity", "a fake", grace, fake.local_date),
        ("streak", "a fake", grace, fake.local_date),
    }


def test_a_fact_counts_until_the_last_activity_that_states_it_is_void(ada):
    first, second = act(ada, 1, 2, kind="scenario_completed", data=SCENARIO)

    void(first)
    with_one = counters(ada)
    void(second)

    assert (with_one["languages_practised:es"], with_one["languages_practised"]) == (1, 1)
    assert counters(ada) == {}
    assert drifts(ada) == []


def test_an_early_morning_and_a_night_count_while_another_activity_tells_of_them(ada):
    moments = ["2026-06-01T05:30", "2026-06-01T07:59", "2026-06-01T22:30", "2026-06-02T01:59"]
    early, also_early, night, same_night = (
        activities.record(ada, "daily_visit", key=moment, occurred_at=at(moment), now=at(moment)).activity
        for moment in moments
    )

    void(early)
    void(night)
    while_told = counters(ada)
    void(also_early)
    void(same_night)

    assert while_told == {"early_days": 1, "night_days": 1}
    assert counters(ada) == {}
    assert drifts(ada) == []


def test_a_day_with_another_activity_stays_and_keeps_its_bonus(ada):
    (visit,) = act(ada, 1)
    act(ada, 1, kind="words_learned", quantity=3)

    void(visit)

    assert days(ada) == {1: ("active", 1, 5)}
    assert streaks.status(ada, now=noon(1)).current == 1
    assert drifts(ada) == []


def test_a_day_that_only_a_late_activity_is_left_of_loses_its_bonus(ada):
    (visit, _) = act(ada, 1, 2)
    activities.record(ada, "words_learned", key="late", occurred_at=noon(1), now=noon(2))

    void(visit)

    assert days(ada) == {1: ("active", 1, 0), 2: ("active", 1, 10)}
    assert drifts(ada) == []


def test_a_day_that_is_acted_on_anew_is_paid_for_anew(ada):
    (visit,) = act(ada, 1)
    void(visit, now=noon(1))

    again = activities.record(ada, "daily_visit", key="again", occurred_at=noon(1), now=noon(1))
    void(again.activity, now=noon(1))
    third = activities.record(ada, "daily_visit", key="third", occurred_at=noon(1), now=noon(1))

    keys = XPTransaction.objects.filter(user=ada, source=Source.STREAK).order_by("pk").values_list("key", flat=True)
    assert (again.xp_awarded, third.xp_awarded) == (5, 5)
    assert list(keys) == ["2026-06-01", "2026-06-01:2", "2026-06-01:3"]
    assert (xp.level(ada).total_xp, days(ada)) == (5, {1: ("active", 1, 5)})


def test_bonuses_of_other_days_stay_as_they_were_paid(ada):
    _, fake, _ = act(ada, 1, 2, 3)

    void(fake)

    assert {on: told[2] for on, told in days(ada).items()} == {1: 5, 2: 0, 3: 15}


def test_what_was_outside_the_window_leaves_the_streak_alone(ada):
    act(ada, 20)
    old = activities.record(ada, "words_learned", key="old", occurred_at=noon(1), now=noon(20)).activity
    before = streaks.status(ada, now=noon(20))

    void(old)

    assert streaks.status(ada, now=noon(20)) == before
    assert days(ada) == {20: ("active", 1, 5)}
    assert drifts(ada) == []


# Streaks


def test_only_this_lowers_the_longest_streak(ada):
    _, _, fake, _, _ = act(ada, 1, 2, 3, 4, 5)

    with override_settings(GAMIFICATION={"STREAK_AUTO_FREEZE": False}):
        told = void(fake, now=noon(5)).streak
        assert drifts(ada) == []

    assert (told.current, told.longest, told.total_active_days, told.freezes) == (2, 2, 4, 3)


def test_a_day_in_the_middle_is_covered_by_a_freeze_as_it_would_have_been(ada):
    _, fake, _ = act(ada, 1, 2, 3)

    told = void(fake, now=noon(3)).streak

    assert (told.current, told.longest, told.freezes) == (2, 2, 2)
    assert UserDay.objects.get(user=ada, date=noon(2).date()).status == "frozen"
    assert drifts(ada) == []


def test_a_freeze_that_was_used_on_the_way_stays_used_and_goes_on_covering_its_day(ada):
    _, fake = act(ada, 1, 3)
    before = streaks.status(ada, now=noon(3))

    told = void(fake, now=noon(3)).streak

    assert (before.current, before.freezes) == (2, 2)
    assert (told.current, told.longest, told.freezes, told.status) == (1, 1, 2, "at_risk")
    assert {on: status for on, (status, *_) in days(ada).items()} == {1: "active", 2: "frozen"}
    assert drifts(ada) == []


def test_a_freeze_stays_used_where_there_is_nothing_left_to_cover(ada):
    fake, _ = act(ada, 1, 3)

    told = void(fake, now=noon(3)).streak

    assert (told.current, told.longest, told.freezes) == (1, 1, 2)
    assert {on: status for on, (status, *_) in days(ada).items()} == {3: "active"}
    assert drifts(ada) == []


def test_no_more_freezes_stay_used_than_there_are(ada):
    _, fake, _ = act(ada, 1, 3, 8)

    told = void(fake, now=noon(8)).streak

    assert (told.current, told.longest, told.freezes) == (1, 1, 0)
    assert drifts(ada) == []


def test_a_freeze_asked_for_counts_again_when_the_activity_on_its_day_is_void(ada):
    act(ada, 1)
    streaks.freeze(ada, now=noon(2))
    (fake,) = act(ada, 2)

    told = void(fake, now=noon(2)).streak

    assert (told.status, told.current, told.freezes) == ("frozen", 1, 2)
    assert drifts(ada) == []


def test_a_freeze_that_was_earned_by_it_is_not_there_any_more(ada):
    act(ada, 1, 3, 4, 5, 6, 7)
    (seventh,) = act(ada, 8)
    before = streaks.status(ada, now=noon(8)).freezes

    told = void(seventh, now=noon(8)).streak

    assert (before, told.freezes) == (3, 2)
    assert drifts(ada) == []


def test_the_only_activity_leaves_nobody_with_a_streak(ada):
    (fake,) = act(ada, 1)

    told = void(fake).streak

    assert (told.status, told.longest, told.expires_at, told.last_activity_date) == ("none", 0, None, None)
    assert (days(ada), drifts(ada)) == ({}, [])


def test_a_longest_streak_that_an_excused_date_left_is_no_longer_than_the_active_days(ada):
    first, *_ = act(ada, 1, 2, 3)
    row = streaks.stored(ada)
    row.longest_streak = row.longest_kept = 3
    row.save()

    told = void(first, now=noon(3)).streak

    assert told.longest == 2
    assert drifts(ada) == []


# Boards


def test_boards_follow(ada):
    with override_settings(GAMIFICATION={"LEADERBOARD_TTL": 1}):
        act(ada, 1, kind="scenario_completed", data=SCENARIO)
        (fake,) = act(ada, 2, kind="scenario_completed", data=SCENARIO)
        void(fake, now=noon(2))

        scores = {
            metric: leaderboards.rank(ada, metric, now=noon(2)).score
            for metric in ("xp_all_time", "xp_weekly", "streak_current", "streak_longest", "scenarios_completed")
        }

    assert scores == {
        "xp_all_time": 305,
        "xp_weekly": 305,
        "streak_current": 1,
        "streak_longest": 1,
        "scenarios_completed": 1,
    }


# Achievements


@pytest.fixture
def ladder():
    """Two scenarios pay an achievement, and its XP another one."""
    AchievementFactory(achievement_id="two", metric="scenarios_completed", value=2, xp_reward=100)
    AchievementFactory(achievement_id="rich", metric="total_xp_earned", value=500, xp_reward=50)
    AchievementFactory(achievement_id="one", metric="scenarios_completed", value=1, xp_reward=0)


def held(user: Any) -> set[str]:
    return set(UserAchievement.objects.of(user).unlocked().values_list("achievement_id", flat=True))


def test_achievements_stay_unless_told_otherwise(ada, ladder):
    _, second = act(ada, 1, 2, kind="scenario_completed", data=SCENARIO)

    told = void(second)

    assert told.achievements_revoked == ()
    assert held(ada) == {"one", "two", "rich"}
    assert xp.level(ada).total_xp == 305 + 150
    assert drifts(ada) == []


@pytest.mark.parametrize("by_setting", [True, False], ids=["setting", "argument"])
def test_achievements_that_stood_on_it_go_with_what_stood_on_them(ada, ladder, by_setting):
    _, second = act(ada, 1, 2, kind="scenario_completed", data=SCENARIO)

    with override_settings(GAMIFICATION={"VOID_ACHIEVEMENTS": "revoke"} if by_setting else {}):
        told = void(second) if by_setting else void(second, achievements="revoke")

    assert told.achievements_revoked == ("two", "rich")
    assert held(ada) == {"one"}
    assert VoidedActivity.objects.get().achievements == ["two", "rich"]
    assert (told.xp_taken_back, xp.level(ada).total_xp) == (310 + 150, 305)
    assert drifts(ada) == []


def test_what_staff_granted_and_what_did_not_hold_before_is_not_revoked(ada, ladder):
    achievements.unlock(ada, "two", reason="a present", now=noon(1))
    AchievementFactory(achievement_id="raised", metric="scenarios_completed", value=2, xp_reward=0)
    _, second = act(ada, 1, 2, kind="scenario_completed", data=SCENARIO)
    row = UserAchievement.objects.get(user=ada, achievement="raised").achievement
    row.conditions["all"][0]["value"] = 9
    row.save()

    told = void(second, achievements="revoke")

    assert told.achievements_revoked == ("rich",)
    assert held(ada) == {"one", "two", "raised"}


def test_a_streak_that_was_reached_and_has_ended_still_holds_its_achievement(ada):
    AchievementFactory(achievement_id="three", metric="current_streak", value=3, xp_reward=0)
    act(ada, 1, 2, 3)
    (fake,) = act(ada, 20)

    told = void(fake, achievements="revoke")

    assert (told.achievements_revoked, held(ada)) == ((), {"three"})


# Once, or not at all


def test_a_second_time_is_refused_and_changes_nothing(ada):
    (fake,) = act(ada, 1)
    void(fake)
    before = snapshot()

    with pytest.raises(AlreadyVoided) as refused:
        void(fake)

    assert (refused.value.code, refused.value.status_code) == ("already_voided", 409)
    assert snapshot() == before


def test_below_zero_it_is_refused_and_changes_nothing(ada, ladder):
    (fake,) = act(ada, 1, kind="scenario_completed", data=SCENARIO)
    xp.award(ada, -100, reason="spent", key="spent", now=noon(1))
    before = snapshot()

    with pytest.raises(InsufficientXP):
        void(fake, achievements="revoke")

    assert snapshot() == before


def test_what_was_reversed_before_is_not_reversed_twice(ada):
    (fake,) = act(ada, 1, kind="scenario_completed", data=SCENARIO)
    paid = XPTransaction.objects.get(user=ada, source=Source.ACTIVITY)
    xp.reverse(paid, reason="a mistake", now=noon(1))

    told = void(fake)

    assert (told.xp_taken_back, xp.level(ada).total_xp) == (5, 0)
    assert XPTransaction.objects.filter(reverses=paid).count() == 1
    assert drifts(ada) == []


def test_what_was_voided_cannot_be_reversed_once_more(ada):
    (fake,) = act(ada, 1, kind="scenario_completed", data=SCENARIO)
    void(fake)

    with pytest.raises(AlreadyReversed):
        xp.reverse(XPTransaction.objects.get(user=ada, source=Source.ACTIVITY), reason="again", now=noon(1))


def test_its_key_answers_the_first_receipt_and_counts_nothing(ada):
    first = activities.record(ada, "scenario_completed", key="k", data=SCENARIO, now=noon(1))
    void(first.activity)
    before = snapshot()

    again = activities.record(ada, "scenario_completed", key="k", data=SCENARIO, now=noon(2))

    assert (again.is_replay, again.xp_awarded, again.streak) == (True, first.xp_awarded, first.streak)
    assert snapshot() == before


def test_a_visit_that_was_voided_does_not_count_by_coming_back(ada):
    streaks.touch(ada, now=noon(1))
    void(Activity.objects.get(user=ada), now=noon(1))

    told = streaks.touch(ada, now=noon(1))

    assert (told.action, told.current, told.is_replay) == (None, 0, True)


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "a" * 256}, "reason"),
        ({"reason": "\ud800"}, "reason"),
        ({"reason": 5}, "reason"),
        ({"achievements": "perhaps"}, "achievements"),
    ],
)
def test_bad_input_is_refused_by_name(ada, details, field):
    (fake,) = act(ada, 1)
    before = snapshot()

    with pytest.raises(InvalidInput) as refused:
        void(fake, **details)

    assert refused.value.field == field
    assert snapshot() == before


def test_what_was_erased_meanwhile_is_refused(ada):
    (fake,) = act(ada, 1)
    privacy.erase(ada)
    before = snapshot()

    with pytest.raises(UnknownActivity):
        void(fake)

    assert snapshot() == before


# What follows


def test_it_is_announced_once_it_is_committed(ada, django_capture_on_commit_callbacks):
    (fake,) = act(ada, 1, kind="scenario_completed", data=SCENARIO)

    with listening(["activity_voided", "xp_awarded"]) as heard, django_capture_on_commit_callbacks(execute=True):
        told = void(fake)
        assert heard == []

    assert sorted(heard.names) == ["activity_voided", "xp_awarded", "xp_awarded"]
    (announced,) = heard.of("activity_voided")
    assert (announced["user"], announced["activity"], announced["voided"]) == (ada, fake, told)


def test_an_export_tells_it_and_erasing_forgets_it(ada, grace):
    (fake, other) = act(ada, 1)[0], act(grace, 1)[0]
    void(fake, actor=grace)
    void(other, actor=ada)

    (exported,) = privacy.export(ada)["voided_activities"]
    erased = privacy.erase(ada)

    assert (exported["reason"], exported["activity"]) == ("a fake", fake.pk)
    assert erased["voided_activities"] == 1
    assert list(VoidedActivity.objects.values_list("user_id", "actor_id")) == [(grace.pk, None)]


def test_a_repair_leaves_what_is_void_void(ada):
    act(ada, 1, 2, kind="scenario_completed", data=SCENARIO)
    void(Activity.objects.get(key="scenario_completed-2"))
    UserCounter.objects.filter(user=ada).update(value=77)
    UserDay.objects.filter(user=ada).update(activities=9, xp=9)

    list(integrity.repair(users=[ada], now=NOW))

    assert counters(ada) == {
        "scenarios_completed": 1,
        "perfect_scenarios": 1,
        "study_minutes": 50,
        "languages_practised": 1,
        "languages_practised:es": 1,
    }
    assert days(ada)[1] == ("active", 1, 305)
    assert drifts(ada) == []


def test_events_after_it_fold_as_after_a_life_without_it(ada, grace):
    act(grace, 1, 2, 6)
    act(ada, 1, 2)
    (fake,) = act(ada, 4)
    void(fake, now=noon(4) + timedelta(hours=1))
    act(ada, 6)

    mine, hers = (streaks.status(user, now=noon(6)) for user in (ada, grace))
    assert mine == hers
    assert drifts(ada) == []


def test_many_events_of_a_batch_can_be_voided_in_any_order(ada):
    batch = [Event(ada, "daily_visit", f"{day}", occurred_at=noon(day)) for day in range(1, 10)]
    receipts = activities.record_many(batch, now=noon(9), backdate_limit=False)

    for number in (4, 8, 0, 6, 2, 5, 1, 7, 3):
        void(receipts[number].activity, now=noon(9))
        assert drifts(ada) == []

    assert (days(ada), xp.level(ada).total_xp, streaks.status(ada, now=NOW).longest) == ({}, 0, 0)


# Progress, and days that had drifted


def test_progress_follows_what_was_voided_and_nothing_else(ada):
    AchievementFactory(achievement_id="rich", metric="total_xp_earned", value=10_000)
    AchievementFactory(achievement_id="words", metric="words_learned", value=10)
    gift = xp.award(ada, 3000, reason="gift", key="g", now=noon(1)).transaction
    (word,) = act(ada, 2, kind="words_learned", quantity=5)
    xp.reverse(gift, reason="wrong", now=noon(3))
    before = dict(UserAchievement.objects.filter(user=ada).values_list("achievement_id", "progress"))

    void(word)

    after = dict(UserAchievement.objects.filter(user=ada).values_list("achievement_id", "progress"))
    assert (before["words"], after["words"]) == (50, 0)
    assert before["rich"] == after["rich"] == 30
    assert drifts(ada) == []


def test_progress_rises_where_a_void_joins_days(ada):
    AchievementFactory(achievement_id="week", metric="longest_streak", value=7)
    (first,) = act(ada, 21)
    activities.record(ada, "daily_visit", key="late", occurred_at=noon(19), now=noon(21))
    activities.record(ada, "daily_visit", key="again", occurred_at=noon(21), now=noon(21))

    void(first)

    assert streaks.status(ada, now=noon(21)).longest == 2
    assert UserAchievement.objects.get(user=ada, achievement="week").progress == 28
    assert drifts(ada) == []


@override_settings(GAMIFICATION={"ACTIVITY_TYPES": {"commit": {"xp": 10, "max_events_per_day": 5}}})
def test_a_day_that_had_drifted_is_no_reason_to_refuse(ada):
    (activity,) = act(ada, 1, kind="commit")
    UserDay.objects.filter(user=ada).update(activities=0, allowances=None)

    void(activity)

    assert xp.level(ada).total_xp == 0


@override_settings(GAMIFICATION={"ACTIVITY_TYPES": {"commit": {"xp": 10, "max_events_per_day": 1}}})
def test_what_a_voided_activity_took_of_its_days_allowance_is_free_again(ada):
    (activity,) = act(ada, 1, kind="commit")

    void(activity)

    again = activities.record(ada, "commit", key="again", occurred_at=noon(1), now=noon(1))
    assert (again.capped_by, drifts(ada)) == (None, [])

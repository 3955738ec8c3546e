from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils.functional import SimpleLazyObject

from gamification.domain.activity_types import ActivityType
from gamification.engine.sql import writing
from gamification.exceptions import GamificationError, IdempotencyConflict, UnknownKind
from gamification.models import Activity, UserAchievement, UserCounter, UserDay, UserStreak, UserXP, XPTransaction
from gamification.services import achievements, activities, streaks, xp
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.helpers import at, listening, noon, snapshot

pytestmark = pytest.mark.django_db

FLAWLESS = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}
OWN_KIND = ActivityType("review", counters={"reviews": 2}, xp=3, label="Review")


@pytest.fixture
def ada():
    return UserFactory()


def record(user: Any, kind: str = "daily_visit", **given: Any) -> activities.Receipt:
    given.setdefault("key", f"{kind} {given.get('occurred_at') or given.get('now')}")
    return activities.record(user, kind, **given)


def counters(user: Any) -> dict[str, int]:
    return dict(UserCounter.objects.filter(user=user).values_list("name", "value"))


def day_of(user: Any, on: str) -> UserDay:
    return UserDay.objects.get(user=user, date=on)


# The way in


def test_a_first_perfect_advanced_scenario_is_worth_405_xp(ada):
    achievements.initialize()

    receipt = record(ada, "scenario_completed", data=FLAWLESS, now=noon(1))

    assert receipt.xp_awarded == 200 + 100 + 5 + 50 + 50 == 405
    assert receipt.achievements_unlocked == ("first_scenario", "first_steps")
    assert (receipt.level.total_xp, receipt.level.current_level, receipt.level_up) == (405, 4, True)
    assert (receipt.streak.action, receipt.streak.current, receipt.streak.xp_awarded) == ("started", 1, 5)
    assert list(XPTransaction.objects.order_by("id").values_list("source", "xp_amount", "reason", "earned_on")) == [
        ("activity", 300, "scenario_completed", date(2026, 6, 1)),
        ("streak", 5, "streak_bonus", date(2026, 6, 1)),
        ("achievement", 50, "achievement_unlocked", date(2026, 6, 1)),
        ("achievement", 50, "achievement_unlocked", date(2026, 6, 1)),
    ]
    assert (day_of(ada, "2026-06-01").xp, UserXP.objects.get(user=ada).total_xp) == (405, 405)


def test_keys_of_derived_rows_come_from_the_event(ada):
    achievements.initialize()

    receipt = record(ada, "scenario_completed", data=FLAWLESS, now=noon(1))

    assert set(XPTransaction.objects.values_list("source", "key")) == {
        ("activity", str(receipt.activity.pk)),
        ("streak", "2026-06-01"),
        ("achievement", "first_scenario:1"),
        ("achievement", "first_steps:1"),
    }


def test_a_receipt_cannot_be_changed(ada):
    receipt = record(ada, now=noon(1))

    with pytest.raises(FrozenInstanceError):
        receipt.xp_awarded = 1000  # type: ignore[misc]


def test_the_log_keeps_what_was_sent_and_the_zone_that_it_was_counted_in(ada):
    streaks.set_timezone(ada, "Asia/Kathmandu", now=noon(1))

    record(ada, "words_learned", key="w", quantity=7, occurred_at=at("2026-06-01T18:15"), now=at("2026-06-01T18:20"))

    row = Activity.objects.get()
    assert (row.kind, row.key, row.quantity, row.timezone) == ("words_learned", "w", 7, "Asia/Kathmandu")
    assert (row.occurred_at, row.recorded_at) == (at("2026-06-01T18:15"), at("2026-06-01T18:20"))
    assert row.local_date == date(2026, 6, 2)


def test_the_local_date_of_an_activity_outlives_a_change_of_zone(ada):
    record(ada, key="a", now=at("2026-06-01T20:00"))

    streaks.set_timezone(ada, "Asia/Tokyo", now=at("2026-06-01T21:00"))

    assert Activity.objects.get().local_date == date(2026, 6, 1)
    assert record(ada, key="b", now=at("2026-06-01T22:00")).activity.local_date == date(2026, 6, 2)


def test_without_a_moment_it_happens_now(ada):
    before = datetime.now(tz=UTC)

    receipt = activities.record(ada, "daily_visit", key="a")

    assert before <= receipt.activity.occurred_at <= datetime.now(tz=UTC)
    assert receipt.activity.occurred_at == receipt.activity.recorded_at


def test_the_lazy_user_of_a_request_will_do(ada, django_capture_on_commit_callbacks):
    lazy: Any = SimpleLazyObject(lambda: ada)

    with listening(["activity_recorded"]) as heard, django_capture_on_commit_callbacks(execute=True):
        record(lazy, key="a", now=noon(1))
        xp.award(lazy, 10, reason="gift", key="a", actor=lazy, now=noon(1))

    assert record(ada, key="a", now=noon(1)).is_replay
    assert heard[0][1]["sender"] is type(ada)


def test_somebody_who_was_never_initialized_gets_all_rows(ada):
    record(ada, now=noon(1))

    assert UserStreak.objects.filter(user=ada).count() == UserXP.objects.filter(user=ada).count() == 1


# Counters


def test_every_kind_raises_its_counters(ada):
    record(ada, "scenario_completed", data=FLAWLESS, now=noon(1))
    record(ada, "conversation_completed", data={"minutes": 10}, now=noon(1))
    record(ada, "words_learned", quantity=12, now=noon(1))
    record(ada, "study_session", data={"minutes": 25}, quantity=2, now=noon(1))
    record(ada, "daily_visit", now=noon(1))

    assert counters(ada) == {
        "scenarios_completed": 1,
        "perfect_scenarios": 1,
        "languages_practised": 1,
        "languages_practised:es": 1,
        "conversations_completed": 1,
        "study_minutes": 50 + 10 + 50,
        "words_learned": 12,
    }


def test_quantity_multiplies_counters_and_xp(ada):
    data = {"difficulty": "beginner", "minutes": 10, "perfect": True}

    receipt = record(ada, "scenario_completed", data=data, quantity=10_000, now=noon(1))

    assert receipt.xp_awarded == 10_000 * 90 + 5
    assert counters(ada) == {"scenarios_completed": 10_000, "study_minutes": 100_000, "perfect_scenarios": 10_000}


def test_languages_are_counted_once_each_by_their_primary_subtag(ada):
    for number, language in enumerate(["es", "ES-mx", "es-419", "pt-BR", "pt", "zh-Hant-TW"]):
        record(ada, "scenario_completed", key=f"{number}", data={"language": language}, now=noon(1))

    found = {name: value for name, value in counters(ada).items() if name.startswith("languages")}
    assert found == {
        "languages_practised": 3,
        "languages_practised:es": 3,
        "languages_practised:pt": 2,
        "languages_practised:zh": 1,
    }


@pytest.mark.parametrize(("clock", "early"), [("04:59:59", None), ("05:00:00", 1), ("07:59:59", 1), ("08:00:00", None)])
def test_an_early_day_has_an_activity_from_five_to_eight_on_the_users_clock(ada, clock, early):
    streaks.set_timezone(ada, "Asia/Kathmandu", now=noon("2026-05-01"))

    record(ada, now=at(f"2026-06-02T{clock}+05:45"))

    assert counters(ada).get("early_days") == early


def test_a_morning_counts_once_and_the_next_one_again(ada):
    for moment in ("2026-06-01T05:00", "2026-06-01T07:30", "2026-06-02T06:00"):
        record(ada, now=at(moment))

    assert counters(ada)["early_days"] == 2


def test_a_night_counts_once_by_the_date_on_which_it_began(ada):
    for moment in ("2026-06-01T22:00", "2026-06-02T01:59:59", "2026-06-02T02:00", "2026-06-02T21:59:59"):
        record(ada, now=at(moment))

    assert counters(ada)["night_days"] == 1
    assert (day_of(ada, "2026-06-01").is_night, day_of(ada, "2026-06-02").is_night) == (True, False)


def test_the_hours_after_midnight_alone_count_for_the_night_before(ada):
    record(ada, now=at("2026-06-02T00:30"))

    before = day_of(ada, "2026-06-01")
    assert (before.is_night, before.status, before.activities) == (True, "", 0)
    assert counters(ada)["night_days"] == 1


def test_two_nights_around_one_date_are_two(ada):
    record(ada, now=at("2026-06-02T00:30"))
    record(ada, now=at("2026-06-02T23:30"))

    assert counters(ada)["night_days"] == 2


def test_a_night_of_a_date_that_was_written_before_keeps_what_is_on_it(ada):
    record(ada, key="a", now=noon(1))
    record(ada, key="b", now=at("2026-06-02T00:30"))

    first = day_of(ada, "2026-06-01")
    assert (first.status, first.activities, first.xp, first.is_night) == ("active", 1, 5, True)


def test_the_night_in_which_summer_time_begins_counts_once(ada):
    streaks.set_timezone(ada, "Europe/Berlin", now=noon("2026-03-01"))

    for moment in ("2026-03-28T21:30Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00Z"):  # 22:30, 01:59:59, 03:00
        record(ada, now=at(moment))

    assert counters(ada)["night_days"] == 1


def test_the_morning_after_summer_time_begins_is_early_by_the_new_clock(ada):
    streaks.set_timezone(ada, "Europe/Berlin", now=noon("2026-03-01"))

    record(ada, now=at("2026-03-29T05:30Z"))  # 07:30
    assert counters(ada)["early_days"] == 1
    record(ada, now=at("2026-03-30T06:00Z"))  # 08:00
    assert counters(ada)["early_days"] == 1


def test_late_activities_count_for_mornings_and_nights_too(ada):
    record(ada, now=noon(5))

    record(ada, occurred_at=at("2026-06-02T06:00"), now=noon(5))
    record(ada, occurred_at=at("2026-06-02T23:00"), now=noon(5))

    assert (counters(ada)["early_days"], counters(ada)["night_days"]) == (1, 1)


# Kinds of the project


@override_settings(
    GAMIFICATION={
        "ACTIVITY_TYPES": {
            "commit": {"counters": {"commits": 1}, "xp": 10},
            "merge": {"counters": {"commits": 1, "lines": "lines"}, "xp": 5, "is_multiplied": False},
            "review": OWN_KIND,
            "audit": "gamification.tests.services.test_activities.OWN_KIND",
        }
    }
)
def test_a_project_declares_kinds_in_a_line(ada):
    assert record(ada, "commit", quantity=3, now=noon(1)).xp_awarded == 30 + 5
    assert record(ada, "merge", quantity=3, data={"lines": 40}, now=noon(1)).xp_awarded == 5
    assert record(ada, "review", quantity=2, now=noon(1)).xp_awarded == 6
    assert record(ada, "audit", now=noon(1)).xp_awarded == 3

    assert counters(ada) == {"commits": 4, "lines": 40, "reviews": 6}


@override_settings(GAMIFICATION={"ACTIVITY_TYPES": {"commit": {"counters": {"commits": 1}, "xp": 10}}})
def test_the_shipped_kinds_stay_beside_those_of_the_project(ada):
    assert record(ada, "words_learned", now=noon(1)).activity.counters == {"words_learned": 1}


@override_settings(GAMIFICATION={"ACTIVITY_TYPES": {"commit": {"counters": {"repositories": {"distinct": "repo"}}}}})
def test_a_project_counts_distinct_facts_of_its_own(ada):
    AchievementFactory(achievement_id="two", metric="repositories", value=2)
    AchievementFactory(achievement_id="django", metric="repositories:Django", value=2)

    told = [record(ada, "commit", key=f"{n}", data={"repo": repo}, now=noon(1)) for n, repo in enumerate("aab")]
    told += [record(ada, "commit", key=f"d{n}", data={"repo": "Django"}, now=noon(1)) for n in range(2)]

    assert [receipt.achievements_unlocked for receipt in told] == [(), (), ("two",), (), ("django",)]


# What is refused


REFUSALS: list[Any] = [
    pytest.param({"key": None}, "key_required", 400, "key", id="no key"),
    pytest.param({"key": ""}, "key_required", 400, "key", id="empty key"),
    pytest.param({"key": "ä"}, "invalid", 400, "key", id="key not ascii"),
    pytest.param({"key": "a" * 256}, "invalid", 400, "key", id="key too long"),
    pytest.param({"key": 5}, "invalid", 400, "key", id="key a number"),
    pytest.param({"kind": "commit"}, "unknown_kind", 400, "kind", id="unknown kind"),
    pytest.param({"kind": None}, "unknown_kind", 400, "kind", id="no kind"),
    pytest.param({"kind": ["daily_visit"]}, "unknown_kind", 400, "kind", id="list of kinds"),
    pytest.param({"quantity": 0}, "invalid", 400, "quantity", id="quantity 0"),
    pytest.param({"quantity": -1}, "invalid", 400, "quantity", id="quantity negative"),
    pytest.param({"quantity": 10_001}, "invalid", 400, "quantity", id="quantity too large"),
    pytest.param({"quantity": True}, "invalid", 400, "quantity", id="quantity true"),
    pytest.param({"quantity": "1"}, "invalid", 400, "quantity", id="quantity a text"),
    pytest.param({"quantity": 1.0}, "invalid", 400, "quantity", id="quantity a float"),
    pytest.param({"quantity": None}, "invalid", 400, "quantity", id="quantity null"),
    pytest.param({"data": []}, "invalid", 400, "data", id="data a list"),
    pytest.param({"data": {"minutes": 1441}}, "invalid", 400, "data.minutes", id="too many minutes"),
    pytest.param({"data": {"minutes": True}}, "invalid", 400, "data.minutes", id="minutes true"),
    pytest.param({"data": {"minutes": 10**5000}}, "invalid", 400, "data.minutes", id="minutes huge"),
    pytest.param({"data": {"seconds": 5}}, "invalid", 400, "data", id="unknown data"),
    pytest.param({"data": {"minutes": "\x00"}}, "invalid", 400, "data.minutes", id="data with NUL"),
    pytest.param({"occurred_at": datetime(2026, 6, 1)}, "invalid", 400, "occurred_at", id="moment without offset"),  # noqa: DTZ001
    pytest.param({"occurred_at": "2026-06-01T00:00:00Z"}, "invalid", 400, "occurred_at", id="moment a text"),
    pytest.param({"occurred_at": at("1969-12-31")}, "invalid", 400, "occurred_at", id="moment before 1970"),
    pytest.param({"occurred_at": at("2026-06-05T12:05:01")}, "future_event", 422, "occurred_at", id="future"),
    pytest.param(
        {"occurred_at": at("2026-06-05T11:54:59"), "trusted": False},
        "backdating_not_allowed",
        403,
        "occurred_at",
        id="back-dated",
    ),
    pytest.param({"timezone": "+02:00"}, "unknown_timezone", 422, "timezone", id="offset for a zone"),
    pytest.param({"timezone": ""}, "unknown_timezone", 422, "timezone", id="empty zone"),
]


@pytest.mark.parametrize("has_history", [False, True], ids=["new", "known"])
@pytest.mark.parametrize(("given_wrong", "code", "status_code", "field"), REFUSALS)
def test_a_refused_activity_changes_nothing(ada, has_history, given_wrong, code, status_code, field):
    if has_history:
        record(ada, "words_learned", now=noon(4))
    before = snapshot()
    request = {"kind": "study_session", "key": "a", "now": noon(5), **given_wrong}

    with pytest.raises(GamificationError) as refused:
        activities.record(ada, request.pop("kind"), **request)

    assert (refused.value.code, refused.value.status_code, refused.value.field) == (code, status_code, field)
    assert refused.value.message.endswith(".")
    assert snapshot() == before


def test_an_unknown_kind_is_told_which_are_known(ada):
    with pytest.raises(UnknownKind) as refused:
        activities.record(ada, "scenario_complete", key="a")

    for kind in ("scenario_completed", "conversation_completed", "words_learned", "study_session", "daily_visit"):
        assert kind in refused.value.message


def test_a_failed_call_leaves_its_key_free(ada):
    with pytest.raises(GamificationError):
        record(ada, "study_session", key="a", data={"minutes": -1}, now=noon(1))

    assert not record(ada, "study_session", key="a", data={"minutes": 1}, now=noon(1)).is_replay


def test_a_crash_between_unlock_and_xp_leaves_neither(ada, monkeypatch):
    achievements.initialize()
    before = snapshot()
    insert = writing.insert

    def insert_no_xp(cursor, rows, **how):
        return _crash() if rows and type(rows[0]) is XPTransaction else insert(cursor, rows, **how)

    monkeypatch.setattr(writing, "insert", insert_no_xp)

    with pytest.raises(RuntimeError):
        record(ada, "scenario_completed", data=FLAWLESS, now=noon(1))

    monkeypatch.undo()
    assert snapshot() == before
    assert record(ada, "scenario_completed", data=FLAWLESS, now=noon(1)).xp_awarded == 405


def _crash(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError


# Once per key


def test_a_replayed_key_changes_nothing(ada):
    achievements.initialize()
    first = record(ada, "scenario_completed", key="a", data=FLAWLESS, now=noon(1))
    before = snapshot()

    again = record(ada, "scenario_completed", key="a", data=dict(reversed(FLAWLESS.items())), now=noon(3))

    assert snapshot() == before
    assert (again.is_replay, first.is_replay) == (True, False)
    assert replace(again, is_replay=False) == first


def test_a_replay_tells_what_was_true_the_first_time(ada):
    achievements.initialize()
    first = record(ada, "scenario_completed", key="a", data=FLAWLESS, now=noon(1))
    for day in range(2, 9):
        record(ada, "scenario_completed", key=f"{day}", data={"language": "fr"}, now=noon(day))
    xp.award(ada, 5000, reason="contest", key="x", now=noon(9))
    achievements.revoke(ada, "first_scenario", now=noon(9))

    again = record(ada, "scenario_completed", key="a", data=FLAWLESS, now=noon(10))

    assert replace(again, is_replay=False) == first
    assert (again.level.total_xp, again.streak.current, again.level_up) == (405, 1, True)
    assert again.achievements_unlocked == ("first_scenario", "first_steps")


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "conversation_completed"},
        {"quantity": 2},
        {"data": {"minutes": 11}},
        {"data": {}},
        {"data": None},
        {"occurred_at": at("2026-06-01T11:59:59")},
        {"timezone": "UTC"},
    ],
    ids=str,
)
def test_the_same_key_for_something_else_is_a_conflict(ada, other):
    request = {"kind": "study_session", "key": "a", "data": {"minutes": 10}, "now": noon(1)}
    activities.record(ada, request["kind"], **{k: v for k, v in request.items() if k != "kind"})
    before = snapshot()

    changed = {**request, **other}
    with pytest.raises(IdempotencyConflict) as refused:
        activities.record(ada, changed.pop("kind"), **changed)

    assert (refused.value.code, refused.value.status_code) == ("idempotency_conflict", 422)
    assert snapshot() == before


def test_what_is_left_out_equals_what_is_given_as_nothing(ada):
    record(ada, key="a", now=noon(1))

    assert record(ada, key="a", data={}, quantity=1, occurred_at=None, timezone=None, now=noon(1)).is_replay
    assert record(ada, key="a", data=None, now=noon(2)).is_replay


def test_the_same_moment_written_in_another_zone_is_the_same_content(ada):
    record(ada, key="a", occurred_at=at("2026-06-01T12:00Z"), now=noon(1))

    assert record(ada, key="a", occurred_at=at("2026-06-01T14:00+02:00"), now=noon(1)).is_replay


def test_a_replay_is_answered_long_after_its_window_has_passed(ada):
    record(ada, key="a", occurred_at=noon(1), now=noon(1))

    assert record(ada, key="a", occurred_at=noon(1), now=noon("2027-06-01")).is_replay


def test_a_retry_of_an_untrusted_caller_is_a_replay_also_when_the_moment_has_become_too_old(ada):
    first = record(ada, key="a", occurred_at=noon(1), now=noon(1), trusted=False)

    again = record(ada, key="a", occurred_at=noon(1), now=at("2026-06-01T12:10"), trusted=False)

    assert again.is_replay
    assert again.activity == first.activity


def test_a_key_belongs_to_one_user_and_one_source(ada):
    ben = UserFactory()
    record(ada, key="same", now=noon(1))

    assert not record(ben, key="same", now=noon(1)).is_replay
    assert not xp.award(ada, 10, reason="gift", key="same", now=noon(1)).is_replay


def test_a_key_of_the_greatest_length_is_kept_whole(ada):
    key = "~" * 255
    record(ada, key=key, now=noon(1))

    assert Activity.objects.get().key == key
    assert record(ada, key=key, now=noon(1)).is_replay


# When


def test_up_to_five_minutes_ahead_is_taken_as_now(ada):
    receipt = record(ada, occurred_at=at("2026-06-02T00:02"), now=at("2026-06-01T23:58"))

    assert receipt.activity.occurred_at == at("2026-06-01T23:58")
    assert receipt.activity.local_date == date(2026, 6, 1)
    assert not record(ada, key="b", occurred_at=at("2026-06-03T12:05"), now=noon(3)).is_replay


def test_an_untrusted_caller_may_report_what_happened_five_minutes_ago(ada):
    receipt = record(ada, occurred_at=at("2026-06-01T11:55"), now=noon(1), trusted=False)

    assert receipt.activity.occurred_at == at("2026-06-01T11:55")


def test_a_trusted_caller_may_report_seven_days_back(ada):
    receipt = record(ada, occurred_at=noon(1), now=noon(8))

    assert (receipt.streak.action, receipt.activity.is_in_streak) == ("started", True)
    assert receipt.xp_awarded == 5


@override_settings(GAMIFICATION={"BACKDATE_DAYS": 2})
def test_how_far_back_is_a_setting(ada):
    assert record(ada, key="a", occurred_at=noon(1), now=noon(3)).streak.action == "started"
    assert record(ada, key="b", occurred_at=noon(1), now=noon(4)).streak.action is None


def test_outside_the_window_the_streak_is_left_alone_and_the_rest_counts(ada):
    achievements.initialize()
    record(ada, now=noon(20))
    streak_before = UserStreak.objects.values().get(user=ada)

    receipt = record(ada, "scenario_completed", data=FLAWLESS, occurred_at=at("2026-06-10T06:00"), now=noon(20))

    assert (receipt.streak.action, receipt.streak.reason) == (None, "outside_window")
    assert (receipt.streak.transitions, receipt.streak.xp_awarded) == ((), 0)
    assert UserStreak.objects.values().get(user=ada) == streak_before
    assert receipt.xp_awarded == 300 + 50 + 50
    assert counters(ada)["scenarios_completed"] == counters(ada)["early_days"] == 1
    day = day_of(ada, "2026-06-10")
    assert (day.status, day.activities, day.xp) == ("", 1, 400)
    assert not receipt.activity.is_in_streak


def test_somebody_whose_first_activity_is_outside_the_window_has_no_streak(ada):
    receipt = record(ada, occurred_at=noon(1), now=noon(20))

    assert (receipt.streak.status, receipt.streak.current, receipt.streak.total_active_days) == ("none", 0, 0)
    assert streaks.status(ada, now=noon(20)).expires_at is None


def test_a_day_that_came_in_outside_the_window_joins_nothing(ada):
    record(ada, occurred_at=noon(8), now=noon(8))
    record(ada, occurred_at=noon(10), now=noon(10))
    assert streaks.status(ada, now=noon(10)).freezes == 2

    record(ada, key="x", occurred_at=noon(9), now=noon(30))

    assert day_of(ada, "2026-06-09").status == "frozen"
    assert UserStreak.objects.get(user=ada).streak_freezes_available == 2


def test_xp_belongs_to_the_local_date_of_what_earned_it(ada):
    achievements.initialize()
    streaks.set_timezone(ada, "Asia/Tokyo", now=noon(1))
    record(ada, now=noon(5))

    record(ada, "scenario_completed", data=FLAWLESS, occurred_at=at("2026-06-02T15:00"), now=noon(5))

    late = XPTransaction.objects.filter(reason__in=["scenario_completed", "achievement_unlocked"])
    assert {row.earned_on for row in late} == {date(2026, 6, 3)}
    assert {row.created_at for row in late} == {noon(5)}
    assert (day_of(ada, "2026-06-03").xp, day_of(ada, "2026-06-05").xp) == (400, 5)


def test_an_achievement_is_unlocked_at_the_moment_of_the_activity(ada):
    achievements.initialize()

    record(ada, "scenario_completed", occurred_at=noon(2), now=noon(5))

    states = {state.achievement.achievement_id: state.unlocked_at for state in achievements.for_user(ada)}
    assert states == {"first_scenario": noon(2), "first_steps": noon(2)}


# The bonus of the day


def bonuses(user: Any) -> dict[str, int]:
    rows = XPTransaction.objects.filter(user=user, source="streak").order_by("key").values_list("key", "xp_amount")
    return dict(rows)


def test_the_first_activity_of_a_day_pays_the_bonus_once(ada):
    first = record(ada, key="a", now=noon(1))
    second = record(ada, key="b", now=at("2026-06-01T13:00"))

    assert (first.streak.xp_awarded, second.streak.xp_awarded) == (5, 0)
    assert bonuses(ada) == {"2026-06-01": 5}


def test_the_bonus_grows_to_its_maximum(ada):
    for day in range(1, 13):
        record(ada, now=noon(day))

    assert list(bonuses(ada).values()) == [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 50, 50]


@override_settings(GAMIFICATION={"STREAK_BONUS_PER_DAY": 0})
def test_without_a_bonus_no_row_is_written(ada):
    assert record(ada, now=noon(1)).xp_awarded == 0
    assert not XPTransaction.objects.exists()


def test_a_late_activity_pays_no_bonus_and_recomputes_none(ada):
    record(ada, now=noon(1))
    record(ada, now=noon(3))
    paid = bonuses(ada)

    late = record(ada, occurred_at=noon(2), now=noon(3))

    assert (late.streak.action, late.streak.current, late.streak.xp_awarded) == ("increased", 3, 0)
    assert bonuses(ada) == paid == {"2026-06-01": 5, "2026-06-03": 10}


def test_a_reported_day_after_the_last_one_is_not_late_and_pays(ada):
    record(ada, now=noon(1))

    receipt = record(ada, occurred_at=noon(2), now=noon(3))

    assert (receipt.streak.xp_awarded, receipt.streak.status) == (10, "at_risk")


def test_a_bonus_that_was_reversed_is_not_paid_again(ada):
    record(ada, key="a", now=noon(1))
    xp.reverse(XPTransaction.objects.get(source="streak"), reason="mistake", now=noon(1))

    assert record(ada, key="b", now=noon(1)).xp_awarded == 0
    assert bonuses(ada) == {"2026-06-01": 5}


def test_acting_on_a_day_that_was_frozen_pays_the_bonus_of_that_day_once(ada):
    record(ada, now=noon(1))
    streaks.freeze(ada, now=at("2026-06-02T09:00"))

    receipt = record(ada, now=at("2026-06-02T10:00"))

    assert (receipt.streak.action, receipt.streak.freezes, receipt.streak.xp_awarded) == ("increased", 3, 10)


# Levels and signals


def test_a_level_is_announced_once_even_when_it_is_reached_twice(ada, django_capture_on_commit_callbacks):
    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        first = xp.award(ada, 120, reason="a", key="a", now=noon(1))
        xp.award(ada, -60, reason="b", key="b", now=noon(1))
        again = record(ada, "scenario_completed", data={"difficulty": "advanced"}, now=noon(1))

    assert (first.level_up, again.level_up) == (True, True)
    assert [(said["previous_level"], said["level"].current_level) for said in heard.of("level_up")] == [(1, 2), (2, 3)]


def test_everything_is_announced_after_commit_in_order(ada, django_capture_on_commit_callbacks):
    achievements.initialize()
    with listening() as heard:
        with django_capture_on_commit_callbacks(execute=False) as callbacks:
            receipt = record(ada, "scenario_completed", data=FLAWLESS, now=noon(1))
            assert heard == []
        for callback in callbacks:
            callback()

    assert heard.names == [
        *("xp_awarded", "xp_awarded"),
        *("xp_awarded", "achievement_unlocked", "xp_awarded", "achievement_unlocked"),
        *("level_up", "streak_changed", "activity_recorded"),
    ]
    assert all((said["user"], said["sender"]) == (ada, type(ada)) for _, said in heard)
    assert sum(said["transaction"].xp_amount for said in heard.of("xp_awarded")) == 405
    unlocked = [said["user_achievement"] for said in heard.of("achievement_unlocked")]
    assert [row.achievement_id for row in unlocked] == ["first_scenario", "first_steps"]
    assert unlocked == list(UserAchievement.objects.unlocked().order_by("pk"))
    (recorded,) = heard.of("activity_recorded")
    assert (recorded["receipt"], recorded["activity"]) == (receipt, receipt.activity)
    (changed,) = heard.of("streak_changed")
    assert (changed["change"].action, changed["change"].current) == ("started", 1)


def test_a_freeze_that_was_used_is_announced(ada, django_capture_on_commit_callbacks):
    record(ada, now=noon(1))

    with listening(["freeze_used"]) as heard, django_capture_on_commit_callbacks(execute=True):
        record(ada, now=noon(4))

    assert [(said["date"], said["reason"]) for said in heard.of("freeze_used")] == [
        (date(2026, 6, 2), "automatic"),
        (date(2026, 6, 3), "automatic"),
    ]


def test_a_replay_announces_nothing(ada, django_capture_on_commit_callbacks):
    record(ada, key="a", now=noon(1))

    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        record(ada, key="a", now=noon(1))

    assert heard == []


def test_a_second_activity_of_the_day_does_not_change_the_streak(ada, django_capture_on_commit_callbacks):
    record(ada, key="a", now=noon(1))

    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        record(ada, key="b", now=noon(1))

    assert heard.names == ["activity_recorded"]


def test_a_receiver_that_fails_harms_nothing(ada, django_capture_on_commit_callbacks):
    from gamification.signals import xp_awarded

    xp_awarded.connect(_crash, dispatch_uid="crash")
    try:
        with listening(["activity_recorded"]) as heard, django_capture_on_commit_callbacks(execute=True):
            receipt = record(ada, now=noon(1))
    finally:
        xp_awarded.disconnect(dispatch_uid="crash")

    assert heard.names == ["activity_recorded"]
    assert UserXP.objects.get(user=ada).total_xp == receipt.xp_awarded == 5


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_never_announced(ada):
    with listening() as heard:
        with pytest.raises(RuntimeError), transaction.atomic():
            record(ada, key="a", now=noon(1))
            raise RuntimeError

        assert (heard, Activity.objects.count(), UserStreak.objects.count()) == ([], 0, 0)

        record(ada, key="a", now=noon(1))
        assert heard.names[-1] == "activity_recorded"


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_of_the_project_it_is_announced_when_that_commits(ada):
    with listening(["activity_recorded"]) as heard:
        with transaction.atomic():
            record(ada, now=noon(1))
            assert heard == []

        assert heard.names == ["activity_recorded"]


def test_no_receiver_lives_in_the_app():
    from gamification.tests.helpers import SIGNALS

    assert all(not signal.receivers for signal in SIGNALS.values())


def test_a_streak_that_lasts_is_counted_over_a_year(ada):
    start = noon("2027-01-01")
    for day in range(60):
        receipt = record(ada, now=start + timedelta(days=day))

    assert (receipt.streak.current, receipt.streak.longest, receipt.streak.total_active_days) == (60, 60, 60)
    assert receipt.streak.freezes == 3

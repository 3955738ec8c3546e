"""Many activities at once: the same as one by one in order of time, in a number of queries that does not grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from gamification.exceptions import BatchRefused, GamificationError, IdempotencyConflict
from gamification.models import Activity, UserStreak, XPTransaction
from gamification.services import achievements, activities, integrity, streaks
from gamification.services.activities import Event
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.helpers import at, listening, noon, snapshot, state_of
from gamification.tests.properties import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.django_db

NOW = at("2026-06-20T21:30")
ZONES = ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Honolulu", "Europe/Berlin"]
SCENARIO = {"difficulty": "advanced", "minutes": 20, "language": "es"}
CONTENTS: list[tuple[str, dict[str, Any]]] = [
    ("daily_visit", {}),
    ("words_learned", {}),
    ("study_session", {"minutes": 30}),
    ("scenario_completed", SCENARIO),
    ("scenario_completed", {**SCENARIO, "language": "fr-CA", "perfect": True}),
]

# An activity: who, what, how many, how many hours ago (None: now), in which zone (None: the user's).
drafts = st.tuples(
    st.integers(0, 1),
    st.sampled_from(CONTENTS),
    st.integers(1, 3),
    st.none() | st.integers(0, 24 * 12) | st.integers(0, 60),
    st.none() | st.none() | st.sampled_from(ZONES),
)
keys = st.integers(0, 30)


def event_of(draft: Any, key: object, users: list[Any]) -> Event:
    who, (kind, data), quantity, hours_ago, zone = draft
    moment = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    return Event(users[who], kind, str(key), quantity, data, moment, zone)


def in_order_of_time(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.user.pk, event.occurred_at or NOW))


def two_users() -> list[Any]:
    """Make two people: one counts days in UTC, the other has chosen a zone of their own."""
    users = [UserFactory(), UserFactory()]
    streaks.set_timezone(users[1], "Europe/Berlin", now=NOW - timedelta(days=30))
    return users


def assert_same(some: list[Any], others: list[Any]) -> None:
    for one, other in zip(some, others, strict=True):
        assert state_of(one) == state_of(other)


@DATABASE
@given(st.lists(drafts, min_size=1, max_size=14), st.lists(drafts, max_size=4), st.randoms(use_true_random=False))
def test_many_at_once_end_in_the_state_of_one_by_one_in_order_of_time(drawn, before, random):
    achievements.initialize()
    together, apart = two_users(), two_users()
    for users in (together, apart):
        for number, draft in enumerate(before):
            activities.record_many([event_of(draft, f"before {number}", users)], now=NOW)
    batch = [event_of(draft, number, together) for number, draft in enumerate(drawn)]
    batch += [event for event in batch if random.random() < 0.2]
    random.shuffle(batch)

    receipts = activities.record_many(batch, now=NOW)
    singles = [replace(event, user=apart[together.index(event.user)]) for event in batch]
    for event in in_order_of_time(singles):
        activities.record_many([event], now=NOW)

    assert_same(together, apart)
    assert [receipt.activity.key for receipt in receipts] == [event.key for event in batch]
    assert sum(not receipt.is_replay for receipt in receipts) == len(drawn)
    assert not list(integrity.verify(users=together, now=NOW))


@DATABASE
@given(
    st.lists(st.tuples(drafts, keys), min_size=1, max_size=14),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_an_import_ends_in_the_same_state_whatever_the_order_and_the_size_of_its_parts(drawn, size, random):
    achievements.initialize()
    at_once, in_parts = two_users(), two_users()
    events = in_order_of_time(event_of(draft, key, at_once) for draft, key in drawn)
    shuffled = random.sample(events, len(events))
    is_ambiguous = len({(event.user.pk, event.occurred_at or NOW) for event in events}) < len(events)

    activities.import_events(events if is_ambiguous else shuffled, now=NOW)
    for start in range(0, len(events), size):
        part = [replace(event, user=in_parts[at_once.index(event.user)]) for event in events[start : start + size]]
        activities.import_events(part, now=NOW)

    assert_same(at_once, in_parts)
    assert not list(integrity.verify(users=at_once, now=NOW))


@DATABASE
@given(st.lists(st.integers(0, 24 * 23), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_in_which_late_activities_arrive_changes_neither_streak_nor_days(hours, random):
    one, other = UserFactory(), UserFactory()
    for user in (one, other):
        days = [Event(user, "daily_visit", f"d{day}", occurred_at=noon(day)) for day in (1, 2, 6, 9, 10, 11, 25)]
        activities.import_events(days, now=noon(26))
        for number in random.sample(range(len(hours)), len(hours)):
            moment = at("2026-06-01T00:30") + timedelta(hours=hours[number])
            activities.import_events([Event(user, "daily_visit", f"l{number}", occurred_at=moment)], now=noon(26))

    rows = [state_of(user) for user in (one, other)]
    assert rows[0]["UserStreak"] == rows[1]["UserStreak"]
    told = [[(row["date"], row["status"], row["activities"], row["xp"]) for row in own["UserDay"]] for own in rows]
    assert told[0] == told[1]


def test_an_activity_that_is_late_only_within_its_batch_joins_the_whole_run():
    ada = UserFactory()
    for day in range(1, 11):
        activities.record(ada, "daily_visit", key=f"{day}", now=noon(day))

    activities.record_many(
        [
            Event(ada, "daily_visit", "ahead", occurred_at=noon(11), timezone="Pacific/Kiritimati"),
            Event(ada, "daily_visit", "behind", occurred_at=at("2026-06-11T13:00"), timezone="UTC"),
        ],
        now=at("2026-06-11T14:00"),
    )

    assert UserStreak.objects.get(user=ada).current_streak == 12


def test_a_zone_sent_with_an_activity_outside_the_window_leaves_the_expiry_true():
    ada = UserFactory()
    activities.record(ada, "daily_visit", key="a", now=noon("2026-05-01"))

    activities.record(
        ada, "daily_visit", key="b", occurred_at=noon("2026-05-20"), timezone="Pacific/Kiritimati", now=noon(11)
    )

    assert not list(integrity.verify(users=[ada]))


def test_receipts_come_in_the_order_of_the_batch():
    ada = UserFactory()
    batch = [Event(ada, "daily_visit", f"{day}", occurred_at=noon(day)) for day in (3, 1, 2)]

    receipts = activities.record_many(batch, now=noon(3))

    assert [receipt.activity.key for receipt in receipts] == ["3", "1", "2"]
    assert [receipt.streak.current for receipt in receipts] == [3, 1, 2]


def test_the_same_activity_twice_in_a_batch_counts_once():
    ada = UserFactory()
    event = Event(ada, "words_learned", "a", quantity=5, occurred_at=noon(1))

    receipts = activities.record_many([event, event], now=noon(1))

    assert [receipt.is_replay for receipt in receipts] == [False, True]
    assert replace(receipts[1], is_replay=False) == receipts[0]
    assert Activity.objects.count() == 1


def test_one_bad_activity_refuses_the_batch_and_names_its_place():
    ada = UserFactory()
    activities.record(ada, "daily_visit", key="known", now=noon(1))
    before = snapshot()
    batch = [
        Event(ada, "daily_visit", "a", occurred_at=noon(2)),
        Event(ada, "study_session", "b", data={"minutes": -1}),
        Event(ada, "daily_visit", ""),
        Event(ada, "words_learned", "known"),
        Event(UserFactory(), "words_learned", "c", occurred_at=noon(4)),
    ]

    with pytest.raises(BatchRefused) as refused:
        activities.record_many(batch, now=noon(2))

    errors = {index: (error.code, error.field) for index, error in refused.value.errors.items()}
    assert errors == {
        1: ("invalid", "data.minutes"),
        2: ("key_required", "key"),
        3: ("idempotency_conflict", "key"),
        4: ("future_event", "occurred_at"),
    }
    assert snapshot() == before


def test_a_refused_batch_announces_nothing(django_capture_on_commit_callbacks):
    ada = UserFactory()
    batch = [Event(ada, "daily_visit", "a"), Event(ada, "nothing", "b")]

    with (
        listening() as heard,
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(BatchRefused),
    ):
        activities.record_many(batch)

    assert heard == []


def test_an_untrusted_batch_may_not_be_back_dated():
    ada = UserFactory()

    with pytest.raises(BatchRefused) as refused:
        activities.record_many([Event(ada, "daily_visit", "a", occurred_at=noon(1))], now=noon(2), trusted=False)

    assert refused.value.errors[0].code == "backdating_not_allowed"


def test_an_empty_batch_is_no_trouble():
    assert activities.record_many([]) == []
    assert activities.import_events(iter([])) == []


def test_an_import_takes_what_is_good_and_answers_the_rest_with_its_error():
    ada = UserFactory()
    batch = [
        Event(ada, "daily_visit", "a", occurred_at=noon("2020-01-01")),
        Event(ada, "nothing", "b"),
        Event(ada, "daily_visit", "a", occurred_at=noon("2020-01-02")),
        Event(ada, "daily_visit", "c", occurred_at=noon("2020-01-02")),
    ]

    answers = activities.import_events(batch, now=noon(1))

    assert [type(answer).__name__ for answer in answers] == ["Receipt", "UnknownKind", "IdempotencyConflict", "Receipt"]
    assert isinstance(answers[2], IdempotencyConflict)
    assert UserStreak.objects.get(user=ada).current_streak == 2
    assert isinstance(answers[1], GamificationError)


def test_an_import_knows_no_window_and_pays_the_bonus_of_each_day():
    ada = UserFactory()
    batch = [Event(ada, "daily_visit", f"{day}", occurred_at=noon(f"2020-01-{day:02}")) for day in range(1, 5)]

    activities.import_events(reversed(batch), now=noon(1))

    bonuses = XPTransaction.objects.filter(source="streak").order_by("earned_on").values_list("xp_amount", flat=True)
    assert list(bonuses) == [5, 10, 15, 20]


def test_an_import_before_the_last_row_is_late():
    ada = UserFactory()
    activities.record(ada, "daily_visit", key="now", now=noon(10))

    activities.import_events([Event(ada, "daily_visit", "then", occurred_at=noon("2020-01-01"))], now=noon(10))

    row = UserStreak.objects.get(user=ada)
    assert (row.current_streak, row.total_active_days, str(row.last_activity_date)) == (1, 2, "2026-06-10")
    assert XPTransaction.objects.filter(source="streak").count() == 1


def test_a_big_batch_is_the_same_as_its_parts():
    one, other = UserFactory(), UserFactory()
    start = at("2020-01-01T12:00")
    with override_settings(GAMIFICATION={"STREAK_BONUS_MAX": 7}):
        for user, size in ((one, 2100), (other, 700)):
            events = [
                Event(user, "words_learned", f"{number}", occurred_at=start + timedelta(hours=5 * number))
                for number in range(2100)
            ]
            for begin in range(0, 2100, size):
                activities.import_events(events[begin : begin + size], now=noon(1))

    assert state_of(one) == state_of(other)
    assert Activity.objects.filter(user=one).count() == 2100


# How many queries it takes


def queries(call: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_the_number_of_queries_depends_neither_on_definitions_nor_on_history():
    achievements.initialize()
    ada = UserFactory()
    activities.record(ada, "daily_visit", key="first", now=noon(1))

    def once(day: int) -> int:
        return queries(lambda: activities.record(ada, "scenario_completed", key=f"{day}", data=SCENARIO, now=noon(day)))

    with_27 = once(2)
    once(3)
    AchievementFactory.create_batch(473, metric="scenarios_completed", value=10**6)
    achievements.check(ada, now=noon(3))  # the definitions are compiled, and their progress is noted, once
    with_500 = once(4)
    for day in range(5, 25):
        once(day)

    # Opening, reading, seven tables, closing, a look at the boards; one more where something is unlocked, one for each
    # of those that nobody has begun (its row may be lost), one where there is something to celebrate, and on PostgreSQL
    # the lock.
    assert max(with_27, with_500, once(25)) <= 14
    assert once(26) <= 13


def test_the_number_of_queries_does_not_depend_on_the_size_of_a_batch():
    achievements.initialize()
    users = UserFactory.create_batch(3)

    def batch(prefix: str, per_user: int) -> list[Event]:
        return [
            Event(user, "scenario_completed", f"{prefix}{n}", 1, SCENARIO, noon(1) + timedelta(hours=n))
            for user in users
            for n in range(per_user)
        ]

    activities.record_many(batch("warm", 3), now=noon(8))
    small = queries(lambda: activities.record_many(batch("a", 2), now=noon(8)))
    large = queries(lambda: activities.record_many(batch("b", 60), now=noon(8)))

    assert small <= 18  # measured: 17
    assert large <= small + 8  # measured: 21; SQLite takes no more than 999 values in a statement


def test_a_replay_takes_few_queries():
    ada = UserFactory()
    activities.record(ada, "daily_visit", key="a", now=noon(1))

    assert queries(lambda: activities.record(ada, "daily_visit", key="a", now=noon(1))) <= 8  # measured: 7

"""Limits of a kind: what is over them is kept, pays less or does not count, and says so."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamification.domain.activity_types import SHIPPED
from gamification.domain.limits import Limits
from gamification.models import Activity, UserCounter, UserDay, XPTransaction
from gamification.services import activities, ingestion, integrity, streaks, xp
from gamification.services.activities import Event
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at, noon, state_of

pytestmark = pytest.mark.django_db

NOON = noon(1)
COUNTERS = {"counters": {"commits": 1}}


@pytest.fixture
def ada():
    return UserFactory()


@pytest.fixture
def limit(settings):
    """Return a function that declares the kind ``commit``, which pays 10 XP, with limits."""

    def _limit(**given: Any) -> None:
        kinds = {"commit": {**COUNTERS, "xp": 10, **given}}
        settings.GAMIFICATION = {**settings.GAMIFICATION, "ACTIVITY_TYPES": kinds, "STREAK_BONUS_PER_DAY": 0}

    return _limit


def commit(user: Any, key: str, **given: Any) -> activities.Receipt:
    given.setdefault("now", NOON)
    return activities.record(user, "commit", key=key, **given)


def commits(user: Any) -> int:
    return dict(UserCounter.objects.filter(user=user).values_list("name", "value")).get("commits", 0)


def told(receipts: list[activities.Receipt]) -> list[tuple[int, str | None]]:
    return [(receipt.xp_awarded, receipt.capped_by) for receipt in receipts]


# What each limit does


def test_an_event_pays_no_more_than_its_most_and_counts_in_full(ada, limit):
    limit(max_xp_per_event=25)

    receipt = commit(ada, "a", quantity=4)

    assert (receipt.xp_awarded, receipt.capped_by, commits(ada)) == (25, "max_xp_per_event", 4)


def test_a_day_pays_exactly_its_most_and_every_event_counts(ada, limit):
    limit(max_xp_per_day=25)

    receipts = [commit(ada, str(number)) for number in range(4)]

    assert told(receipts) == [(10, None), (10, None), (5, "max_xp_per_day"), (0, "max_xp_per_day")]
    assert (xp.level(ada).total_xp, commits(ada)) == (25, 4)


def test_past_the_most_events_of_a_day_nothing_counts(ada, limit):
    limit(max_events_per_day=2)

    receipts = [commit(ada, str(number)) for number in range(3)]

    assert told(receipts) == [(10, None), (10, None), (0, "max_events_per_day")]
    assert (commits(ada), Activity.objects.count(), UserDay.objects.get().activities) == (2, 3, 3)


def test_what_comes_too_soon_does_not_count_and_does_not_prolong_the_cooldown(ada, limit):
    limit(cooldown_seconds=60)

    receipts = [commit(ada, str(second), now=NOON + timedelta(seconds=second)) for second in (0, 59, 60, 119, 120)]

    assert [receipt.capped_by for receipt in receipts] == [None, "cooldown_seconds", None, "cooldown_seconds", None]
    assert commits(ada) == 3


def test_a_cooldown_holds_over_midnight_and_backwards_in_time(ada, limit):
    limit(cooldown_seconds=60)
    midnight = at("2026-06-02T00:00")
    commit(ada, "before", now=midnight - timedelta(seconds=30))

    after = commit(ada, "after", now=midnight + timedelta(seconds=29))
    earlier = commit(ada, "earlier", occurred_at=midnight - timedelta(seconds=80), now=midnight + timedelta(minutes=2))

    assert (after.capped_by, earlier.capped_by) == ("cooldown_seconds", "cooldown_seconds")


def test_what_does_not_count_still_makes_the_day_active(ada, limit):
    limit(cooldown_seconds=3600)
    commit(ada, "before", now=at("2026-06-01T23:50"))

    receipt = commit(ada, "after", now=at("2026-06-02T00:10"))

    assert (receipt.capped_by, receipt.streak.action, receipt.streak.current) == ("cooldown_seconds", "increased", 2)


def test_another_day_another_kind_and_another_person_have_allowances_of_their_own(ada, limit, settings):
    limit(max_events_per_day=1)
    settings.GAMIFICATION["ACTIVITY_TYPES"]["merge"] = {"xp": 7, "max_events_per_day": 1}
    commit(ada, "a")

    tomorrow = commit(ada, "b", now=NOON + timedelta(days=1))
    merge = activities.record(ada, "merge", key="c", now=NOON)
    grace = commit(UserFactory(), "a")

    assert told([tomorrow, merge, grace]) == [(10, None), (7, None), (10, None)]


def test_a_shipped_kind_takes_limits_and_keeps_the_rest(ada, settings):
    settings.GAMIFICATION = {"ACTIVITY_TYPES": {"words_learned": {"max_events_per_day": 1}}}
    (shipped,) = (kind for kind in SHIPPED if kind.name == "words_learned")

    receipts = [activities.record(ada, "words_learned", key=key, quantity=5, now=NOON) for key in "ab"]

    assert [receipt.capped_by for receipt in receipts] == [None, "max_events_per_day"]
    assert UserCounter.objects.get(user=ada, name="words_learned").value == 5
    assert shipped.limits == Limits()


def test_a_visit_may_have_limits(ada, settings):
    settings.GAMIFICATION = {"ACTIVITY_TYPES": {"daily_visit": {"xp": 5, "max_xp_per_day": 3}}}

    assert streaks.touch(ada, now=NOON).action == "started"
    assert xp.level(ada).total_xp == 3 + 5


# Again, late, together


def test_a_replay_answers_as_the_first_time_and_takes_nothing_of_the_allowance(ada, limit):
    limit(max_xp_per_day=15)
    first = [commit(ada, key) for key in "ab"]

    again = [commit(ada, key) for key in "ab"]
    third = commit(ada, "c")

    assert told(again) == told(first) == [(10, None), (5, "max_xp_per_day")]
    assert all(receipt.is_replay for receipt in again)
    assert third.xp_awarded == 0


def test_xp_taken_back_leaves_the_allowance_used(ada, limit):
    limit(max_xp_per_day=10)
    commit(ada, "a")
    xp.reverse(XPTransaction.objects.get(), reason="a mistake", now=NOON)

    receipt = commit(ada, "b")

    assert told([receipt]) == [(0, "max_xp_per_day")]


def test_late_events_take_from_the_allowance_of_their_own_date(ada, limit):
    limit(max_xp_per_day=15)
    commit(ada, "today", now=noon(3))

    receipts = [commit(ada, key, occurred_at=noon(1), now=noon(3)) for key in "ab"]

    assert told(receipts) == [(10, None), (5, "max_xp_per_day")]


LIMITED = {"max_xp_per_event": 30, "max_xp_per_day": 45, "max_events_per_day": 5, "cooldown_seconds": 900}


def some_events(user: Any, seed: int = 1) -> list[Event]:
    dice = random.Random(seed)
    moments = sorted(NOON + timedelta(seconds=dice.randrange(3 * 86_400)) for _ in range(60))
    return [
        Event(user, "commit", f"{number}", dice.randrange(1, 6), occurred_at=moment)
        for number, moment in enumerate(moments)
    ]


@pytest.mark.parametrize("size", [1, 7, 60])
def test_batches_of_any_size_come_to_what_one_by_one_does(ada, limit, size):
    limit(**LIMITED)
    grace, now = UserFactory(), noon(5)
    for event in some_events(grace):
        commit(grace, event.key, quantity=event.quantity, occurred_at=event.occurred_at, now=now)

    events = some_events(ada)
    for start in range(0, len(events), size):
        part = events[start : start + size]
        random.Random(2).shuffle(part)
        activities.record_many(part, now=now)

    outcomes = Activity.objects.filter(user=ada).values_list("outcome", flat=True)
    assert {outcome.get("capped_by") for outcome in outcomes} == {None, *LIMITED}
    assert state_of(ada) == state_of(grace)
    assert list(integrity.verify(now=now)) == []


def test_the_backlog_comes_to_the_same(ada, limit):
    limit(**LIMITED)
    grace, now = UserFactory(), noon(5)
    activities.record_many(some_events(grace), now=now)

    ingestion.enqueue(some_events(ada), now=now)
    ingestion.work(now=now)

    assert xp.level(ada).total_xp == xp.level(grace).total_xp
    assert commits(ada) == commits(grace)


def test_verify_finds_and_mends_an_allowance_that_was_tampered_with(ada, limit):
    limit(max_xp_per_day=25)
    commit(ada, "a")
    UserDay.objects.update(allowances={"commit": [0, 0]})

    drifts = [drift.fact for drift in integrity.verify(now=NOON)]
    list(integrity.repair(now=NOON))

    assert drifts == ["day 2026-06-01: allowances"]
    assert UserDay.objects.get().allowances == {"commit": [1, 10]}


# What it costs


def test_only_a_cooldown_costs_a_query(ada, limit):
    def statements(key: str, minute: int = 0) -> int:
        with CaptureQueriesContext(connection) as sent:
            commit(ada, key, now=NOON + timedelta(minutes=minute))
        return len(sent)

    limit()
    commit(ada, "first")
    without = statements("a")

    limit(max_xp_per_event=5, max_xp_per_day=10, max_events_per_day=4)
    commit(ada, "b")
    assert statements("c") == without

    limit(cooldown_seconds=60)
    assert statements("d", minute=1) == without + 1

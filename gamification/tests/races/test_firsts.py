"""What happens once: a first row, a fifth scenario, a rebuild."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction

from gamification.engine import players
from gamification.engine.sql import reading
from gamification.models import (
    Activity,
    LeaderboardCache,
    UserAchievement,
    UserCounter,
    UserStreak,
    UserXP,
    XPTransaction,
)
from gamification.services import achievements, leaderboards, xp
from gamification.tests.backends.people import NOON, do, ids, people, person
from gamification.tests.races import workers

pytestmark = pytest.mark.slow


@pytest.fixture
def veteran(race):
    """Return somebody with four scenarios; the fifth unlocks an achievement."""
    achievements.initialize()
    user = person()
    for _ in range(4):
        do(user, "scenario_completed")
    return user


def fifth_rewards(user):
    return XPTransaction.objects.filter(user=user, source="achievement", key="scenario_explorer:1")


def test_the_fifth_scenario_of_eight_workers_unlocks_once(race, veteran):
    unlocked = race(workers.record_the_fifth_scenario)

    fifth = [names for names in unlocked if "scenario_explorer" in names]
    assert len(fifth) == 1
    assert UserAchievement.objects.unlocked().filter(user=veteran, achievement="scenario_explorer").count() == 1
    assert fifth_rewards(veteran).count() == 1
    assert UserCounter.objects.get(user=veteran, name="scenarios_completed").value == 12
    assert race.drifts() == []


def test_the_same_fifth_scenario_from_eight_workers_is_one(race, veteran):
    answers = race(workers.record_the_same_fifth_scenario)

    assert sorted(is_replay for is_replay, _, _ in answers) == [False, *[True] * 7]
    assert {(tuple(names), xp) for _, names, xp in answers} == {(("scenario_explorer",), answers[0][2])}
    assert Activity.objects.filter(user=veteran).count() == 5
    assert fifth_rewards(veteran).count() == 1
    assert race.drifts() == []


def test_the_first_write_ever_for_a_user_may_be_eight_at_once(race):
    users = people(*[0] * 15)

    errors = race(workers.write_first)

    assert errors == [[]] * 8
    assert UserStreak.objects.count() == len(users)
    assert set(UserXP.objects.values_list("total_xp", flat=True)) == {80}
    assert race.drifts() == []


@pytest.mark.parametrize("lock", [players.lock, players.lock_known])
def test_whoever_begins_between_lock_and_reading_is_never_taken_for_locked(postgres_race, monkeypatch, lock):
    user, read = person(), reading.read

    def begin_elsewhere(*args, **kwargs):
        monkeypatch.setattr(reading, "read", read)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()  # by now the lock has found nobody
        postgres_race(workers.begin, 1)
        return read(*args, **kwargs)

    with transaction.atomic():
        monkeypatch.setattr(reading, "read", begin_elsewhere)
        locked = lock([user])
        (is_free,) = postgres_race(workers.can_lock, 1)

    assert list(locked) == ([] if is_free else [user.pk])


def test_first_writes_for_several_users_at_once_do_not_wait_for_each_other(race):
    people(*[0] * 6 * 20)

    errors = race(workers.write_first_for_several)

    assert errors == [[]] * 8
    assert race.drifts() == []


def test_a_new_and_an_old_user_are_locked_in_order_of_id(postgres_race):
    for _ in range(5):
        person()
        person(score=10)

    errors = postgres_race(workers.meet_in_order_of_id, 2)

    assert errors == [[], []]
    assert postgres_race.drifts() == []


def test_one_reader_rebuilds_a_board_and_the_rest_read_the_old_one(postgres_race):
    people(30, 20, 10)
    leaderboards.top("xp_all_time", now=NOON - timedelta(hours=1))

    builds = postgres_race(workers.rebuild)

    assert sorted(builds) == [0] * 7 + [1]
    assert LeaderboardCache.objects.get().cached_at == NOON


def test_a_reader_in_a_long_transaction_does_not_make_the_others_wait(postgres_race):
    people(30, 20, 10)
    leaderboards.top("xp_all_time", now=NOON - timedelta(hours=1))

    seconds = postgres_race(workers.read_beside_a_long_transaction, 3)

    assert max(seconds) < 6, "they waited for the transaction of 8 seconds"


def test_a_reader_that_dies_does_not_take_the_board_with_it(postgres_race):
    users = people(30, 20, 10)

    (outcome,) = postgres_race.run(workers.die_while_rebuilding, 1)

    row = LeaderboardCache.objects.get()
    assert (outcome.exitcode, bool(row.claim), row.data) == (9, True, {})
    assert ids(leaderboards.top("xp_all_time", now=NOON).entries) == [user.pk for user in users]


def test_what_can_be_done_once_is_done_by_one_of_eight(race):
    achievements.initialize()
    user = person()
    xp.award(user, 100, reason="a prize", key="prize", now=NOON)

    told = race(workers.do_what_can_be_done_once)

    assert {name: sum(one[name] for one in told) for name in told[0]} == dict.fromkeys(
        ["reversed", "touched", "frozen", "granted"], 1
    )
    assert UserStreak.objects.get(user=user).streak_freezes_available == 2
    assert race.drifts() == []


def test_whoever_is_erased_while_others_award_begins_anew(race):
    people(*range(10, 50, 10))

    errors = race(workers.award_or_erase)

    assert errors == [[]] * 8
    assert race.drifts() == []
    assert set(UserXP.objects.values_list("user_id", flat=True)) == set(
        UserStreak.objects.values_list("user_id", flat=True)
    )


def test_awards_and_readers_do_not_get_into_each_others_way(race):
    people(*range(10, 60, 10))

    errors = race(workers.award_or_look)

    assert errors == [[]] * 8
    assert race.drifts() == []


def test_whoever_verifies_while_others_write_sees_no_drift(race):
    people(*range(10, 60, 10))

    drifts, *errors = race(workers.award_while_somebody_verifies)

    assert errors == [[]] * 7
    assert drifts == []
    assert race.drifts() == []

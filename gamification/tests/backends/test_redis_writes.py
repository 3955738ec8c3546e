"""What reaches the sorted sets: late, twice, not at all, on other days, and what is left of somebody erased."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import redis
from django.contrib.auth import get_user_model
from django.db import transaction

from gamification.backends import get_backend
from gamification.backends import redis as backend
from gamification.backends.sorted_sets import copies, renewal
from gamification.models import UserXP
from gamification.services import achievements, leaderboards, privacy, streaks, xp
from gamification.tests.backends.people import DAY, NOON, do, give, listed, people, person
from gamification.tests.backends.sorted_sets import (
    answers,
    answers_of_the_database,
    at_once,
    copy,
    differences,
    options,
    rebuild,
)

pytestmark = pytest.mark.redis
CHANGE_BY_THEMSELVES = ("xp_weekly", "xp_monthly", "streak_current")


@pytest.fixture(autouse=True)
def _in_redis(redis_url, transactional_db, settings):
    settings.GAMIFICATION = options(redis_url)
    with at_once():
        rebuild()
        yield


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=True) as found:
        yield found


@pytest.fixture
def held_back(monkeypatch):
    """Return a list that fills with what commits tell the backend, instead of the backend."""
    held = []
    monkeypatch.setattr(backend.RedisBackend, "changed", lambda self, scores: held.extend(scores))
    yield held
    monkeypatch.undo()


def history(user):
    """Let four commits happen that touch every board, back and forth."""
    give(user, 50)
    do(user, "scenario_completed")
    xp.reverse(give(user, 30, now=NOON - 3 * DAY).transaction, reason="a mistake", now=NOON)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_writes_in_any_order_and_twice_come_to_the_same(held_back, order):
    user = person()
    history(user)
    held, again = [held_back[n] for n in order], [held_back[n] for n in order[::2]]

    for scores in (*held, *again):
        copy().push([scores])

    assert len(held_back) == 4
    assert differences() == []


def test_a_late_write_of_somebody_hidden_does_not_bring_them_back(held_back):
    user = person(score=50)
    privacy.set_visibility(user, visible=False)

    copy().push(held_back[::-1])
    copy().push(held_back)

    assert differences() == []
    assert copy().store.run(lambda client: client.zcard(copy().board("xp_all_time"))) == 0


def test_a_write_that_was_lost_is_made_good_by_the_next(held_back, monkeypatch):
    user = person()
    do(user, "scenario_completed", now=NOON - DAY)
    copy().push(held_back)
    held_back.clear()
    do(user, "scenario_completed")
    give(user, 7)

    copy().push(held_back[-1:])

    assert differences() == []
    assert leaderboards.rank(user, "scenarios_completed", now=NOON).score == 2


def test_the_next_write_reads_the_database_only_for_whoever_missed_one(held_back, django_assert_num_queries):
    missed, other = people(10, 20)
    copy().push(held_back)
    held_back.clear()
    for user in (missed, missed, other):
        give(user, 5)

    with django_assert_num_queries(0):
        copy().push([held_back[2]])
    with django_assert_num_queries(4):
        copy().push([held_back[1]])

    assert differences() == []


def test_an_emptied_redis_is_made_good_by_the_next_reader(client):
    users = people(50, 40, 40)
    expected = answers_of_the_database()
    client.flushall()

    told = [answers(), answers()]

    assert told == [expected, expected]
    assert (differences(), listed()) == ([], [user.pk for user in users])


def test_an_emptied_redis_is_not_filled_by_halves(client):
    user = people(50, 40)[0]
    client.flushall()

    give(user, 5)

    assert client.dbsize() == 0
    assert leaderboards.rank(user, "xp_all_time", now=NOON).score == 55


@pytest.mark.parametrize("is_late", [False, True])
def test_nothing_is_left_of_somebody_erased(client, held_back, monkeypatch, is_late):
    kept, user = person(score=7), person(pk=123_456_789, score=80)
    do(user, "scenario_completed")
    achievements.initialize()
    achievements.unlock(user, "first_steps", now=NOON)
    copy().push(held_back if not is_late else held_back[:-1])
    assert _holders(client, "123456789")

    privacy.erase(user)
    if is_late:
        copy().push(held_back[-1:])

    assert _holders(client, "123456789") == []
    assert listed() == [kept.pk]
    assert differences() == []


def test_whoever_is_erased_while_being_read_is_not_put_back(client, monkeypatch):
    user = person(pk=123_456_789, score=80)
    read = copies.people.read

    def read_and_erase(ids, day):
        found = read(ids, day)
        if user.pk in found:
            privacy.erase(user)
        return found

    monkeypatch.setattr(copies.people, "read", read_and_erase)
    copy().replace([user.pk])

    assert _holders(client, "123456789") == []


def test_whoever_goes_on_before_the_erasure_reaches_redis_is_on_the_boards(monkeypatch):
    user, late = person(), []
    give(user, 50)
    monkeypatch.setattr(backend.RedisBackend, "_remove", lambda self, user_id: late.append(user_id))
    privacy.erase(user)
    monkeypatch.undo()
    give(user, 30)

    get_backend()._remove(*late)

    assert differences() == []
    assert listed() == [user.pk]


def test_an_erasure_that_is_rolled_back_leaves_everything():
    user = person(score=80)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        privacy.erase(user)
        raise ZeroDivisionError

    assert differences() == []
    assert listed() == [user.pk]


def _holders(client, text):
    """Return the keys in whose name or content ``text`` stands."""
    held = []
    for key in client.scan_iter():
        kind = client.type(key)
        content = {
            "hash": client.hgetall,
            "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
            "string": client.get,
        }[kind](key)
        if text in f"{key} {content}":
            held.append(key)
    return held


@pytest.mark.parametrize("at_a_time", [1, 500])
def test_windows_roll_day_by_day_to_what_the_database_says(monkeypatch, at_a_time):
    for module in (copies, renewal):
        monkeypatch.setattr(module, "AT_ONCE", at_a_time)
    dice, users = random.Random(at_a_time), people(*[500] * 4, now=NOON - 90 * DAY)
    for user in users:
        streaks.set_timezone(
            user, dice.choice(["UTC", "Pacific/Kiritimati", "America/Los_Angeles"]), now=NOON - 80 * DAY
        )
        for _ in range(12):
            give(user, dice.choice([10, 25, 60, -20]), now=NOON - timedelta(hours=dice.randrange(32 * 24)))
        do(user, now=NOON - dice.randrange(5) * DAY)

    days = [NOON + timedelta(hours=hours) for hours in (0, 11, 12, 36, 60, 24 * 5, 24 * 6, 24 * 20, 24 * 33)]
    for now in days:
        answers(now, CHANGE_BY_THEMSELVES[:1])  # the first of a day may still ask the database
        expected = answers_of_the_database(now, CHANGE_BY_THEMSELVES)
        assert answers(now, CHANGE_BY_THEMSELVES) == expected, now
        assert differences(now) == []
        give(users[0], 5, now=now)


def test_a_day_that_left_is_subtracted_once_by_whoever_reads_first(monkeypatch):
    user = person(score=9, now=NOON - 6 * DAY)
    give(user, 4)
    rolled = []
    tidy_up = renewal.tidy_up
    monkeypatch.setattr(renewal, "tidy_up", lambda *args: rolled.append(args) or tidy_up(*args))

    midnight = datetime(2026, 6, 11, tzinfo=UTC)
    before = leaderboards.rank(user, "xp_weekly", now=midnight - timedelta(seconds=1)).score
    after = [leaderboards.rank(user, "xp_weekly", now=midnight).score for _ in range(3)]

    assert (before, after, len(rolled)) == (13, [4, 4, 4], 1)


def test_a_question_about_a_day_that_was_rolled_past_is_answered_by_the_database():
    user = person(score=9, now=NOON - 6 * DAY)
    leaderboards.rank(user, "xp_weekly", now=NOON + DAY)

    assert leaderboards.rank(user, "xp_weekly", now=NOON).score == 9


def test_a_question_about_streaks_that_were_swept_since_is_answered_by_the_database(configure):
    configure(STREAK_FREEZES=0)
    lapsed, running = person(), person()
    do(lapsed)
    do(running, now=NOON + 2 * DAY)
    later = NOON + 2 * DAY

    assert listed("streak_current", now=later) == [running.pk]
    assert listed("streak_current", now=later) == [running.pk]
    assert listed("streak_current") == [lapsed.pk, running.pk]


@pytest.mark.parametrize("number", [1, 5])
def test_streaks_that_end_together_are_swept_in_bounded_parts(configure, monkeypatch, number):
    configure(STREAK_FREEZES=0)
    users = [person() for _ in range(number)]
    for user in users:
        do(user)
    monkeypatch.setattr(renewal, "AT_ONCE", 2)
    later = NOON + 3 * DAY

    told = [listed("streak_current", now=later) for _ in range(2)]

    assert told == [[], []]
    assert copy().store.run(lambda client: client.zcard(copy().expiry)) == 0


def test_whoever_the_host_deletes_is_gone_within_the_time_to_live():
    users = people(50, 40)

    get_user_model()._default_manager.filter(pk=users[0].pk).delete()

    later = NOON + timedelta(seconds=900)
    assert leaderboards.rank(users[1], "xp_all_time", now=later).rank == 1
    assert differences(later) == []


def test_whoever_the_host_lets_in_again_is_back_within_the_time_to_live():
    users = people(50, 40)
    for is_active in (False, True):
        get_user_model()._default_manager.filter(pk=users[0].pk).update(is_active=is_active)
        renewal.check_hidden(copy(), NOON)
        give(users[0], 1)

    assert leaderboards.rank(users[1], "xp_all_time", now=NOON).rank == 2
    assert differences() == []


def test_former_boards_are_dropped_and_new_ones_filled(configure, client):
    do(person(), "words_learned", quantity=30)
    do(person(), "scenario_completed")
    get_backend()._looked_at = float("-inf")

    configure(LEADERBOARD_COUNTERS=["words_learned"])
    expected = answers_of_the_database()

    assert [answers(), answers()] == [expected, expected]
    assert differences() == []
    assert client.exists(copy().board("scenarios_completed")) == 0


def test_a_check_tells_each_difference(client):
    user, other = people(50, 40)
    board, member = copy().board("xp_all_time"), f"{user.pk:019d}"
    client.zadd(board, {member: -60, f"{10**9:019d}": -1})
    client.zrem(copy().board("xp_weekly"), f"{other.pk:019d}")
    UserXP.objects.filter(user=other).update(version=9)

    assert differences() == [
        f"user {user.pk}: xp_all_time is 60 in Redis and 50 in the database",
        f"user {other.pk}: version is 1 in Redis and 9 in the database",
        f"user {other.pk}: xp_weekly is missing in Redis and 40 in the database",
        f"user {10**9}: is in Redis and not in the database",
    ]


def test_a_check_tells_of_a_redis_that_throws_boards_away(client):
    client.config_set("maxmemory-policy", "allkeys-lru")
    unlimited = differences()
    client.config_set("maxmemory", "100mb")

    told = differences()

    client.config_set("maxmemory", 0)
    client.config_set("maxmemory-policy", "noeviction")
    assert unlimited == []
    assert told == ["Redis may throw boards away when it is full: its maxmemory-policy is allkeys-lru"]

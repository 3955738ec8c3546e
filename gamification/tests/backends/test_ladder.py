"""Ladders: ranks on boards that are deeper than their snapshot agree with a count by hand, at every score."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from gamification.backends import climbing, get_backend, ladder, snapshots
from gamification.backends.base import BoardName
from gamification.backends.ladder import Step
from gamification.engine import newcomers
from gamification.models import UserCounter, UserDay, UserStreak, UserXP
from gamification.services import leaderboards, privacy
from gamification.tests.backends.people import DAY, NOON, give, ids, people, places, walk

PATH = "gamification.backends.database.DatabaseBackend"
METRICS = leaderboards.metrics()
CROWD = 60


@pytest.fixture(autouse=True)
def _settings(configure):
    configure(LEADERBOARD_BACKEND=PATH, LEADERBOARD_OPTIONS={"depth": 5, "step": 4})


def crowd(dice):
    """Return users with scores of every kind, by raw rows: many ties, one in six hidden."""
    model = get_user_model()
    login = model.USERNAME_FIELD
    users = [model(**{login: f"user-{uuid4().hex[:12]}", "is_active": dice.random() > 0.08}) for _ in range(CROWD)]
    users = model._default_manager.bulk_create(users)
    scores = {user.pk: dice.choice([0, 1, 2, 3, 7, 7, 7, dice.randrange(1, 40)]) for user in users}
    xp, streaks, counters, days = [], [], [], []
    for user in users:
        score = scores[user.pk]
        row = newcomers.xp_of(user.pk)
        row.total_xp, row.is_visible = score, dice.random() > 0.08
        xp.append(row)
        streaks.append(UserStreak(user=user, current_streak=score, longest_streak=score, expires_at=NOON + DAY))
        counters += [
            UserCounter(user=user, name=name, value=score) for name in ("scenarios_completed", "achievements_unlocked")
        ]
        days += [UserDay(user=user, date=NOON.date() - n * DAY, xp=part) for n, part in enumerate((score + 2, -2))]
    UserXP.objects.bulk_create(xp)
    UserStreak.objects.bulk_create(streaks)
    UserCounter.objects.bulk_create(counters)
    UserDay.objects.bulk_create(days)
    return users, scores


def shown(users):
    """Return the ids of those whom others may see."""
    opted_out = set(UserXP.objects.filter(is_visible=False).values_list("user_id", flat=True))
    return {user.pk for user in users if user.is_active and user.pk not in opted_out}


def rank_by_hand(pk, scores, seen):
    return 1 + sum(scores[other] > scores[pk] for other in seen if other != pk) if scores[pk] else None


@pytest.mark.django_db
class TestRanks:
    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("step", [1, 2, 4, 8, 250])
    def test_at_every_score_the_rank_is_that_of_a_count_by_hand(self, metric, step, configure):
        configure(LEADERBOARD_OPTIONS={"depth": 5, "step": step})
        users, scores = crowd(random.Random(step))
        seen = shown(users)

        found = {user.pk: leaderboards.rank(user, metric, now=NOON) for user in users}

        assert {pk: row.rank for pk, row in found.items()} == {pk: rank_by_hand(pk, scores, seen) for pk in scores}
        higher = {pk: [scores[x] for x in seen if x != pk and scores[x] > scores[pk] > 0] for pk in scores}
        missing = {pk: min(ahead) - scores[pk] if ahead else None for pk, ahead in higher.items()}
        assert {pk: row.to_next_rank for pk, row in found.items()} == missing
        board = leaderboards.top(metric, now=NOON)
        assert board.total == sum(scores[pk] > 0 for pk in seen)
        assert get_backend().snapshot(BoardName(metric), NOON).ladder is not None

    @pytest.mark.parametrize("metric", METRICS)
    def test_the_project_and_groups_leave_people_out(self, metric, configure):
        users, scores = crowd(random.Random(3))
        members = {user.pk for user in users[10:50]}
        excluded = {user.pk for user in users[::7]}
        configure(
            LEADERBOARD_OPTIONS={"depth": 3, "step": 3},
            IS_EXCLUDED=lambda user: user.pk in excluded,
            SCOPES=lambda scope, viewer: get_user_model()._default_manager.filter(pk__in=members),
        )
        seen = shown(users) - excluded

        everywhere = {user.pk: leaderboards.rank(user, metric, now=NOON).rank for user in users}
        inside = {user.pk: leaderboards.rank(user, metric, scope="class", now=NOON).rank for user in users}

        assert everywhere == {pk: rank_by_hand(pk, scores, seen) for pk in scores}
        assert inside == {pk: rank_by_hand(pk, scores, seen & members) for pk in scores}

    def test_where_many_are_hidden_those_who_are_seen_are_counted(self, monkeypatch):
        monkeypatch.setattr(climbing, "HIDDEN_MAX", 2)
        users, scores = crowd(random.Random(4))
        seen = shown(users)

        found = {user.pk: leaderboards.rank(user, "xp_all_time", now=NOON).rank for user in users}

        assert found == {pk: rank_by_hand(pk, scores, seen) for pk in scores}

    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("seed", [5, 6])
    def test_the_ranks_around_somebody_are_those_of_the_board(self, metric, seed):
        users, scores = crowd(random.Random(seed))
        seen = shown(users)
        in_order = sorted((pk for pk in seen if scores[pk]), key=lambda pk: (-scores[pk], pk))

        around = {user.pk: leaderboards.around(user, metric, now=NOON) for user in users if scores[user.pk]}

        for pk, rows in around.items():
            visible = [row for row in rows if row.user_id in seen]
            assert [row.rank for row in visible] == [rank_by_hand(row.user_id, scores, seen) for row in visible]
            assert [(-row.score, row.user_id) for row in rows] == sorted((-row.score, row.user_id) for row in rows)
            assert [row.user_id for row in rows if row.is_me] == [pk]
            if metric in {"xp_weekly", "xp_monthly"}:
                continue  # of people with the same sum the snapshot names but two
            place = sum((-scores[other], other) < (-scores[pk], pk) for other in in_order)
            behind = in_order[place + (pk in seen) :][:2]
            assert ids(rows) == [*in_order[max(0, place - 2) : place], pk, *behind]

    @pytest.mark.parametrize("metric", METRICS)
    def test_pages_past_the_snapshot_have_the_same_ranks(self, metric):
        users, scores = crowd(random.Random(7))
        seen = shown(users)
        in_order = sorted((pk for pk in seen if scores[pk]), key=lambda pk: (-scores[pk], pk))

        rows = walk(metric, limit=4)

        assert [(row.user_id, row.rank) for row in rows] == [(pk, rank_by_hand(pk, scores, seen)) for pk in in_order]


@pytest.mark.django_db
class TestChanges:
    def test_ones_own_award_moves_one_at_once(self):
        users = people(*range(100, 0, -5))
        leaderboards.top("xp_all_time", now=NOON)

        give(users[15], 42)

        board = leaderboards.top("xp_all_time", viewer=users[15], now=NOON)
        assert (board.me.rank, board.me.score, board.me.to_next_rank) == (8, 67, 3)
        assert places(board.around) == [(6, 75), (7, 70), (8, 67), (9, 65), (10, 60)]

    @pytest.mark.parametrize("gain", [1, 4, 5, 30, 95, 300])
    @pytest.mark.parametrize("metric", ["xp_all_time", "xp_weekly"])
    def test_whoever_moved_up_never_shares_a_rank_with_those_below(self, gain, metric):
        users = people(*range(100, 0, -5))
        leaderboards.top(metric, now=NOON)
        mover = users[17]

        give(mover, gain)

        rows = leaderboards.around(mover, metric, now=NOON)
        by_score = {row.score: row.rank for row in rows}
        ranks = [by_score[score] for score in sorted(by_score, reverse=True)]
        assert ranks == sorted(set(ranks))
        higher = sum(user != mover and score > 15 + gain for user, score in zip(users, range(100, 0, -5), strict=True))
        assert by_score[15 + gain] == 1 + higher

    def test_others_are_where_the_snapshot_was_until_it_is_stale(self, commit):
        users = people(*range(100, 0, -5))
        leaderboards.top("xp_all_time", now=NOON)

        with commit():
            give(users[19], 500)

        assert leaderboards.rank(users[10], "xp_all_time", now=NOON + timedelta(seconds=5)).rank == 12

    def test_whoever_is_hidden_counts_no_longer_within_the_staleness(self, commit):
        users = people(*range(100, 0, -5))
        leaderboards.top("xp_all_time", now=NOON)

        with commit():
            privacy.set_visibility(users[2], visible=False)

        assert leaderboards.rank(users[10], "xp_all_time", now=NOON + timedelta(seconds=5)).rank == 10

    def test_a_snapshot_that_nobody_could_renew_is_not_counted_from(self, monkeypatch):
        users = people(*range(100, 0, -5))
        leaderboards.top("xp_all_time", now=NOON)
        monkeypatch.setattr(type(get_backend()), "_rebuild", lambda self, board, now: None)

        give(users[19], 500)

        assert leaderboards.rank(users[10], "xp_all_time", now=NOON + timedelta(seconds=931)).rank == 12

    def test_the_snapshot_before_is_kept_without_its_ladder(self, commit):
        users = people(*range(100, 0, -5))
        leaderboards.top("xp_all_time", now=NOON)
        with commit():
            give(users[0], 5)
        leaderboards.top("xp_all_time", now=NOON + timedelta(seconds=5))

        before = get_backend().earlier_snapshot(BoardName("xp_all_time"), NOON)

        assert before is not None
        assert (before.cached_at, before.ladder, before.entries[0].score) == (NOON, None, 100)

    @pytest.mark.parametrize("metric", ["xp_weekly", "xp_monthly"])
    def test_the_days_of_a_window_are_added_up_once(self, metric, django_assert_num_queries):
        crowd(random.Random(1))

        with django_assert_num_queries(1):
            snapshot = get_backend().build(BoardName(metric), NOON)

        assert (len(snapshot.entries), snapshot.ladder is not None) == (5, True)
        assert snapshot.total == snapshot.ladder.total > 5


STEPS = [Step(90, 2, 1), Step(50, 3, 4), Step(20, 0, 2)]


def test_a_ladder_is_kept_as_it_was_built():
    built = ladder.build(STEPS, [95, 60, 50, 10], is_complete=False, below=5)

    assert ladder.decode(ladder.encode(built), int) == built
    assert (built.scores, built.reached, built.total) == ((20, 50, 90), (9, 7, 2), 13)


def test_a_step_that_only_hidden_people_have_is_none():
    built = ladder.build(STEPS, [90, 20], is_complete=False)

    assert (built.scores, built.above(60), built.above(20)) == ((20, 50), (0, None), (9, 50))


def test_a_process_remembers_the_latest_snapshots_and_no_more(db):
    memory = snapshots.Memory(limit=2)
    for metric in METRICS:
        leaderboards.refresh(metric, now=NOON)
        head = snapshots.head(BoardName(metric))

        assert memory.current(head) is memory.current(head)

    assert len(memory._kept) == 2

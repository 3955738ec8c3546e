"""The backend in the database: the contract, and how readers share the work of a rebuild."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import UUIDField
from django.utils import timezone

from gamification.backends import get_backend, snapshots
from gamification.backends.base import BoardName, Entry, Snapshot
from gamification.backends.database import DatabaseBackend
from gamification.models import LeaderboardCache, UserStreak, UserXP
from gamification.services import leaderboards
from gamification.signals import xp_awarded
from gamification.tests.backends.contract import BackendContract
from gamification.tests.backends.people import NOON, give, ids, listed, people, person, places

PATH = "gamification.backends.database.DatabaseBackend"
BOARD = BoardName("xp_all_time")
EXPIRED = NOON + timedelta(hours=1)


class TestDatabaseBackend(BackendContract):
    backend = PATH


@pytest.fixture(autouse=True)
def _settings(settings):
    settings.GAMIFICATION = {"LEADERBOARD_BACKEND": PATH}


def claim(by="another-reader", *, ends_in):
    LeaderboardCache.objects.update(claim=by, claimed_until=timezone.now() + timedelta(seconds=ends_in))


def refuse_writes(execute, sql, params, many, context):
    if sql.split(None, 1)[0] in {"INSERT", "UPDATE", "DELETE"}:
        raise OperationalError("attempt to write a readonly database")
    return execute(sql, params, many, context)


@pytest.mark.django_db
class TestRebuilding:
    def test_while_another_reader_rebuilds_the_rest_are_served_the_old_snapshot(self):
        user, other = people(10, 20)
        leaderboards.top("xp_all_time", now=NOON)
        give(user, 50)
        claim(ends_in=30)

        board = leaderboards.top("xp_all_time", now=EXPIRED)

        assert (ids(board.entries), board.cached_at) == ([other.pk, user.pk], NOON)
        assert LeaderboardCache.objects.get(metric="xp_all_time").claim == "another-reader"

    def test_while_the_first_snapshot_is_being_built_the_rest_count_for_themselves(self):
        people(20, 10)
        LeaderboardCache.objects.create(metric="xp_all_time")
        claim(ends_in=30)

        board = leaderboards.top("xp_all_time", now=NOON)

        assert places(board.entries) == [(1, 20), (2, 10)]
        assert LeaderboardCache.objects.get().data == {}

    def test_the_claim_of_a_dead_reader_is_taken_over(self):
        user = people(10, 20)[0]
        leaderboards.top("xp_all_time", now=NOON)
        give(user, 50)
        claim("a-dead-reader", ends_in=-1)

        board = leaderboards.top("xp_all_time", now=EXPIRED)

        row = LeaderboardCache.objects.get()
        assert (board.entries[0].user_id, board.cached_at, row.claim, row.claimed_until) == (user.pk, EXPIRED, "", None)

    def test_a_dead_reader_does_not_keep_a_stale_snapshot_alive(self, commit):
        user = people(10, 20)[0]
        leaderboards.top("xp_all_time", now=NOON)
        with commit():
            give(user, 50)
        # It had cleared the mark when it began, and then it died.
        LeaderboardCache.objects.update(stale_at=None)
        claim("a-dead-reader", ends_in=-1)

        assert listed(now=NOON + timedelta(seconds=5))[0] == user.pk

    def test_a_stale_snapshot_never_overwrites_a_fresh_one(self, monkeypatch):
        user, other = people(10, 20)
        build, is_slow = DatabaseBackend.build, [True]

        def build_slowly(self, board, now):
            built = build(self, board, now)
            if is_slow:
                is_slow.clear()
                give(user, 50)
                LeaderboardCache.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
                leaderboards.top("xp_all_time", now=NOON + timedelta(seconds=31))
            return built

        monkeypatch.setattr(DatabaseBackend, "build", build_slowly)
        slow = get_backend().snapshot(BOARD, NOON)

        monkeypatch.undo()
        kept = leaderboards.top("xp_all_time", now=NOON + timedelta(seconds=32))
        assert [entry.user_id for entry in slow.entries] == [other.pk, user.pk]
        assert (ids(kept.entries), kept.cached_at) == ([user.pk, other.pk], NOON + timedelta(seconds=31))

    def test_an_award_during_a_rebuild_is_not_forgotten(self, monkeypatch, commit):
        user = people(10, 20)[0]
        build = DatabaseBackend.build

        def build_and_award(self, board, now):
            built = build(self, board, now)
            with commit():
                give(user, 50)
            return built

        monkeypatch.setattr(DatabaseBackend, "build", build_and_award)
        leaderboards.top("xp_all_time", now=NOON)
        monkeypatch.undo()

        assert listed(now=NOON + timedelta(seconds=5))[0] == user.pk

    @pytest.mark.django_db(transaction=True)
    def test_a_snapshot_from_a_transaction_of_the_caller_is_looked_at_again(self):
        user = people(10, 20)[0]
        with transaction.atomic():
            leaderboards.top("xp_all_time", now=NOON)

        # As an award does that nobody could mark: until that commit there was no row, or none without a mark.
        marked = LeaderboardCache.objects.values_list("stale_at", flat=True).get()
        UserXP.objects.filter(user=user).update(total_xp=60)

        assert marked is not None
        assert listed(now=NOON + timedelta(seconds=5))[0] == user.pk
        assert LeaderboardCache.objects.get().stale_at is None

    def test_erased_during_a_rebuild_is_erased_from_it(self, monkeypatch):
        user, _ = people(10, 20)
        build = DatabaseBackend.build

        def build_and_forget(self, board, now):
            built = build(self, board, now)
            get_backend().forget(user.pk)
            return built

        monkeypatch.setattr(DatabaseBackend, "build", build_and_forget)
        leaderboards.top("xp_all_time", now=NOON)

        assert not LeaderboardCache.objects.exists()

    def test_a_rebuild_that_fails_leaves_the_old_snapshot_and_is_tried_again(self, monkeypatch):
        user, other = people(10, 20)
        leaderboards.top("xp_all_time", now=NOON)
        give(user, 50)

        def fail(self, board, now):
            raise OperationalError("canceling statement due to statement timeout")

        monkeypatch.setattr(DatabaseBackend, "build", fail)
        during = leaderboards.top("xp_all_time", now=EXPIRED)
        monkeypatch.undo()
        LeaderboardCache.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

        assert ids(during.entries) == [other.pk, user.pk]
        assert listed(now=EXPIRED) == [user.pk, other.pk]


@pytest.mark.django_db
class TestReading:
    def test_a_reader_that_cannot_write_is_served_the_old_snapshot(self):
        user, other = people(10, 20)
        leaderboards.top("xp_all_time", now=NOON)
        give(user, 50)

        with connection.execute_wrapper(refuse_writes):
            board = leaderboards.top("xp_all_time", viewer=user, now=EXPIRED)

        assert (ids(board.entries), board.cached_at, board.me.rank) == ([other.pk, user.pk], NOON, 1)

    def test_a_reader_that_cannot_write_counts_for_itself_where_there_is_no_snapshot(self):
        user, other = people(10, 20)

        with connection.execute_wrapper(refuse_writes):
            board = leaderboards.top("xp_all_time", viewer=user, now=NOON)

        assert ids(board.entries) == [other.pk, user.pk]

    def test_reading_a_kept_board_writes_nothing(self):
        stranger = person()
        people(20, 10)
        leaderboards.refresh(now=NOON)

        with connection.execute_wrapper(refuse_writes):
            for metric in leaderboards.metrics():
                leaderboards.top(metric, viewer=stranger, now=NOON)
                leaderboards.rank(stranger, metric, now=NOON)
                leaderboards.around(stranger, metric, now=NOON)

        assert not UserXP.objects.filter(user=stranger).exists()
        assert not UserStreak.objects.filter(user=stranger).exists()

    def test_only_committed_awards_mark_a_board_stale(self, commit):
        user = people(10, 20)[0]
        leaderboards.top("xp_all_time", now=NOON)

        give(user, 50)
        before = LeaderboardCache.objects.get().stale_at
        with commit():
            give(user, 50)

        assert before is None
        assert LeaderboardCache.objects.get().stale_at is not None

    def test_snapshots_hold_ids_and_scores_and_never_names(self, settings):
        settings.GAMIFICATION = {"DISPLAY_NAME": lambda user: "Ada Lovelace"}
        user = person("ada@example.org", score=123, email="ada@example.org", first_name="Ada", last_name="Lovelace")

        name = leaderboards.top("xp_all_time", now=NOON).entries[0].name
        leaderboards.refresh("xp_all_time", now=NOON)

        data = LeaderboardCache.objects.get().data
        stored = json.dumps(data)
        assert name == "Ada Lovelace"
        assert data["current"]["entries"] == [[1, user.pk, 123]]
        assert not [text for text in ("ada", "Ada", "Lovelace", "example") if text in stored]

    def test_signals_leave_though_no_board_can_be_marked(self, commit, monkeypatch):
        user, heard = person(), []

        def fail(self, scores):
            raise OperationalError("the database is gone")

        def hear(**kwargs):
            heard.append(kwargs["user"])

        monkeypatch.setattr(DatabaseBackend, "changed", fail)
        xp_awarded.connect(hear)
        with commit():
            give(user, 50)
        xp_awarded.disconnect(hear)

        assert heard == [user]

    def test_a_snapshot_of_people_with_uuids_is_read_as_it_was_written(self, monkeypatch):
        first, second = uuid4(), uuid4()
        model = SimpleNamespace(_meta=SimpleNamespace(pk=UUIDField()))
        monkeypatch.setattr(snapshots, "get_user_model", lambda: model)
        snapshot = Snapshot((Entry(1, first, 2**60),), 1, frozenset({second}), NOON, EXPIRED)

        stored = json.loads(json.dumps(snapshots.encode(snapshot)))

        assert snapshots.decode(stored) == snapshot

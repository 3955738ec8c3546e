"""How old a board may be, and what ends a snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from gamification.backends import get_backend
from gamification.backends.base import BoardName
from gamification.services import leaderboards, privacy, streaks
from gamification.tests.backends.people import DAY, NOON, do, give, ids, listed, people, person, places


def after(**elapsed):
    return NOON + timedelta(**elapsed)


def build():
    """Build the snapshots of all boards at noon."""
    return leaderboards.refresh(now=NOON)


class Freshness:
    def test_ones_own_award_is_seen_by_oneself_at_once(self, commit):
        leader, user, other = people(50, 30, 20)
        build()

        with commit():
            give(user, 100)

        board = leaderboards.top("xp_all_time", viewer=user, now=NOON)
        own_row = next(row for row in board.entries if row.is_me)
        assert (board.me.rank, board.me.score, board.me.to_next_rank) == (1, 130, None)
        assert (own_row.rank, own_row.score) == (1, 130)
        assert ids(board.around) == [user.pk, leader.pk, other.pk]

    @pytest.mark.parametrize("metric", ["xp_all_time", "xp_weekly", "xp_monthly", "scenarios_completed"])
    def test_others_see_an_award_within_the_staleness(self, commit, metric):
        user = person()
        do(person(), "scenario_completed")
        build()

        with commit():
            do(user, "scenario_completed", data={"perfect": True}, now=after(seconds=3))

        assert user.pk in listed(metric, now=after(seconds=8))

    @pytest.mark.parametrize("staleness", [0, 1, 60])
    def test_the_staleness_is_the_projects_choice(self, commit, configure, staleness):
        configure(LEADERBOARD_MAX_STALENESS=staleness)
        user = people(10, 20)[0]
        build()

        with commit():
            give(user, 50)

        assert listed(now=after(seconds=staleness))[0] == user.pk

    def test_a_busy_board_is_not_rebuilt_for_every_award(self, commit):
        user = people(10, 20)[0]
        build()

        with commit():
            give(user, 50)

        assert leaderboards.top("xp_all_time", now=after(seconds=4)).cached_at == NOON

    def test_a_board_that_was_rebuilt_is_kept_again(self, commit):
        user = people(10, 20)[0]
        build()
        with commit():
            give(user, 50)

        rebuilt = leaderboards.top("xp_all_time", now=after(seconds=5))
        kept = leaderboards.top("xp_all_time", now=after(minutes=10))

        assert (rebuilt.cached_at, kept.cached_at) == (after(seconds=5), after(seconds=5))

    def test_a_quiet_board_is_kept_for_its_time_to_live(self):
        people(20, 10)
        board = leaderboards.top("xp_all_time", now=NOON)

        kept = leaderboards.top("xp_all_time", now=after(seconds=899))
        rebuilt = leaderboards.top("xp_all_time", now=after(seconds=900))

        assert (board.cached_at, board.expires_at) == (NOON, after(seconds=900))
        assert (kept.cached_at, rebuilt.cached_at) == (NOON, after(seconds=900))

    def test_the_time_to_live_is_the_projects_choice(self, configure):
        configure(LEADERBOARD_TTL=60)

        assert leaderboards.top("xp_all_time", now=NOON).expires_at == after(seconds=60)

    def test_a_snapshot_ends_at_midnight_in_utc(self):
        midnight = datetime(2026, 6, 11, tzinfo=UTC)
        user = person(score=9, now=midnight - 7 * DAY)

        before = leaderboards.top("xp_weekly", now=midnight - timedelta(minutes=2))

        assert (ids(before.entries), before.expires_at) == ([user.pk], midnight)
        assert listed("xp_weekly", now=midnight - timedelta(seconds=1)) == [user.pk]
        assert listed("xp_weekly", now=midnight) == []

    @pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"])
    def test_a_snapshot_of_streaks_ends_when_the_first_of_them_does(self, configure, zone):
        configure(STREAK_FREEZES=0)
        first, later = person(), person()
        streaks.set_timezone(first, zone, now=NOON - 9 * DAY)
        do(first, now=NOON - DAY)
        do(later, now=NOON + 2 * DAY)
        expiry = streaks.status(first, now=NOON).expires_at

        before = leaderboards.top("streak_current", now=expiry - timedelta(minutes=1))

        assert (first.pk in ids(before.entries), before.expires_at) == (True, expiry)
        assert first.pk in listed("streak_current", now=expiry - timedelta(seconds=1))
        assert first.pk not in listed("streak_current", now=expiry)

    def test_an_award_that_is_rolled_back_changes_nothing(self, commit):
        user, other = people(10, 20)
        before = leaderboards.top("xp_all_time", viewer=user, now=NOON)

        with pytest.raises(ZeroDivisionError), commit(), transaction.atomic():
            give(user, 500)
            raise ZeroDivisionError

        assert leaderboards.top("xp_all_time", viewer=user, now=NOON) == before
        assert leaderboards.top("xp_all_time", viewer=user, now=after(minutes=1)).cached_at == NOON
        leaderboards.refresh("xp_all_time", now=after(minutes=2))
        assert listed(now=after(minutes=2)) == [other.pk, user.pk]

    def test_a_part_that_is_rolled_back_does_not_take_the_rest_with_it(self, commit):
        user, other = people(10, 20)
        build()

        with commit(), transaction.atomic():
            give(user, 100)
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                give(other, 900)
                raise ZeroDivisionError

        assert places(leaderboards.top("xp_all_time", now=after(seconds=5)).entries) == [(1, 110), (2, 20)]

    @pytest.mark.parametrize("change", ["streak", "freeze", "timezone", "visibility"])
    def test_whatever_moves_a_board_is_seen_within_the_staleness(self, commit, change):
        user, other = person(), person()
        for one in (user, other):
            do(one, now=NOON - DAY)
        build()

        with commit():
            if change == "streak":
                streaks.touch(user, now=NOON)
            elif change == "freeze":
                streaks.freeze(user, now=NOON)
            elif change == "timezone":
                streaks.set_timezone(user, "Asia/Tokyo", now=NOON)
            else:
                privacy.set_visibility(user, visible=False)

        assert leaderboards.top("streak_current", now=after(seconds=5)).cached_at == after(seconds=5)

    def test_a_question_about_the_past_does_not_disturb_the_present(self):
        user = person(score=10, now=NOON - 20 * DAY)
        leaderboards.top("xp_weekly", now=NOON)

        assert listed("xp_weekly", now=NOON - 15 * DAY) == [user.pk]
        assert leaderboards.top("xp_weekly", now=after(seconds=1)).cached_at == NOON

    def test_refreshing_rebuilds_at_once(self):
        user = people(10, 20)[0]
        build()
        give(user, 50)

        number = leaderboards.refresh("xp_all_time", now=NOON)

        assert (number, listed()[0]) == (1, user.pk)
        assert build() == len(leaderboards.metrics())

    def test_forgetting_drops_every_snapshot(self):
        user, other = people(10, 20)
        build()
        give(user, 50)

        get_backend().forget(other.pk)

        assert listed()[0] == user.pk

    def test_a_snapshot_knows_only_ids_and_scores(self):
        users = people(30, 20)

        snapshot = get_backend().snapshot(BoardName("xp_all_time"), NOON)

        assert [(entry.rank, entry.user_id, entry.score) for entry in snapshot.entries] == [
            (1, users[0].pk, 30),
            (2, users[1].pk, 20),
        ]
        assert get_backend().snapshot(BoardName("xp_all_time"), NOON) == snapshot
        assert get_backend().earlier_snapshot(BoardName("xp_all_time"), snapshot.cached_at) == snapshot
        assert get_backend().earlier_snapshot(BoardName("xp_all_time"), after(days=-1)) is None

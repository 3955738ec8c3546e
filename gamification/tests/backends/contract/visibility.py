"""Who is shown, and how fast somebody is hidden."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from gamification.services import exclusions, leaderboards, privacy
from gamification.tests.backends.people import NOON, ids, listed, pages, people, places, walk


def ban(user):
    get_user_model()._default_manager.filter(pk=user.pk).update(is_active=False)


def opt_out(user):
    privacy.set_visibility(user, visible=False)


def deactivate(user):
    user.is_active = False
    user.save(update_fields=["is_active"])


def exclude(user):
    exclusions.exclude(user, reason="a test", now=NOON)


HIDING = pytest.mark.parametrize("hide", [ban, opt_out, deactivate, exclude])


class Visibility:
    @HIDING
    def test_hidden_people_are_neither_listed_nor_counted(self, hide):
        users = people(50, 40, 30)

        hide(users[0])
        self.catch_up()

        board = leaderboards.top("xp_all_time", now=NOON)
        assert (ids(board.entries), places(board.entries)) == ([users[1].pk, users[2].pk], [(1, 40), (2, 30)])
        assert board.total == 2
        assert leaderboards.rank(users[2], "xp_all_time", now=NOON).rank == 2
        assert users[0].pk not in ids(leaderboards.around(users[1], "xp_all_time", now=NOON))

    @HIDING
    @pytest.mark.parametrize("metric", ["xp_all_time", "xp_weekly", "xp_monthly"])
    def test_hidden_at_once_and_the_page_is_refilled(self, hide, metric):
        users = people(50, 40, 30, 20, 10)
        leaderboards.top(metric, limit=3, now=NOON)

        hide(users[1])

        board = leaderboards.top(metric, limit=3, now=NOON)
        assert ids(board.entries) == [users[0].pk, users[2].pk, users[3].pk]
        assert board.next

    @HIDING
    def test_a_page_is_refilled_past_the_depth_of_the_snapshot(self, hide, configure):
        configure(LEADERBOARD_OPTIONS={"depth": 3})
        users = people(80, 70, 60, 50, 40, 30)
        leaderboards.top("xp_all_time", now=NOON)

        for user in (users[0], users[2], users[4]):
            hide(user)

        assert listed(limit=3) == [users[1].pk, users[3].pk, users[5].pk]

    @HIDING
    def test_hidden_between_two_pages(self, hide):
        users = people(60, 50, 40, 30, 20, 10)
        turning = pages(limit=2)
        first = next(turning)

        hide(users[2])
        hide(users[0])

        rest = [pk for page in turning for pk in ids(page.entries)]
        assert ids(first.entries) + rest == [users[n].pk for n in (0, 1, 3, 4, 5)]

    def test_whoever_is_excluded_cannot_undo_it_and_keeps_their_own_choice(self):
        users = people(50, 40)
        exclude(users[0])

        privacy.set_visibility(users[0], visible=False)
        privacy.set_visibility(users[0], visible=True)

        assert listed() == [users[1].pk]
        assert privacy.is_visible(users[0])

    def test_shown_again_once_the_exclusion_is_lifted(self):
        users = people(50, 40)
        exclude(users[0])

        exclusions.lift(users[0], reason="a mistake", now=NOON)
        self.catch_up()

        assert listed() == [users[0].pk, users[1].pk]
        assert leaderboards.rank(users[1], "xp_all_time", now=NOON).rank == 2

    def test_shown_again(self):
        users = people(50, 40)
        opt_out(users[0])

        privacy.set_visibility(users[0], visible=True)

        assert leaderboards.rank(users[0], "xp_all_time", now=NOON).rank == 1
        assert leaderboards.rank(users[1], "xp_all_time", now=NOON).rank == 2
        assert listed() == [users[0].pk, users[1].pk]

    @pytest.mark.parametrize("hide", [opt_out, exclude])
    def test_whoever_is_hidden_has_a_rank_that_only_they_see(self, hide):
        users = people(50, 40, 40, 30)
        hide(users[1])

        mine = leaderboards.top("xp_all_time", viewer=users[1], now=NOON)

        assert (mine.me.rank, mine.me.score, mine.me.to_next_rank) == (2, 40, 10)
        assert users[1].pk not in listed(viewer=users[0])
        assert leaderboards.rank(users[3], "xp_all_time", now=NOON).rank == 3

    def test_ranks_follow_a_change_of_visibility_within_the_staleness(self, commit):
        users = people(50, 40, 30)
        leaderboards.top("xp_all_time", now=NOON)

        with commit():
            opt_out(users[0])

        later = leaderboards.top("xp_all_time", now=NOON + timedelta(seconds=5))
        assert (places(later.entries), later.total) == ([(1, 40), (2, 30)], 2)

    def test_ranks_follow_a_ban_behind_our_back_within_the_time_to_live(self):
        users = people(50, 40, 30)
        leaderboards.top("xp_all_time", now=NOON)

        ban(users[0])

        later = leaderboards.top("xp_all_time", now=NOON + timedelta(seconds=900))
        assert (places(later.entries), later.total) == ([(1, 40), (2, 30)], 2)

    def test_the_project_excludes_people(self, configure):
        users = people(50, 40, 30)
        configure(IS_EXCLUDED=lambda user: user.pk == users[0].pk)
        self.catch_up()

        board = leaderboards.top("xp_all_time", viewer=users[2], now=NOON)

        assert (ids(board.entries), board.total) == ([users[1].pk, users[2].pk], 2)
        assert (board.me.rank, board.me.to_next_rank) == (2, 10)
        assert ids(board.around) == [users[1].pk, users[2].pk]

    def test_the_project_excludes_people_at_once(self, configure):
        users = people(50, 40, 30, 20)
        excluded = set()
        configure(IS_EXCLUDED=lambda user: user.pk in excluded)
        leaderboards.top("xp_all_time", limit=2, now=NOON)

        excluded.add(users[1].pk)

        assert listed(limit=2) == [users[0].pk, users[2].pk]

    def test_the_neighbours_of_somebody_just_excluded_are_refilled(self, configure):
        users = people(70, 60, 50, 40, 30)
        excluded = set()
        configure(IS_EXCLUDED=lambda user: user.pk in excluded)
        leaderboards.top("xp_all_time", now=NOON)

        excluded |= {users[1].pk, users[2].pk}

        around = leaderboards.around(users[3], "xp_all_time", now=NOON)
        assert ids(around) == [users[0].pk, users[3].pk, users[4].pk]

    def test_people_excluded_past_the_depth_of_the_snapshot(self, configure):
        users = people(80, 70, 60, 50, 40, 30, 20, 10)
        hidden = {users[n].pk for n in (0, 3, 5)}
        configure(IS_EXCLUDED=lambda user: user.pk in hidden, LEADERBOARD_OPTIONS={"depth": 2})
        self.catch_up()

        seen = walk(limit=2)

        assert (ids(seen), places(seen)) == (
            [users[n].pk for n in (1, 2, 4, 6, 7)],
            [(1, 70), (2, 60), (3, 40), (4, 20), (5, 10)],
        )
        assert leaderboards.rank(users[7], "xp_all_time", now=NOON).rank == 5

    def test_an_erased_person_is_gone_from_every_board(self):
        users = people(50, 40)
        for metric in leaderboards.metrics():
            leaderboards.top(metric, now=NOON)

        privacy.erase(users[0])

        for metric in leaderboards.metrics():
            board = leaderboards.top(metric, viewer=users[0], now=NOON)
            assert users[0].pk not in ids(board.entries)
            assert (board.me.rank, board.me.score) == (None, 0)
        assert places(leaderboards.top("xp_all_time", now=NOON).entries) == [(1, 40)]

"""One's own place and the people around it."""

from __future__ import annotations

import pytest

from gamification.services import leaderboards, privacy
from gamification.tests.backends.people import NOON, give, ids, people, person, places


def around(user, **options):
    return leaderboards.around(user, "xp_all_time", now=NOON, **options)


class Neighbours:
    def test_two_above_and_two_below(self):
        users = people(70, 60, 50, 40, 30, 20, 10)

        assert ids(around(users[3])) == [user.pk for user in users[1:6]]
        assert places(around(users[3])) == [(2, 60), (3, 50), (4, 40), (5, 30), (6, 20)]

    @pytest.mark.parametrize(("place", "first", "last"), [(0, 0, 2), (1, 0, 3), (5, 3, 6), (6, 4, 6)])
    def test_at_the_ends_there_are_fewer(self, place, first, last):
        users = people(70, 60, 50, 40, 30, 20, 10)

        assert ids(around(users[place])) == [user.pk for user in users[first : last + 1]]

    def test_among_ties_the_neighbours_are_the_nearest_ids(self):
        users = people(*[9] * 7)

        assert ids(around(users[3])) == [user.pk for user in users[1:6]]
        assert {rank for rank, _ in places(around(users[3]))} == {1}

    def test_at_the_edge_of_ties_ranks_are_those_of_the_board(self):
        users = people(50, 40, 40, 40, 30, 30)

        assert places(around(users[3])) == [(2, 40), (2, 40), (2, 40), (5, 30), (5, 30)]
        assert places(around(users[4])) == [(2, 40), (2, 40), (5, 30), (5, 30)]

    def test_exactly_one_of_them_is_me(self):
        users = people(30, 20, 10)

        assert [row.is_me for row in around(users[1])] == [False, True, False]

    def test_alone_on_the_board(self):
        (user,) = people(10)

        assert ids(around(user)) == [user.pk]

    def test_nobody_is_around_whoever_has_nothing(self):
        people(10, 5)

        assert around(person()) == ()

    def test_points_to_the_next_rank(self):
        users = people(50, 40, 40, 30)

        missing = [leaderboards.rank(user, "xp_all_time", now=NOON).to_next_rank for user in users]

        assert missing == [None, 10, 10, 10]

    def test_no_points_are_missing_to_whoever_is_tied_for_the_first_place(self):
        users = people(50, 50, 20)

        missing = [leaderboards.rank(user, "xp_all_time", now=NOON).to_next_rank for user in users]

        assert missing == [None, None, 30]

    def test_the_board_brings_the_same_place_and_neighbours(self):
        users = people(70, 60, 50, 40, 30)

        board = leaderboards.top("xp_all_time", limit=1, viewer=users[3], now=NOON)

        assert board.around == around(users[3])
        assert board.me == leaderboards.rank(users[3], "xp_all_time", now=NOON)
        assert board.me in board.around

    def test_place_and_neighbours_are_live(self):
        users = people(50, 40, 30)
        leaderboards.top("xp_all_time", now=NOON)

        give(users[2], 15)

        assert places(around(users[2])) == [(1, 50), (2, 45), (3, 40)]
        assert ids(around(users[2])) == [users[0].pk, users[2].pk, users[1].pk]

    def test_a_page_without_a_viewer_has_neither(self):
        people(3, 2)

        board = leaderboards.top("xp_all_time", now=NOON)

        assert (board.me, board.around) == (None, ())

    def test_whoever_opted_out_sees_the_neighbours_of_a_place_of_their_own(self):
        users = people(50, 40, 30, 20)
        privacy.set_visibility(users[1], visible=False)

        seen = around(users[1])

        assert ids(seen) == [user.pk for user in users]
        assert leaderboards.rank(users[1], "xp_all_time", now=NOON).rank == 2

    def test_the_neighbours_of_whoever_opted_out_have_the_ranks_of_the_board(self):
        users = people(50, 40, 30, 20)
        privacy.set_visibility(users[1], visible=False)

        seen = {row.user_id: row.rank for row in around(users[1])}

        on_board = {row.user_id: row.rank for row in leaderboards.top("xp_all_time", now=NOON).entries}
        assert {pk: seen[pk] for pk in on_board} == on_board

"""Pages: nobody twice, nobody missing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gamification.services import leaderboards
from gamification.tests.backends.people import NOON, give, ids, pages, people, places, walk

LATER = NOON + timedelta(seconds=6)


def finish(turning):
    """Return the ids on the pages that are left."""
    return [pk for page in turning for pk in ids(page.entries)]


class Pages:
    @pytest.mark.parametrize("limit", [1, 2, 5, 11, 12, 13])
    def test_pages_of_any_size_show_everybody_once(self, limit):
        users = people(90, 80, 80, 80, 70, 60, 60, 50, 40, 40, 40, 30)

        seen = walk(limit=limit)

        assert ids(seen) == [user.pk for user in users]
        assert [rank for rank, _ in places(seen)] == [1, 2, 2, 2, 5, 6, 6, 8, 9, 9, 9, 12]

    @pytest.mark.parametrize("depth", [1, 3, 11, 12])
    @pytest.mark.parametrize("limit", [1, 5])
    def test_pages_go_on_past_the_depth_of_the_snapshot(self, depth, limit, configure):
        configure(LEADERBOARD_OPTIONS={"depth": depth})
        users = people(90, 80, 80, 80, 70, 60, 60, 50, 40, 40, 40, 30)

        seen = walk(limit=limit)

        assert ids(seen) == [user.pk for user in users]
        assert [rank for rank, _ in places(seen)] == [1, 2, 2, 2, 5, 6, 6, 8, 9, 9, 9, 12]

    def test_the_last_page_has_no_next(self):
        people(3, 2, 1)

        assert [(len(page.entries), bool(page.next)) for page in pages(limit=2)] == [(2, True), (1, False)]
        assert not leaderboards.top("xp_all_time", limit=3, now=NOON).next

    def test_all_pages_are_of_one_snapshot_though_scores_change(self):
        users = people(60, 50, 40, 30, 20, 10)
        turning = pages(limit=2)
        first = next(turning)

        give(users[5], 100)
        give(users[1], -45)

        assert ids(first.entries) + finish(turning) == [user.pk for user in users]

    def test_a_rebuild_between_two_pages_neither_repeats_nor_drops_anybody(self, commit):
        users = people(60, 50, 40, 30, 20, 10)
        first = leaderboards.top("xp_all_time", limit=2, now=NOON)

        with commit():
            give(users[5], 100)
            give(users[1], -45)
        rebuilt = leaderboards.top("xp_all_time", limit=2, now=LATER)

        assert ids(rebuilt.entries) == [users[5].pk, users[0].pk]
        rest = finish(pages(limit=2, now=LATER, cursor=first.next))
        assert ids(first.entries) + rest == [user.pk for user in users]

    def test_whoever_did_not_move_is_seen_once_though_the_snapshot_is_gone(self, commit):
        users = people(60, 50, 40, 30, 20, 10)
        moving, first = users[5], leaderboards.top("xp_all_time", limit=2, now=NOON)

        for minute in (1, 2, 3):
            with commit():
                give(moving, 20)
            leaderboards.top("xp_all_time", now=NOON + timedelta(minutes=minute))

        rest = finish(pages(limit=2, now=NOON + timedelta(minutes=4), cursor=first.next))
        still = [pk for pk in [*ids(first.entries), *rest] if pk != moving.pk]
        assert still == [user.pk for user in users[:5]]

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_past_the_depth_go_on_after_a_rebuild(self, limit, configure, commit):
        configure(LEADERBOARD_OPTIONS={"depth": 2})
        users = people(60, 50, 40, 30, 30, 30, 10)
        first = leaderboards.top("xp_all_time", limit=limit, now=NOON)

        with commit():
            give(users[0], 5)
        leaderboards.top("xp_all_time", now=LATER)

        rest = finish(pages(limit=limit, now=LATER, cursor=first.next))
        assert ids(first.entries) + rest == [user.pk for user in users]

    @pytest.mark.parametrize("gain", [25, 100, -35])
    def test_ones_own_award_at_the_end_of_a_page_neither_repeats_nor_drops_anybody(self, gain):
        users = people(60, 50, 40, 30, 20, 10)
        viewer = users[2]
        leaderboards.top("xp_all_time", now=NOON)

        give(viewer, gain)

        assert ids(walk(limit=3, viewer=viewer)) == [user.pk for user in users]

    def test_losing_everything_at_the_end_of_a_page_drops_nobody_else(self):
        users = people(60, 50, 40, 30, 20, 10)
        viewer = users[2]
        leaderboards.top("xp_all_time", now=NOON)

        give(viewer, -40)

        others = [pk for pk in ids(walk(limit=3, viewer=viewer)) if pk != viewer.pk]
        assert others == [user.pk for user in users if user != viewer]

    def test_a_cursor_of_one_board_does_no_harm_on_another(self):
        users = people(60, 50, 40)
        cursor = leaderboards.top("xp_all_time", limit=1, now=NOON).next

        rest = finish(pages("xp_weekly", limit=1, cursor=cursor))

        assert rest == [user.pk for user in users[1:]]

    def test_pages_within_a_group(self, configure):
        users = people(60, 50, 40, 30, 20, 10)
        members = [users[n].pk for n in (0, 2, 3, 5)]
        configure(
            SCOPES=lambda scope, viewer: type(users[0]).objects.filter(pk__in=members),
            LEADERBOARD_OPTIONS={"depth": 2},
        )

        seen = walk(limit=1, scope="class")

        assert (ids(seen), [rank for rank, _ in places(seen)]) == (members, [1, 2, 3, 4])

    def test_pages_of_a_window(self, configure):
        configure(LEADERBOARD_OPTIONS={"depth": 2})
        users = people(60, 50, 50, 50, 20, 10)

        seen = walk("xp_weekly", limit=2)

        assert (ids(seen), [rank for rank, _ in places(seen)]) == ([user.pk for user in users], [1, 2, 2, 2, 5, 6])

"""Scores and ranks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gamification.services import achievements, leaderboards, streaks, xp
from gamification.tests.backends.people import DAY, NOON, do, give, ids, listed, people, person, places


class Ranking:
    def test_equal_scores_share_a_rank_and_the_ranks_behind_them_are_skipped(self):
        people(50, 40, 40, 30)

        board = leaderboards.top("xp_all_time", now=NOON)

        assert places(board.entries) == [(1, 50), (2, 40), (2, 40), (4, 30)]

    def test_the_rank_on_the_profile_is_the_rank_on_the_board(self):
        users = people(40, 50, 30, 40, 30)

        ranks = [leaderboards.rank(user, "xp_all_time", now=NOON).rank for user in users]

        assert ranks == [2, 1, 4, 2, 4]

    def test_ties_are_listed_by_user_id(self):
        users = people(*[7] * 5)

        assert listed() == [user.pk for user in users]

    def test_ids_are_compared_as_numbers(self):
        longer, shorter = person(pk=100_000_000, score=5), person(pk=99_999_999, score=5)

        board = leaderboards.top("xp_all_time", viewer=longer, now=NOON)

        assert ids(board.entries) == [shorter.pk, longer.pk]
        assert ids(board.around) == [shorter.pk, longer.pk]

    def test_a_score_of_0_has_no_rank_and_is_not_listed(self):
        idle = person()
        person(score=3)

        board = leaderboards.top("xp_all_time", viewer=idle, now=NOON)

        assert (board.me.rank, board.me.score, board.around, board.total) == (None, 0, (), 1)
        assert idle.pk not in ids(board.entries)

    @pytest.mark.parametrize("metric", leaderboards.metrics())
    def test_an_empty_board_is_an_empty_list(self, metric):
        board = leaderboards.top(metric, viewer=person(), now=NOON)

        assert (board.entries, board.total, board.next, board.me.rank) == ((), 0, "", None)

    def test_taking_everything_back_takes_the_rank_away(self):
        user = person()
        booked = give(user, 80).transaction

        xp.reverse(booked, reason="a mistake", now=NOON)

        assert leaderboards.rank(user, "xp_all_time", now=NOON).rank is None
        assert listed() == []

    @pytest.mark.parametrize(
        ("metric", "days_ago", "counts"),
        [
            ("xp_weekly", 0, True),
            ("xp_weekly", 6, True),
            ("xp_weekly", 7, False),
            ("xp_monthly", 29, True),
            ("xp_monthly", 30, False),
        ],
    )
    @pytest.mark.parametrize("clock", [timedelta(0), timedelta(hours=23, minutes=59, seconds=59)])
    def test_a_window_takes_in_whole_dates_up_to_today_in_utc(self, metric, days_ago, counts, clock):
        now = datetime(2026, 6, 10, tzinfo=UTC) + clock
        user = person(score=9, now=now - days_ago * DAY)

        standing = leaderboards.rank(user, metric, now=now)

        assert standing.rank == (1 if counts else None)
        assert listed(metric, now=now) == ([user.pk] if counts else [])

    def test_xp_counts_on_the_date_on_which_it_was_earned_not_booked(self):
        user = person()
        do(user, "scenario_completed", occurred_at=NOON - 7 * DAY, now=NOON)

        standing = leaderboards.rank(user, "xp_weekly", now=NOON)

        assert standing.rank is None
        assert leaderboards.rank(user, "xp_monthly", now=NOON).score >= 50

    def test_whoever_lives_ahead_of_utc_is_in_the_week_already(self):
        user = person()
        streaks.set_timezone(user, "Pacific/Kiritimati", now=NOON - 60 * DAY)
        give(user, 12)

        assert leaderboards.rank(user, "xp_weekly", now=NOON).score == 12

    def test_a_week_of_losses_is_no_rank_from_the_end(self):
        loser, other = person(), person(score=10)
        give(loser, 500, now=NOON - 10 * DAY)
        give(loser, -100)

        board = leaderboards.top("xp_weekly", viewer=loser, now=NOON)

        assert ids(board.entries) == [other.pk]
        assert (board.me.rank, board.total) == (None, 1)
        assert board.me.score <= 0
        assert leaderboards.rank(loser, "xp_all_time", now=NOON).score == 400

    def test_gains_and_losses_of_a_window_are_added_up(self):
        user = person()
        for amount in (70, -20, 5):
            give(user, amount, now=NOON - 2 * DAY)

        assert leaderboards.rank(user, "xp_weekly", now=NOON).score == 55

    def test_a_reversed_award_leaves_its_own_week(self):
        user = person(score=20)
        booked = give(user, 100, now=NOON - 7 * DAY).transaction

        xp.reverse(booked, reason="a mistake", now=NOON)

        assert leaderboards.rank(user, "xp_weekly", now=NOON).score == 20
        assert leaderboards.rank(user, "xp_monthly", now=NOON).score == 20

    def test_a_streak_that_has_lapsed_is_not_a_current_one(self, configure):
        configure(STREAK_FREEZES=0)
        lapsed, running = person(), person()
        do(lapsed, now=NOON - 3 * DAY)
        do(running)

        board = leaderboards.top("streak_current", viewer=lapsed, now=NOON)

        assert ids(board.entries) == [running.pk]
        assert (board.me.rank, board.me.score) == (None, 0)
        assert leaderboards.rank(lapsed, "streak_longest", now=NOON).score == 1

    def test_a_streak_that_freezes_still_cover_is_a_current_one(self):
        user = person()
        do(user, now=NOON - 3 * DAY)

        assert leaderboards.rank(user, "streak_current", now=NOON).score == 1

    def test_scenarios_are_counted_as_often_as_they_were_completed(self):
        once, often = person(), person()
        do(once, "scenario_completed")
        for _ in range(3):
            do(often, "scenario_completed")

        board = leaderboards.top("scenarios_completed", now=NOON)

        assert (ids(board.entries), places(board.entries)) == ([often.pk, once.pk], [(1, 3), (2, 1)])

    def test_a_revoked_achievement_does_not_count(self):
        achievements.initialize()
        user, other = person(), person()
        for name in ("first_scenario", "first_steps"):
            achievements.unlock(user, name, now=NOON)
        achievements.unlock(other, "first_scenario", now=NOON)
        before = leaderboards.rank(user, "achievements_unlocked", now=NOON)

        for name in ("first_scenario", "first_steps"):
            achievements.revoke(user, name, now=NOON)

        after = leaderboards.rank(user, "achievements_unlocked", now=NOON)
        assert (before.rank, before.score, after.rank, after.score) == (1, 2, None, 0)

    def test_any_counter_can_be_a_board(self, configure):
        configure(LEADERBOARD_COUNTERS=["words_learned", "study_minutes"])
        reader = person()
        do(reader, "words_learned", quantity=30)

        assert leaderboards.rank(reader, "words_learned", now=NOON).score == 30
        assert listed("words_learned") == [reader.pk]
        assert "scenarios_completed" not in leaderboards.metrics()

    def test_the_total_counts_everybody_with_a_score(self, configure):
        configure(LEADERBOARD_OPTIONS={"depth": 2})
        people(5, 4, 3, 2, 1, 0)

        assert leaderboards.top("xp_all_time", limit=1, now=NOON).total == 5

    def test_scores_beyond_what_a_float_can_hold_stay_exact(self):
        first, second = people(100_000, 100_000)
        for user in (first, second):
            for _ in range(10):
                give(user, 100_000)
        give(second, 1)

        board = leaderboards.top("xp_all_time", now=NOON)

        assert places(board.entries) == [(1, 1_100_001), (2, 1_100_000)]
        assert ids(board.entries) == [second.pk, first.pk]

    def test_a_group_is_ranked_within_itself(self, configure):
        inside, outside, also_inside = people(30, 40, 20)
        model = type(inside)
        configure(
            SCOPES=lambda scope, viewer: (
                model.objects.filter(pk__in=[inside.pk, also_inside.pk]) if scope == "class" else None
            )
        )

        board = leaderboards.top("xp_all_time", scope="class", viewer=also_inside, now=NOON)

        assert (ids(board.entries), places(board.entries)) == ([inside.pk, also_inside.pk], [(1, 30), (2, 20)])
        assert (board.total, board.me.rank, board.me.to_next_rank) == (2, 2, 10)
        assert ids(board.around) == [inside.pk, also_inside.pk]
        assert leaderboards.rank(also_inside, "xp_all_time", scope="class", now=NOON).rank == 2
        assert listed() == [outside.pk, inside.pk, also_inside.pk]

    def test_nobody_outside_a_group_hides_in_it(self, configure):
        inside, outside = people(30, 40)
        configure(SCOPES=lambda scope, viewer: type(inside).objects.filter(pk=inside.pk))

        assert listed(scope="class") == [inside.pk]
        assert outside.pk not in ids(leaderboards.around(inside, "xp_all_time", scope="class", now=NOON))

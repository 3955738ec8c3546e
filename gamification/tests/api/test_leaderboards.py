"""Leaderboards through the API."""

from __future__ import annotations

from typing import Any

import pytest

from gamification.api.serializers.leaderboards import BoardSerializer, EntrySerializer, MyEntrySerializer
from gamification.services import leaderboards, privacy, xp
from gamification.tests.api.conftest import assert_problem, caller, create_user, errors_of


def one_class(name: str, viewer: Any) -> Any:
    """Stand in for a project's hook: there is one group, and everybody whose name has a 1 is in it."""
    return type(viewer).objects.filter(username__contains="1") if name == "ones" else None


@pytest.fixture
def board(db) -> list[Any]:
    """Return 12 callers with 120 to 10 XP, two of them with 100."""
    callers = [caller(create_user(f"user{number}")) for number in range(12)]
    for number, each in enumerate(callers):
        xp.award(each.user, 100 if number == 1 else 120 - 10 * number, reason="x", key="k")
    return callers


def pages(me: Any, path: str) -> list[dict[str, Any]]:
    found = [me.json(path)]
    while found[-1]["next"]:
        found.append(me.json(found[-1]["next"].partition("gamification/")[2]))
    return found


def test_a_board_has_its_rows_and_mine(board):
    told = board[5].json("leaderboard/xp_all_time?limit=3")

    assert list(told) == ["metric", "entries", "me", "around", "total", "cached_at", "expires_at", "next"]
    assert [(row["rank"], row["name"], row["score"]) for row in told["entries"]] == [
        (1, "user0", 120), (2, "user1", 100), (2, "user2", 100),
    ]  # fmt: skip
    assert told["me"] == {
        "rank": 6,
        "name": "user5",
        "avatar_url": None,
        "level": 1,
        "title": "Novice",
        "score": 70,
        "is_me": True,
        "to_next_rank": 10,
    }
    assert [row["name"] for row in told["around"]] == ["user3", "user4", "user5", "user6", "user7"]
    assert told["total"] == 12


def test_no_row_says_whose_account_it_is(board):
    told = board[5].json("leaderboard/xp_all_time")

    rows = [*told["entries"], *told["around"], told["me"], *board[5].json("leaderboard/xp_all_time/rank")["around"]]
    assert {"user_id", "id", "user", "username", "email"}.isdisjoint(set().union(*rows))


def test_the_next_page_is_asked_for_as_this_one_was(board):
    first = board[0].json("leaderboard/xp_all_time?me=false&limit=2")

    address, _, query = first["next"].partition("?")

    assert address == "http://testserver/api/v1/gamification/leaderboard/xp_all_time"
    asked = dict(part.split("=") for part in query.split("&"))
    assert (list(asked), asked["limit"], asked["me"]) == (["cursor", "limit", "me"], "2", "false")
    assert board[0].json("leaderboard/xp_all_time?" + query)["me"] is None


@pytest.mark.parametrize("limit", [1, 5, 7, 12, 100])
def test_pages_neither_repeat_nor_drop_anybody(limit, board):
    found = pages(board[0], f"leaderboard/xp_all_time?limit={limit}")

    assert [row["name"] for page in found for row in page["entries"]] == [f"user{number}" for number in range(12)]
    assert found[-1]["next"] is None


def test_my_rank_comes_with_my_neighbours_and_the_way_up(board):
    told = board[5].json("leaderboard/xp_weekly/rank")

    assert {**told, "around": len(told["around"])} == {
        "metric": "xp_weekly",
        "rank": 6,
        "score": 70,
        "to_next_rank": 10,
        "around": 5,
    }
    assert [row["is_me"] for row in told["around"]] == [False, False, True, False, False]


def test_the_first_has_nobody_to_catch(board):
    assert board[0].json("leaderboard/xp_all_time/rank")["to_next_rank"] is None


def test_a_score_of_nought_has_no_rank(ada, board):
    told = ada.json("leaderboard/xp_all_time/rank")

    assert (told["rank"], told["score"], told["around"]) == (None, 0, [])
    assert ada.json("leaderboard/xp_all_time")["me"]["rank"] is None


@pytest.mark.parametrize("metric", leaderboards.metrics())
def test_an_empty_board_is_an_empty_list(metric, ada):
    told = ada.json(f"leaderboard/{metric}")

    assert (told["metric"], told["entries"], told["total"], told["next"]) == (metric, [], 0, None)


def test_who_opted_out_is_seen_by_nobody_and_still_has_a_rank(board):
    privacy.set_visibility(board[1].user, False)

    names = [row["name"] for row in board[0].json("leaderboard/xp_all_time?limit=100")["entries"]]
    hidden = board[1].json("leaderboard/xp_all_time/rank")

    assert "user1" not in names
    assert hidden["rank"] == 2


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "101", str(10**20), "", "1.0", "１", "true", "%00"])
def test_a_bad_limit_is_named(limit, ada):
    response = ada.get(f"leaderboard/xp_all_time?limit={limit}")

    assert_problem(response, 400, "invalid")
    assert {field for _, field, _ in errors_of(response)} == {"limit"}


@pytest.mark.parametrize("path", ["leaderboard/nonsense", "leaderboard/nonsense/rank"])
def test_an_unknown_board_lists_those_that_there_are(path, ada):
    problem = assert_problem(ada.get(path), 404, "unknown_metric")

    assert all(metric in problem["detail"] for metric in leaderboards.metrics())


# Groups


def test_without_the_hook_there_are_no_groups(ada):
    assert_problem(ada.get("leaderboard/xp_all_time?scope=ones"), 404, "unknown_scope")


def test_a_group_has_a_board_of_its_own(board, settings):
    settings.GAMIFICATION = {**settings.GAMIFICATION, "SCOPES": "gamification.tests.api.test_leaderboards.one_class"}

    found = pages(board[10], "leaderboard/xp_all_time?limit=2&scope=ones")

    assert [(row["rank"], row["name"]) for page in found for row in page["entries"]] == [
        (1, "user1"), (2, "user10"), (3, "user11"),
    ]  # fmt: skip
    assert board[10].json("leaderboard/xp_all_time/rank?scope=ones")["rank"] == 2
    assert_problem(board[10].get("leaderboard/xp_all_time?scope=twos"), 404, "unknown_scope")


def test_ones_own_place_can_be_left_out(board):
    told = board[5].json("leaderboard/xp_all_time?me=false")

    assert (told["me"], told["around"]) == (None, [])
    assert [row["name"] for row in told["entries"] if row["is_me"]] == ["user5"]


@pytest.mark.parametrize("value", ["no", "1", "False"])
def test_whether_ones_place_is_wanted_is_true_or_false(board, value):
    assert_problem(board[0].get(f"leaderboard/xp_all_time?me={value}"), 400, "invalid")


@pytest.mark.parametrize(("path", "queries"), [("?me=false", 4), ("", 8), ("/rank", 8)])
def test_a_kept_board_takes_few_queries(board, path, queries, django_assert_num_queries):
    board[5].get(f"leaderboard/xp_all_time{path}")

    with django_assert_num_queries(queries):  # two are of the session
        board[5].get(f"leaderboard/xp_all_time{path}")


def test_rows_that_are_written_out_have_the_fields_that_are_described(board):
    shown = BoardSerializer(leaderboards.top("xp_all_time", viewer=board[5].user)).data

    assert set(shown) == set(BoardSerializer().fields)
    assert set(shown["me"]) == set(MyEntrySerializer().fields)
    assert {frozenset(row) for row in shown["entries"] + shown["around"]} == {frozenset(EntrySerializer().fields)}

"""Boards as the service answers them: what is refused, which names show, what a read costs."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamification.exceptions import UnknownMetric, UnknownScope
from gamification.models import LeaderboardCache
from gamification.services import leaderboards
from gamification.tests.backends.people import NOON, do, ids, people, person

pytestmark = pytest.mark.django_db

SEVEN = (
    "xp_all_time",
    "xp_weekly",
    "xp_monthly",
    "streak_current",
    "streak_longest",
    "scenarios_completed",
    "achievements_unlocked",
)


@pytest.fixture(autouse=True)
def _no_hooks(settings):
    settings.GAMIFICATION = {}


# Names of boards


def test_there_are_seven_boards():
    assert set(leaderboards.metrics()) == set(SEVEN)


def test_every_board_has_a_name_for_people(settings):
    settings.GAMIFICATION = {"LEADERBOARD_COUNTERS": ["scenarios_completed", "words_learned"]}

    labels = [str(leaderboards.label(metric)) for metric in leaderboards.metrics()]

    assert len(set(labels)) == 8
    assert "Words learned" in labels
    assert not [label for label in labels if "_" in label]


@pytest.mark.parametrize("metric", ["", "nonsense", "XP_ALL_TIME", "words_learned", "__class__", "xp\x00", "é" * 500])
@pytest.mark.parametrize("ask", ["top", "rank", "around", "refresh"])
def test_an_unknown_metric_lists_the_known(metric, ask):
    user = person()

    with pytest.raises(UnknownMetric) as refused:
        if ask in {"top", "refresh"}:
            getattr(leaderboards, ask)(metric, now=NOON)
        else:
            getattr(leaderboards, ask)(user, metric, now=NOON)

    assert (refused.value.code, refused.value.status_code) == ("unknown_metric", 404)
    assert all(known in refused.value.message for known in SEVEN)


@pytest.mark.parametrize("metric", [None, 5, ["xp_weekly"], {}])
def test_a_metric_that_is_no_text_is_unknown(metric):
    with pytest.raises(UnknownMetric):
        leaderboards.top(metric, now=NOON) if metric is not None else leaderboards.rank(person(), metric, now=NOON)


# Groups


@pytest.mark.parametrize("scope", ["class", "x" * 101, "a\x00b", "a\nb", "\ud800"])
def test_a_group_that_the_project_does_not_know_is_refused(scope, settings):
    settings.GAMIFICATION = {"SCOPES": lambda name, viewer: None}

    with pytest.raises(UnknownScope) as refused:
        leaderboards.top("xp_all_time", scope=scope, now=NOON)

    assert (refused.value.code, refused.value.status_code) == ("unknown_scope", 404)


def test_without_a_hook_there_are_no_groups():
    with pytest.raises(UnknownScope):
        leaderboards.rank(person(), "xp_all_time", scope="class", now=NOON)


def test_the_project_decides_who_may_look_into_a_group(settings):
    member, stranger = people(20, 10)
    model = get_user_model()
    settings.GAMIFICATION = {
        "SCOPES": lambda name, viewer: model.objects.filter(pk=member.pk) if viewer == member else None
    }

    board = leaderboards.top("xp_all_time", scope="team", viewer=member, now=NOON)

    assert ids(board.entries) == [member.pk]
    for ask in (leaderboards.rank, leaderboards.around):
        with pytest.raises(UnknownScope):
            ask(stranger, "xp_all_time", scope="team", now=NOON)
    with pytest.raises(UnknownScope):
        leaderboards.top("xp_all_time", scope="team", viewer=stranger, now=NOON)


def test_groups_do_not_share_their_snapshots(settings):
    users = people(30, 20, 10)
    teams = {"red": users[:1], "blue": users[1:]}
    model = get_user_model()
    settings.GAMIFICATION = {
        "SCOPES": lambda name, viewer: model.objects.filter(pk__in=[user.pk for user in teams[name]])
    }

    seen = {team: ids(leaderboards.top("xp_all_time", scope=team, now=NOON).entries) for team in teams}

    assert seen == {team: [user.pk for user in members] for team, members in teams.items()}


# Names


def test_the_default_name_says_nothing_about_the_person():
    user = person(
        "ada@example.org", score=10, email="ada@example.org", first_name="Ada", last_name="Lovelace", pk=987_654_321
    )

    names = {
        leaderboards.top("xp_all_time", now=NOON).entries[0].name,
        leaderboards.rank(user, "xp_all_time", now=NOON).name,
        leaderboards.around(user, "xp_all_time", now=NOON)[0].name,
    }

    (name,) = names
    label, _, rest = name.partition(" ")
    assert (label, len(rest)) == ("Player", 6)
    assert int(rest, 16) >= 0
    assert not [text for text in ("ada", "lovelace", "example", "@", "987654") if text in name.lower()]


def test_names_depend_on_the_secret_key(settings):
    user = person(score=10)
    name = leaderboards.rank(user, "xp_all_time", now=NOON).name

    settings.SECRET_KEY = uuid4().hex

    assert leaderboards.rank(user, "xp_all_time", now=NOON).name != name


@pytest.mark.parametrize("answer", ["", "   ", None])
def test_a_hook_that_gives_no_name_leaves_the_default_one(answer, settings):
    settings.GAMIFICATION = {"DISPLAY_NAME": lambda user: answer}

    assert leaderboards.rank(person(score=5), "xp_all_time", now=NOON).name.startswith("Player ")


def test_the_projects_hooks_give_name_and_picture(settings):
    settings.GAMIFICATION = {
        "DISPLAY_NAME": "project.hooks.username",
        "AVATAR_URL": lambda user: f"/pictures/{user.pk}.png",
    }
    user = person("grace", score=5)

    board = leaderboards.top("xp_all_time", viewer=user, now=NOON)

    assert {(row.name, row.avatar_url) for row in (board.me, *board.entries, *board.around)} == {
        ("grace", f"/pictures/{user.pk}.png")
    }


def test_rows_show_level_and_title():
    user = person()
    for _ in range(2):
        do(user, "scenario_completed", data={"difficulty": "advanced", "minutes": 50})
    row = leaderboards.top("xp_all_time", now=NOON).entries[0]

    assert (row.score, row.level, row.title) == (405, 4, "Novice")


# What a read costs


CEILINGS = {"top": 5, "rank": 4, "around": 5, "top, nobody asking": 2}


@pytest.mark.parametrize("metric", SEVEN)
def test_a_read_costs_the_same_however_long_the_board_is(metric):
    users = [person() for _ in range(25)]
    for user in users:
        do(user, "scenario_completed")
    viewer = users[12]
    leaderboards.refresh(metric, now=NOON)

    costs = {}
    for name, ask in (
        ("top", lambda: leaderboards.top(metric, limit=25, viewer=viewer, now=NOON)),
        ("rank", lambda: leaderboards.rank(viewer, metric, now=NOON)),
        ("around", lambda: leaderboards.around(viewer, metric, now=NOON)),
        ("top, nobody asking", lambda: leaderboards.top(metric, limit=25, now=NOON)),
    ):
        ask()
        with CaptureQueriesContext(connection) as queries:
            ask()
        costs[name] = len(queries)

    assert {name: cost for name, cost in costs.items() if cost > CEILINGS[name]} == {}


def test_boards_do_not_need_the_cache(monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("the cache is down")

    for name in ("get", "set", "add", "incr", "get_many", "set_many", "delete"):
        monkeypatch.setattr(type(cache._connections[cache._alias]), name, fail)
    users = people(30, 20)

    board = leaderboards.top("xp_all_time", viewer=users[1], now=NOON)

    monkeypatch.undo()
    assert (ids(board.entries), board.me.rank) == ([user.pk for user in users], 2)


def test_refreshing_all_leaves_a_row_for_each_board():
    assert leaderboards.refresh(now=NOON) == 7
    assert set(LeaderboardCache.objects.values_list("metric", flat=True)) == set(SEVEN)

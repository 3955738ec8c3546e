"""The leaderboard card: the switch, my row, my neighbours."""

from __future__ import annotations

import re

import pytest

from gamification.services import leaderboards, xp
from gamification.tests.dashboard.conftest import act_on, section, words
from gamification.tests.factories import UserFactory

PART = {"HX-Request": "true", "HX-Target": "gx-board"}


def board(html: str) -> str:
    return section(html, "gx-board-title")


def rows(card: str) -> list[str]:
    return [words(row) for row in re.findall(r'<tr class="gx-board__row.*?</tr>', card, re.DOTALL)]


def test_the_first_ten_and_then_my_neighbours(read, lively):
    newcomer = UserFactory.create(username="newcomer")
    xp.award(newcomer, 3, reason="start", key="start")

    card = board(read(newcomer).html())

    shown = rows(card)
    assert len(shown) == 10 + 3
    assert shown[0] == "1 L leader Level 22 · Adept 12,545"
    assert shown[-1] == "14 N newcomer You Level 1 · Novice 3"
    assert card.count("gx-board__row--me") == 1
    assert "You are number 14. rival00 is next, 147 XP ahead." in words(card).replace("\u2068", "").replace(
        "\u2069", ""
    )


def test_neighbours_that_are_on_the_page_are_not_shown_again(read, lively):
    newcomer = UserFactory.create(username="newcomer")
    xp.award(newcomer, 102, reason="start", key="start")

    card = board(read(newcomer).html())

    places = [row.split()[0] for row in rows(card)]
    assert places == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "11", "13", "14"]
    assert "gx-board__gap" not in card


def test_the_first_three_have_medals(read, lively):
    card = board(read(lively).html())

    assert [card.count(f"gx-medal--{place}") for place in (1, 2, 3)] == [1, 1, 1]


def test_those_on_the_page_are_not_shown_twice(read, lively):
    card = board(read(lively).html())

    assert card.count("gx-board__row--me") == 1
    assert "gx-board__gap" not in card


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("xp_weekly", r"You are number 2. other is next, \d+ XP ahead."),
        ("streak_current", "You are number 2. other is next, 1 day ahead."),
        ("streak_longest", "You are number 2. other is next, 1 day ahead."),
        ("scenarios_completed", "You are number 2. other is next, 1 ahead."),
    ],
)
def test_who_is_next_is_told_on_every_board(read, ada, metric, said):
    other = UserFactory.create(username="other")
    act_on(other, [0, 1])
    act_on(ada, [0])

    text = words(board(read(ada).html(f"/gamification?metric={metric}")))

    assert re.search(said, text.replace("\u2068", "").replace("\u2069", ""))


def test_among_equals_the_next_rank_counts_and_not_the_next_row(read, db):
    for number in range(3):
        xp.award(UserFactory.create(username=f"tied{number}"), 10, reason="start", key="start")
    last = UserFactory.create(username="zoe")
    xp.award(last, 10, reason="start", key="start")
    xp.award(UserFactory.create(username="first"), 11, reason="start", key="start")

    text = words(board(read(last).html()))

    assert "You are number 2. 1 more to the next rank." in text


def test_names_are_told_whole_where_they_are_cut_off(read, ada):
    name = "a_name_that_is_much_too_long_for_any_column_" * 3
    xp.award(UserFactory.create(username=name), 10, reason="start", key="start")

    assert f'title="{name}">{name}</bdi>' in board(read(ada).html())


def test_the_first_has_nobody_ahead(read, ada):
    xp.award(ada, 5, reason="start", key="start")

    assert "You are number 1. Nobody is ahead of you." in words(board(read(ada).html()))


def test_people_without_a_score_are_told_how_to_join(read, lively):
    text = words(board(read(UserFactory.create(username="idle")).html()))

    assert "You are not on this board yet. One activity is enough to join." in text


def test_the_rule_of_ties_is_told(read, lively):
    assert "Equal scores share a rank, and the next one is skipped: 1, 2, 2, 4." in words(board(read(lively).html()))


@pytest.mark.parametrize("metric", leaderboards.metrics())
@pytest.mark.parametrize("headers", [{}, PART])
def test_every_board_can_be_chosen(read, lively, metric, headers):
    card = board(read(lively).html(f"/gamification?metric={metric}", **headers))

    assert re.search(rf'id="gx-metric-{metric}"[^>]+aria-current="true"', card)
    assert card.count('aria-current="true"') == (2 if metric.startswith(("xp_", "streak_")) else 1)
    assert f'<caption class="gx-sr">{leaderboards.label(metric)}</caption>' in card


def test_without_a_choice_it_is_all_time(read, lively):
    assert re.search(r'id="gx-metric-xp_all_time"[^>]+aria-current="true"', read(lively).html())


@pytest.mark.parametrize("metric", ["nonsense", "__class__", "xp_weekly'--", "%00"])
@pytest.mark.parametrize("headers", [{}, PART])
def test_an_unknown_board_is_not_found(client, lively, metric, headers):
    client.force_login(lively)

    response = client.get(f"/gamification?metric={metric}", headers=headers)

    assert response.status_code == 404


def test_the_switch_keeps_the_category_that_was_chosen(read, lively):
    card = board(read(lively).html("/gamification?category=streaks"))

    assert 'href="/gamification?category=streaks&amp;metric=xp_weekly#gx-board"' in card
    assert 'hx-get="/gamification?category=streaks&amp;metric=xp_weekly"' in card


def test_htmx_gets_the_card_alone(read, lively):
    html = read(lively).html("/gamification?metric=xp_weekly", **PART)

    assert html.strip().startswith("<section")
    assert html.strip().endswith("</section>")
    assert html.count("<section") == 1


def test_a_step_back_in_the_history_gets_the_whole_page(read, lively):
    html = read(lively).html("/gamification?metric=xp_weekly", **PART, **{"HX-History-Restore-Request": "true"})

    assert "<!doctype html>" in html


def test_caches_keep_the_card_and_the_page_apart(client, lively):
    client.force_login(lively)

    response = client.get("/gamification")

    assert {"HX-Request", "HX-Target"} <= set(re.split(r", ?", response["Vary"]))
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


def test_the_card_takes_few_queries(read, lively, django_assert_max_num_queries):
    page = read(lively)
    page.html("/gamification?metric=xp_weekly", **PART)

    with django_assert_max_num_queries(8):
        page.html("/gamification?metric=xp_weekly", **PART)

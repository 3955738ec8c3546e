"""The grid of achievements: locked, unlocked, secret, filtered."""

from __future__ import annotations

import re

import pytest

from gamification.dashboard import cards
from gamification.domain.catalogue import CATALOGUE
from gamification.services import achievements
from gamification.tests.dashboard.conftest import SECRET, act_on, section, words
from gamification.tests.factories import AchievementFactory, UserFactory

PART = {"HX-Request": "true", "HX-Target": "gx-achievements"}
#: Everything that would tell what the secret is.
TELLTALES = [str(SECRET[key]) for key in ("achievement_id", "name", "description", "icon", "value")] + ["987,654"]


def grid(html: str) -> str:
    return section(html, "gx-achievements-title")


def test_a_locked_achievement_shows_how_far_one_is(read, ada, catalogue):
    act_on(ada, [0, 1, 2])

    card = grid(read(ada).html("/gamification/achievements"))

    assert "Scenario Explorer Complete 5 scenarios Common +50 XP Nobody has it yet 60 % Locked 3/5" in words(card)
    assert 'value="60" aria-label="Progress of Scenario Explorer"' in card


@pytest.mark.parametrize(
    ("share", "is_mine", "said"),
    [
        (4.4, False, "4 % of people have it"),
        (0.04, False, "Fewer than 1 % of people have it"),
        (0, False, "Nobody has it yet"),
        (0, True, "Fewer than 1 % of people have it"),
        (99.9, False, "99 % of people have it"),
        (100, True, "100 % of people have it"),
    ],
)
def test_rarity_is_told_in_words(read, ada, catalogue, monkeypatch, share, is_mine, said):
    if is_mine:
        achievements.unlock(ada, "word_collector")
    monkeypatch.setattr(achievements, "shares_of_holders", lambda: {"word_collector": share, "x": 1.0})

    text = words(grid(read(ada).html("/gamification/achievements?category=vocabulary")))

    assert f"Word Collector Learn 50 words Common +50 XP {said} " in text


def test_where_rarity_is_not_known_nothing_is_said_of_it(read, ada, catalogue, monkeypatch):
    monkeypatch.setattr(achievements, "shares_of_holders", dict)

    assert "gx-badge__holders" not in read(ada).html("/gamification/achievements")


def test_the_rarity_of_a_secret_is_a_secret(read, ada, catalogue):
    achievements.unlock(UserFactory.create(), SECRET["achievement_id"])

    masked = re.findall(r'<li class="gx-badge gx-badge--masked.*?</li>', read(ada).html(), re.DOTALL)

    grid_of = cards.achievement_grid(achievements.catalogue(ada), {SECRET["achievement_id"]: 50.0}, timezone="UTC")
    assert [badge.holders for badge in grid_of.badges if badge.state.is_masked] == [""]
    assert len(masked) == 1
    assert "people" not in masked[0]
    assert "Nobody" not in masked[0]


def test_an_unlocked_achievement_shows_since_when(read, ada, catalogue):
    act_on(ada, [0])

    card = grid(read(ada).html("/gamification/achievements"))

    assert re.search(
        r"First Scenario Complete your first scenario Common \+50 XP 100 % of people have it Unlocked \d", words(card)
    )
    assert card.count("gx-badge--unlocked") == 2
    assert "2 of 28 unlocked" in words(card)


def test_the_dashboard_shows_the_first_twelve_and_leads_to_the_rest(read, ada, catalogue):
    card = grid(read(ada).html())

    assert card.count('<li class="gx-badge ') == 12
    assert "See 16 more achievements" in words(card)
    assert 'href="/gamification/achievements"' in card


def test_the_page_of_its_own_shows_all(read, ada, catalogue):
    card = grid(read(ada).html("/gamification/achievements"))

    assert card.count('<li class="gx-badge ') == len(CATALOGUE) + 1
    assert "See " not in words(card)


@pytest.mark.parametrize("path", ["/gamification", "/gamification/achievements"])
def test_a_category_keeps_only_its_own(read, ada, catalogue, path):
    card = grid(read(ada).html(f"{path}?category=vocabulary"))

    assert re.findall(r'gx-badge__name">([^<]+)<', card) == [
        "Word Collector",
        "Vocabulary Builder",
        "Vocabulary Virtuoso",
    ]
    assert "0 of 3 unlocked" in words(card)
    assert re.search(r'id="gx-category-vocabulary"[^>]+aria-current="true"', card)


def test_the_dashboard_leads_to_the_rest_of_the_category(read, ada, catalogue):
    card = grid(read(ada).html("/gamification?category=scenarios"))

    assert 'href="/gamification/achievements?category=scenarios"' in card
    assert "See all achievements" in words(card)


def test_an_unknown_category_is_not_found(client, ada):
    client.force_login(ada)

    assert client.get("/gamification?category=cats").status_code == 404
    assert client.get("/gamification/achievements?category=__class__").status_code == 404


def test_a_filter_keeps_the_board_that_was_chosen(read, ada, catalogue):
    card = grid(read(ada).html("/gamification?metric=xp_weekly"))

    assert "/gamification?metric=xp_weekly&amp;category=streaks#gx-achievements" in card


@pytest.mark.parametrize("path", ["/gamification", "/gamification/achievements"])
def test_htmx_gets_the_grid_alone(read, ada, catalogue, path):
    html = read(ada).html(f"{path}?category=streaks", **PART)

    assert html.strip().startswith("<section")
    assert html.strip().endswith("</section>")
    assert "Week Warrior" in html


@pytest.mark.parametrize("headers", [{}, PART])
@pytest.mark.parametrize(
    "path",
    [
        "/gamification",
        "/gamification/achievements",
        "/gamification?category=special",
        "/gamification/achievements?category=special",
        "/gamification/achievements?category=streaks",
    ],
)
def test_a_secret_one_leaks_nothing(read, ada, catalogue, path, headers):
    act_on(ada, [0, 1])

    html = read(ada).html(path, **headers)

    assert not [telltale for telltale in TELLTALES if telltale in html]
    is_filtered = "category" in path
    assert ("???" in html) is not is_filtered


def test_a_secret_one_is_shown_once_it_is_mine(read, ada, catalogue):
    achievements.unlock(ada, SECRET["achievement_id"])

    text = read(ada).words("/gamification/achievements?category=special")

    assert "Ghost Quill Write beneath a full moon" in text
    assert "Ghost Quill" in read(ada).words(), "in recent XP too"


def test_a_secret_one_that_was_taken_back_is_a_secret_again(read, ada, catalogue):
    achievements.unlock(ada, SECRET["achievement_id"])
    achievements.revoke(ada, SECRET["achievement_id"])

    html = read(ada).html()

    assert not [telltale for telltale in TELLTALES if telltale in html]


def test_a_category_of_secrets_alone_is_not_offered(read, ada, db):
    AchievementFactory.create(category="perfection", is_hidden=True)
    AchievementFactory.create(category="streaks")
    AchievementFactory.create(category="scenarios")

    html = read(ada).html("/gamification/achievements")

    assert "gx-category-streaks" in html
    assert "gx-category-perfection" not in html


def test_what_staff_write_is_text_and_not_markup(read, ada, db):
    AchievementFactory.create(name="<b>Bold</b>", description="<script>alert(1)</script>", icon="<i>")

    html = read(ada).html("/gamification/achievements")

    assert "&lt;b&gt;Bold&lt;/b&gt;" in html
    assert "<script>alert" not in html


def test_the_page_takes_few_queries(read, lively, django_assert_max_num_queries):
    page = read(lively)
    page.html("/gamification/achievements")  # which shows what there was to celebrate

    with django_assert_max_num_queries(11):
        page.html("/gamification/achievements")

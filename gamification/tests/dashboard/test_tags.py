"""Widgets that a host puts on pages of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.utils.translation import override

import gamification
from gamification.services import achievements, xp
from gamification.templatetags.gamification import gx_number, gx_rarity, gx_signed
from gamification.tests.dashboard.conftest import SECRET, act_on, words

APP = Path(gamification.__file__).parent


def render(source: str, **context: object) -> str:
    return Template("{% load gamification %}" + source).render(Context(context))


def test_a_badge_shows_level_and_title(ada):
    xp.award(ada, 1_678, reason="start", key="start")

    assert words(render("{% level_badge user %}", user=ada)) == "Level 10 · Apprentice"


def test_a_flame_has_its_colour_and_its_length_in_words(ada):
    act_on(ada, range(3))

    html = render("{% streak_flame user %}", user=ada)

    assert "gx-tone-gold" in html
    assert words(html) == "3 day streak"


def test_people_who_did_nothing_have_a_grey_flame(ada):
    assert "gx-tone-grey" in render("{% streak_flame user %}", user=ada)


@pytest.mark.parametrize("tag", ["level_badge", "streak_flame", "achievement_grid", "activity_calendar"])
def test_visitors_have_none(db, tag):
    assert render(f"{{% {tag} user %}}", user=AnonymousUser()).strip() == ""


def test_a_mini_board_shows_the_first_and_me(lively):
    html = render('{% mini_board "xp_all_time" limit=2 %}', user=lively)

    assert words(html).startswith("XP, all time XP, all time Rank # Player XP 1 L leader")
    assert html.count("gx-board__row--me") == 1


@pytest.mark.parametrize("context", [{}, {"user": AnonymousUser()}])
def test_visitors_see_a_mini_board_without_a_place_of_their_own(lively, context):
    html = render("{% mini_board %}", **context)

    assert html.count("<tr") == 1 + 5
    assert "gx-board__row--me" not in html


def test_an_empty_mini_board_invites(db):
    assert "Nobody is here yet." in render('{% mini_board "streak_current" %}')


def test_a_grid_shows_my_achievements_as_the_dashboard_does(lively):
    html = render("{% achievement_grid user limit=5 %}", user=lively)

    assert html.count('<li class="gx-badge ') == 5
    assert "First Scenario" in html
    assert html.count("???") == 1
    assert SECRET["name"] not in html


def test_a_grid_can_be_of_one_category(lively):
    html = render('{% achievement_grid user category="vocabulary" %}', user=lively)

    assert re.findall(r'gx-badge__name">([^<]+)<', html) == [
        "Word Collector",
        "Vocabulary Builder",
        "Vocabulary Virtuoso",
    ]


@pytest.mark.parametrize("looking", [AnonymousUser(), None])
def test_of_others_a_grid_shows_what_they_have_without_secrets(lively, looking):
    achievements.unlock(lively, SECRET["achievement_id"])

    html = render("{% achievement_grid person %}", person=lively, user=looking)

    assert html.count("gx-badge--unlocked") == html.count('<li class="gx-badge ') > 2
    assert SECRET["name"] not in html
    assert "???" not in html
    assert SECRET["name"] in render("{% achievement_grid person %}", person=lively, user=lively)


def test_an_empty_grid_says_so(ada):
    assert "Nothing to see here yet." in render("{% achievement_grid user %}", user=ada)


def test_a_calendar_tells_me_what_i_did(lively):
    html = render("{% activity_calendar user %}", user=lively)

    assert html.count('<td class="gx-day ') == 365
    assert "1 activity, " in html
    assert "gx-day--frozen" in html


def test_a_calendar_tells_others_how_busy_i_was_and_nothing_more(lively):
    html = render("{% activity_calendar person %}", person=lively, user=AnonymousUser())

    assert html.count('<td class="gx-day ') == 365
    assert ": a lot" in html
    for telltale in ("XP", "1 activity", "frozen", "Frozen"):
        assert telltale not in html


@pytest.mark.parametrize(
    ("tag", "queries"),
    [("level_badge", 1), ("streak_flame", 2), ("achievement_grid", 9), ("activity_calendar", 4)],
)
def test_a_tag_takes_few_queries(lively, django_assert_max_num_queries, tag, queries):
    with django_assert_max_num_queries(queries):
        render(f"{{% {tag} user %}}", user=lively)


def test_every_tag_template_and_colour_is_in_the_docs():
    docs = (APP.parent / "docs" / "templates.md").read_text()
    templates = [path.relative_to(APP / "templates").as_posix() for path in APP.glob("templates/gamification/**/*.*")]
    sheet = (APP / "static/gamification/gamification.css").read_text()
    colours = re.findall(r"^  (--gx-[a-z0-9-]+):", sheet[: sheet.index(".gx {")], re.MULTILINE)
    tags = ["level_badge", "streak_flame", "mini_board", "achievement_grid", "activity_calendar", "gamification_styles"]

    assert [
        name for name in (*templates, *colours, *tags) if f"`{name}`" not in docs and f"{{% {name} " not in docs
    ] == []


@pytest.mark.parametrize("tag", ["gamification_styles", "gamification_styles pages=True"])
def test_the_style_sheets_are_there(tag):
    sheets = re.findall(r'href="/static/([^"]+)"', render(f"{{% {tag} %}}"))

    assert sheets
    assert not [sheet for sheet in sheets if finders.find(sheet) is None]


def test_every_icon_that_is_asked_for_is_in_the_sprite():
    sprite = (APP / "static/gamification/icons.svg").read_text()
    asked = set()
    for path in [*APP.glob("templates/**/*.html"), *APP.glob("dashboard/*.py")]:
        asked |= set(re.findall(r'gx_icon "([a-z0-9-]+)"', path.read_text()))
    asked |= set(re.findall(r'"([a-z-]+)"\),\n', (APP / "dashboard/cards.py").read_text()))

    assert not [name for name in asked if f'id="{name}"' not in sprite]


@pytest.mark.parametrize(
    ("value", "language", "text"), [(12_345, "en", "12,345"), (12_345, "de", "12.345"), (7, "en", "7")]
)
def test_numbers_follow_the_language(value, language, text):
    with override(language):
        assert gx_number(value) == text


def test_amounts_have_a_sign():
    assert gx_signed(1_000) == "+1,000"
    assert gx_signed(-5) == "\N{MINUS SIGN}5"


def test_what_is_not_known_is_shown_as_it_is():
    assert gx_rarity("mythical") == "Mythical"
    assert render('{{ "field_work"|gx_category }}') == "Field work"

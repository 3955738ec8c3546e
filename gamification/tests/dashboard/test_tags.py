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
from gamification.services import xp
from gamification.templatetags.gamification import gx_number, gx_rarity, gx_signed
from gamification.tests.dashboard.conftest import act_on, words

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


@pytest.mark.parametrize("tag", ["level_badge", "streak_flame"])
def test_visitors_have_neither(db, tag):
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

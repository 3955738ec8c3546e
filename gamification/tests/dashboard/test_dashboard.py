"""The dashboard: what each card says, to whom."""

from __future__ import annotations

import re

import pytest
from django.test.utils import override_settings
from django.utils import translation
from django.utils.translation import trans_real

from gamification.models import UserStreak, UserXP
from gamification.services import privacy, xp
from gamification.tests.dashboard.conftest import act_on, section, words
from gamification.tests.factories import UserFactory

PAGES = ["", "/achievements", "/settings", "/settings/data"]
FORMS = ["/touch", "/freeze", "/settings", "/settings/erase"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_people_who_signed_in(client, db, path):
    response = client.get(f"/gamification{path}")

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/gamification")


@pytest.mark.parametrize("path", FORMS)
def test_forms_are_for_people_who_signed_in(client, db, path):
    response = client.post(f"/gamification{path}")

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_a_slash_too_many_leads_to_the_dashboard(client, ada):
    client.force_login(ada)

    response = client.get("/gamification/")

    assert response["Location"] == "/gamification"


def test_a_first_visit_says_what_to_do_next(read, ada, catalogue):
    page = read(ada)

    html = page.html()

    assert "Your first XP is one click away" in html
    assert "Start my streak" in html
    assert "First Scenario: Complete your first scenario" in words(html)
    assert "Your year" not in html
    assert "Recent XP" not in html


def test_a_first_visit_to_an_empty_site_has_no_goal_to_offer(read, ada):
    text = read(ada).words()

    assert "Reach your first goal" not in text
    assert "There is nothing to unlock here yet" in text
    assert "Nobody is here yet. Be the first!" in text


def test_looking_writes_nothing(read, ada, catalogue):
    read(ada).html()

    assert not UserStreak.objects.exists()
    assert not UserXP.objects.exists()


def test_the_xp_card_shows_level_title_total_and_what_is_missing(read, ada):
    xp.award(ada, 1_766, reason="start", key="start")

    card = section(read(ada).html(), "gx-xp-title")

    text = words(card)
    assert "Level 10 Apprentice 1,766 XP in total" in text
    assert "264 XP to level 11" in text
    assert "Adept from level 20" in text
    assert 'max="100" value="25"' in card
    assert 'aria-label="Progress to level 11"' in card


def test_at_the_top_level_nothing_is_missing(read, ada):
    for number in range(3):
        xp.award(ada, 100_000, reason="start", key=str(number))

    with override_settings(GAMIFICATION={"MAX_LEVEL": 10}):
        text = words(section(read(ada).html(), "gx-xp-title"))

    assert "The highest level there is" in text
    assert "to level 11" not in text


def test_the_xp_card_sums_today_and_the_week(read, ada):
    xp.award(ada, 70, reason="start", key="start")

    text = words(section(read(ada).html(), "gx-xp-title"))

    assert "Today +70 Last 7 days +70 Best day 70" in text


def test_the_year_is_a_table_with_words_for_each_day(read, lively):
    card = section(read(lively).html(), "gx-year-title")

    assert "<caption" in card
    assert len(re.findall(r'<td class="gx-day ', card)) == 365
    assert len(re.findall(r'<td class="gx-day [^>]*title="[^"]+"><span class="gx-sr">[^<]+</span>', card)) == 365
    assert card.count("gx-day--frozen") == 2, "one day, and its sign in the legend"
    assert "9 active days · 1 frozen" in words(card)


def test_recent_xp_is_told_in_words(read, lively):
    xp.award(lively, 5, reason="Won the quiz", key="quiz")

    text = words(section(read(lively).html(), "gx-recent-title"))

    assert "Won the quiz" in text
    assert "+5 XP" in text
    assert "Streak bonus" in text
    assert "Scenario completed" in text


def test_a_correction_is_told_with_a_minus(read, ada):
    award = xp.award(ada, 50, reason="start", key="start")
    xp.reverse(award.transaction, reason="mistake")

    text = words(section(read(ada).html(), "gx-recent-title"))

    assert "Correction" in text
    assert "\N{MINUS SIGN}50 XP" in text


def test_used_freezes_are_told_with_their_reason(read, lively):
    assert "Saved your streak by itself" in words(section(read(lively).html(), "gx-freezes-title"))


def test_nothing_says_an_email_address(read, lively):
    html = read(lively).html()

    assert "@example.com" not in html


def test_numbers_are_written_as_people_of_the_language_do(read, ada):
    xp.award(ada, 1_767, reason="start", key="start")

    with override_settings(LANGUAGE_CODE="de", LANGUAGES=[("de", "German")]):
        html = read(ada).html()

    assert "1.767" in html
    assert 'value="25.28"' in html, "what machines read stays as it is"


@pytest.mark.parametrize("path", ["/gamification", "/gamification/achievements", "/gamification/settings"])
def test_no_page_holds_what_a_strict_policy_refuses(read, lively, path):
    html = read(lively).html(path)

    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)
    assert not re.search(r"<style|<script(?![^>]+src=)|javascript:", html)


def test_every_word_can_be_translated(read, ada, monkeypatch):
    act_on(ada, [1, 2, 4])
    xp.award(UserFactory.create(username="zzz"), 5, reason="start", key="start")
    monkeypatch.setattr(trans_real, "gettext", lambda text: f"[{text}]")
    monkeypatch.setattr(trans_real, "pgettext", lambda context, text: f"[{text}]")
    monkeypatch.setattr(trans_real, "ngettext", lambda one, many, number: f"[{one if number == 1 else many}]")
    monkeypatch.setattr(translation, "_trans", trans_real)

    html = read(ada).html()

    text = words(html[html.index('<div class="gx gx-page">') : html.index("</main>")])
    while re.search(r"\[[^\[\]]*\]", text):
        text = re.sub(r"\[[^\[\]]*\]", " ", text)
    untranslated = set(re.findall(r"[A-Za-z]{2,}", text)) - {"Novice", "Apprentice", "ada", "zzz", "UTC"}
    assert untranslated == set()


def test_a_host_without_a_base_page_gets_a_plain_one(read, ada, settings, catalogue):
    templates = [{**settings.TEMPLATES[0], "DIRS": []}]

    with override_settings(TEMPLATES=templates):
        html = read(ada).html()

    assert "gamification/vendor/pico.min.css" in html
    assert "Start my streak" in html


def test_a_host_without_messages_still_works(client, ada, settings):
    client.force_login(ada)
    middleware = [name for name in settings.MIDDLEWARE if "messages" not in name]

    with override_settings(MIDDLEWARE=middleware):
        response = client.post("/gamification/touch", follow=True)

    assert response.status_code == 200


def test_a_dashboard_takes_as_many_queries_for_many_rows_as_for_few(
    read, lively, django_assert_max_num_queries, catalogue
):
    act_on(lively, range(50, 120))
    page = read(lively)
    page.html()

    with django_assert_max_num_queries(20):
        page.html()


def test_people_who_hid_themselves_see_their_rank_and_that_only_they_do(read, lively):
    newcomer = UserFactory.create(username="newcomer")
    xp.award(newcomer, 3, reason="start", key="start")
    privacy.set_visibility(newcomer, visible=False)

    card = section(read(newcomer).html(), "gx-board-title")

    assert "Only you see this: you chose not to be listed." in words(card)
    assert "You are number 14." in words(card)

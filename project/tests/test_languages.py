"""The site in German, in a script that runs from right to left, and the switch between languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import reverse
from django.utils.translation import override
from django.views.csrf import csrf_failure
from django.views.defaults import bad_request, server_error

from gamification.domain.catalogue import CATEGORIES, RARITIES
from gamification.domain.levels import DEFAULT_TITLES
from gamification.models import Achievement, UserAchievement, UserStreak
from gamification.services import achievements, profiles, xp
from gamification.tests.dashboard.conftest import act_on

ENGLISH = re.compile(
    r"\b(the|and|of|you|your|with|to|not|for|is|are|by|from|this|that|every|nobody|more|less|yes|no|"
    r"achievements?|streaks?|freezes?|leaderboards?|days?|today|settings|save|unlocked|locked|progress|choose|show|"
    r"sign|people|month|week|user|date|reason|rule|back|name of|kind|counter|search|delete|history|view|change|add|"
    r"common|epic|legendary|novice|apprentice|adept|expert|master|scenarios?|study|reach|complete|learn|hold)\b",
    re.IGNORECASE,
)
GERMAN = {"headers": {"accept-language": "de"}}
#: What stands in code, in scripts, or as data in a field, and the names of time zones.
SILENT = {"script", "style", "code", "pre", "textarea"}


@pytest.fixture(autouse=True)
def _language_is_given_back():
    """Keep the language of the last request from the tests that follow in the same thread."""
    with override("en"):
        yield


class Words(HTMLParser):
    """Gathers what a page says to eyes and ears."""

    def __init__(self, html):
        super().__init__()
        self.found, self.silent = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if tag in SILENT or (tag == "select" and "zone" in known.get("name", "")):
            self.silent.append(tag)
        if not self.silent:
            self.found += [known[name] for name in ("aria-label", "title", "alt", "placeholder") if known.get(name)]

    def handle_endtag(self, tag):
        if self.silent and tag == self.silent[-1]:
            self.silent.pop()

    def handle_data(self, data):
        if not self.silent:
            self.found.append(" ".join(data.split()))


def english(html, data=()):
    """Return what of a page is English; ``data`` are the texts that somebody wrote."""
    # Django has no German word beside its search field, and the column of the user has the name of the field.
    own = sorted({*data, "Search", "User:"}, key=len, reverse=True)
    words = re.compile("|".join(map(re.escape, own)))
    return [text for text in Words(html).found if ENGLISH.search(words.sub("", text))]


@pytest.fixture
def ada(db):
    achievements.initialize()
    ada = User.objects.create_superuser("ada", password="correct horse")
    act_on(ada, [0, 1, 2, 3, 5, 6, 7, 8, 9])
    xp.award(ada, 12_345, reason="Willkommen", key="start")
    profiles.share(ada, is_public=True, showcase=["first_scenario"])
    return ada


PAGES = ["/", "/accounts/login/", "/widgets", "/gibt-es-nicht"]
APP_PAGES = ["/gamification", "/gamification/achievements", "/gamification/settings"]


@pytest.mark.parametrize("path", [*PAGES, *APP_PAGES])
@pytest.mark.parametrize("who", ["ada", "newcomer", None])
def test_german_pages_have_no_english_words(client, ada, settings, path, who):
    settings.DEBUG = path == "/widgets"
    if who:
        client.force_login(User.objects.get_or_create(username=who)[0])

    first, second = (client.get(path, follow=True, **GERMAN) for _ in range(2))

    for response in (first, second):  # the first brings toasts
        html = response.content.decode()
        assert '<html lang="de" dir="ltr">' in html
        assert english(html) == []


def test_the_public_profile_is_german_to_germans(client, ada):
    path = reverse("gamification:profile", args=[profiles.sharing(ada).slug])

    html = client.get(path, **GERMAN).content.decode()

    assert english(html) == []
    assert "Erstes Szenario" in html


ADMIN = ["", "gamification/", "gamification/achievement/add/", "gamification/achievement/import/"]
ADMIN += [
    f"gamification/{model}/"
    for model in (
        "achievement",
        "activity",
        "excuseddate",
        "leaderboardcache",
        "queuedactivity",
        "userachievement",
        "usercounter",
        "userday",
        "userstreak",
        "userxp",
        "xptransaction",
    )
]


@pytest.mark.parametrize("path", ADMIN)
def test_the_admin_speaks_german(client, ada, path):
    client.force_login(ada)

    response = client.get(f"/admin/{path}", follow=True, **GERMAN)

    assert response.status_code == 200
    html = response.content.decode()
    html = html[html.index('id="content"') :]
    assert english(html, stored()) == [], path


def test_forms_and_views_of_one_row_speak_german(client, ada):
    client.force_login(ada)
    definition = Achievement.objects.get(achievement_id="scenario_expert")
    pages = [
        reverse("admin:gamification_achievement_change", args=[definition.pk]),
        reverse("admin:gamification_userstreak_change", args=[UserStreak.objects.get(user=ada).pk]),
    ]

    for path in pages:
        html = client.get(path, **GERMAN).content.decode()
        assert english(html[html.index('id="content"') :], stored()) == []


def stored():
    """Return what the admin shows as it is written in the database."""
    told = {text for row in Achievement.objects.all() for text in (row.name, row.description, str(row))}
    told |= {*CATEGORIES, *RARITIES, *(title for _level, title in DEFAULT_TITLES)}
    return told | {str(row) for row in UserAchievement.objects.all()}


def test_error_pages_are_german(rf: RequestFactory, db):
    request = rf.get("/")
    with override("de"):
        pages = [bad_request(request, ValueError()), server_error(request), csrf_failure(request)]

    for page in pages:
        html = page.content.decode()
        assert '<html lang="de"' in html
        assert english(html) == []


@pytest.mark.parametrize(("days", "said"), [(1, "Tag in Folge"), (2, "Tage in Folge")])
def test_plurals_follow_the_number(client, db, days, said):
    ben = User.objects.create_user("ben")
    act_on(ben, range(days))
    client.force_login(ben)

    html = client.get("/gamification", **GERMAN).content.decode()

    assert re.search(rf">{days}</span> {said}<", html)
    active = "aktiver Tag" if days == 1 else "aktive Tage"
    assert f"<strong>{days}</strong> {active}" in html


def test_numbers_and_dates_are_written_as_germans_write_them(client, db, time_machine):
    time_machine.move_to("2026-11-22T12:00:00+00:00")
    ben = User.objects.create_user("ben")
    xp.award(ben, 12_345, reason="Willkommen", key="start")
    client.force_login(ben)

    html = client.get("/gamification", **GERMAN).content.decode()

    assert "12.345" in html
    assert "12,345" not in html
    assert "22. November 2026" in html


# The switch


@pytest.mark.parametrize("path", ["/", "/accounts/login/?next=/gamification/settings", "/gamification/settings"])
def test_the_switch_changes_the_language_and_keeps_the_page(client, ada, path):
    if "login" not in path:
        client.force_login(ada)
    kept = re.search(r'name="next" value="([^"]*)">\s*<button type="submit" name="language"', _html(client, path))

    response = client.post(reverse("set_language"), {"language": "de", "next": kept[1]})

    assert (response.status_code, response["Location"]) == (302, path)
    assert '<html lang="de"' in _html(client, path)
    assert 'value="de" lang="de" aria-current="true">Deutsch' in _html(client, path)


def test_the_choice_outweighs_what_the_browser_prefers(client, db):
    client.post(reverse("set_language"), {"language": "en", "next": "/"})

    assert '<html lang="en"' in client.get("/", **GERMAN).content.decode()


def test_the_switch_on_the_answer_to_a_form_leads_to_a_page_that_can_be_read(client, ada):
    client.force_login(ada)

    html = client.post("/gamification/settings/erase", {"password": "wrong"}).content.decode()

    assert 'name="next" value="/">' in html


def _html(client, path):
    return client.get(path).content.decode()


# Right to left


@pytest.mark.browser
@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/gamification", "/gamification/achievements", "/gamification/settings"]
)
def test_pages_hold_from_right_to_left(page, live_server, sign_in, page_problems, ada, settings, path):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    if "login" not in path:
        sign_in(ada)
    page.set_extra_http_headers({"Accept-Language": "ar"})
    page.emulate_media(reduced_motion="reduce")
    found = []

    for width in (320, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("[document.documentElement.dir, document.documentElement.lang]") == ["rtl", "ar"]
        found += [f"{width}: wider than the screen"] * page.evaluate(
            "document.documentElement.scrollWidth > innerWidth || scrollX !== 0"
        )
    rules = Axe().run(page, options={"preload": False}).response["violations"]
    found += [f"{rule['id']}: {node['html'][:200]}" for rule in rules for node in rule["nodes"]]

    assert found == []
    assert page_problems == []

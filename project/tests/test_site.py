"""The site's shell: every page of it, in a client and in a real browser."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils.translation import override
from django.views.defaults import server_error

from gamification.services import achievements
from gamification.tests.looks import problems_of
from gamification.tests.servers import ROOT

PUBLIC = ["home", "login", "api-docs"]
ERRORS = ["400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html"]


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", password="correct horse")


@pytest.mark.parametrize("name", [*PUBLIC, "schema"])
def test_public_pages_need_no_account(client, db, name):
    assert client.get(reverse(name)).status_code == 200


def test_health_asks_the_database(client, db, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get("/healthz")

    assert response.json() == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


def test_signing_in_leads_to_the_dashboard(client, ada):
    response = client.post(reverse("login"), {"username": "ada", "password": "correct horse"})

    assert (response.status_code, response["Location"]) == (302, "/gamification")


def test_a_wrong_password_is_said_so(client, ada):
    response = client.post(reverse("login"), {"username": "ada", "password": "wrong"})

    assert "Please enter a correct username and password" in response.content.decode()


def test_guessing_passwords_is_slowed_down(client, ada, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"gamification_login": "2/hour"}}
    guess = {"username": "ada", "password": "wrong"}

    statuses = [client.post(reverse("login"), guess).status_code for _ in range(3)]
    right = client.post(reverse("login"), {"username": "ada", "password": "correct horse"})

    assert statuses == [200, 200, 429]
    assert right.status_code == 429
    assert int(right["Retry-After"]) > 0
    assert "Too many attempts" in right.content.decode()


def test_browsers_find_the_icon_that_they_ask_for(client):
    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")


def test_signing_out_takes_a_post(client, ada):
    client.force_login(ada)

    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout"))["Location"] == reverse("home")
    assert "_auth_user_id" not in client.session


def test_only_staff_are_shown_the_admin(client, ada):
    client.force_login(ada)
    assert reverse("admin:index") not in client.get("/").content.decode()

    User.objects.update(is_staff=True)
    assert reverse("admin:index") in client.get("/").content.decode()


def test_the_example_on_the_landing_page_is_true(client, ada):
    achievements.initialize()
    (markup,) = re.findall(r"<pre.*?<code>(.*?)</code>", client.get("/").content.decode(), re.DOTALL)
    code = html.unescape(re.sub(r"<.*?>", "", markup))
    names: dict[str, Any] = {"user": ada}

    exec(code, names)

    assert f"# {names['receipt'].xp_awarded}" in code
    assert "# (" + ", ".join(f'"{name}"' for name in names["receipt"].achievements_unlocked) + ")" in code


def test_a_page_that_is_not_there_says_so_in_the_sites_look(client, db):
    response = client.get("/nowhere")

    assert response.status_code == 404
    assert "site.css" in response.content.decode()


def test_an_error_of_ours_is_told_without_request_session_or_database(settings):
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {"context_processors": []}}]

    response = server_error(RequestFactory().get("/"))

    text = response.content.decode()
    assert response.status_code == 500
    assert "Something broke on our side" in text
    assert "Sign in" not in text
    assert 'href="">Try again' in text


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl"), ("he", "rtl")])
@pytest.mark.parametrize("name", ["home.html", "404.html", "gamification/standalone.html"])
def test_pages_say_in_which_direction_they_are_read(name, language, direction):
    with override(language):
        assert f'<html lang="{language}" dir="{direction}">' in render_to_string(name)


def test_every_icon_that_is_asked_for_is_in_the_sprite():
    sprite = (ROOT / "project/static/project/icons.svg").read_text()
    asked = set()
    for path in (ROOT / "templates").rglob("*.html"):
        asked |= set(re.findall(r'icon.html" with name="([a-z0-9-]+)"', path.read_text()))

    assert [name for name in {*asked, "check", "snowflake"} if f'id="{name}"' not in sprite] == []


def test_the_page_of_widgets_is_for_developers(client, ada, settings):
    client.force_login(ada)
    assert client.get("/widgets").status_code == 404

    settings.DEBUG = True
    html = client.get("/widgets").content.decode()
    for name in ("level", "streak", "board", "achievements", "calendar"):
        assert f'id="tag-{name}"' in html


@pytest.mark.parametrize("name", ERRORS)
def test_error_pages_need_neither_request_nor_database(name):
    assert "<h1" in render_to_string(name)


def test_the_policy_is_sent(client, db):
    policy = client.get("/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/widgets"])
def test_everybody_can_use_every_width_in_both_directions(
    page, live_server, sign_in, page_problems, ada, settings, path, language
):
    settings.LANGUAGES, settings.LANGUAGE_CODE = [(language, language)], language
    if path == "/widgets":
        settings.DEBUG = True
        achievements.initialize()
        sign_in(ada)
    page.goto(live_server.url + path)

    found = problems_of(page)

    assert found == []
    assert page_problems == []


def test_everybody_can_read_what_went_wrong(page, live_server, page_problems):
    def answer(route):
        # As a page that went well: a browser writes every other status on its console.
        name = route.request.url.rpartition("/")[2]
        route.fulfill(body=render_to_string(name), content_type="text/html; charset=utf-8", status=200)

    page.route(re.compile(r"/\d{3}\w*\.html$"), answer)
    found = []

    for name in ERRORS:
        page.goto(f"{live_server.url}/{name}")
        assert page.locator("h1").count() == 1
        found += problems_of(page, name)

    assert found == []
    assert page_problems == []


def test_the_api_page_shows_the_schema_under_the_policy(page, live_server, page_problems):
    page.goto(live_server.url + reverse("api-docs"))

    page.get_by_text("Gamification").first.wait_for()
    assert page_problems == []


def test_signing_in_and_out_with_the_keyboard_alone(page, live_server, page_problems, ada):
    page.goto(live_server.url + reverse("login"))
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_url("**/gamification")

    page.get_by_role("button", name="Sign out").press("Enter")
    page.wait_for_url(f"{live_server.url}/")

    assert page_problems == []


def test_the_page_of_the_api_can_only_be_read(client, db):
    assert [client.options("/api/docs/").status_code, client.get("/api/docs/").status_code] == [405, 200]

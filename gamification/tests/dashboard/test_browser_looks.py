"""The pages in a real browser: profiles, languages that run from right to left, words that are longer, keys alone."""

from __future__ import annotations

import pytest

from gamification.services import profiles, xp
from gamification.tests.dashboard.test_browser import violations, visit
from gamification.tests.factories import UserFactory
from gamification.tests.looks import WIDTHS

pytestmark = pytest.mark.browser

PAGES = ["", "/achievements", "/settings", "PROFILE"]
#: Makes every text 40 % longer, as another language may.
LENGTHEN = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
        const words = text.data.trim();
        if (/[a-z]/i.test(words)) text.data = `${words} ${words.slice(0, Math.ceil(words.length * 0.4))} `;
    }
}"""
#: Names what sticks out of the page or of the card that it stands in; what scrolls by itself may.
STICKING_OUT = """() => [...document.querySelectorAll(".gx-card *, .site-bar *")].filter((it) => {
    const card = it.closest(".gx-card, .site-bar").getBoundingClientRect();
    const box = it.getBoundingClientRect();
    const isFree = it.closest(".gx-year__scroll, .gx-sr, .gx-details, svg") || getComputedStyle(it).position === "fixed"
        || it.closest(".site-nav");
    return !isFree && box.width > 1 && (box.left < card.left - 1 || box.right > card.right + 1);
}).map((it) => it.outerHTML.slice(0, 150))"""


@pytest.fixture
def proud(lively):
    """Return somebody lively with a public profile, and a neighbour with a name that is much too long."""
    profiles.share(lively, is_public=True, showcase=["first_scenario", "week_warrior"])
    xp.award(UserFactory.create(username="x_much_too_long_for_any_column" * 4), 500, reason="start", key="start")
    return lively


def open_page(page, live_server, person, path):
    return visit(page, live_server, f"/people/{profiles.sharing(person).slug}" if path == "PROFILE" else path)


@pytest.mark.parametrize("path", PAGES)
def test_from_right_to_left_nothing_sticks_out(page, live_server, sign_in, proud, settings, path):
    settings.LANGUAGES, settings.LANGUAGE_CODE = [("ar", "Arabic")], "ar"
    sign_in(proud)
    page.emulate_media(reduced_motion="reduce")
    found = []

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        open_page(page, live_server, proud, path)
        assert page.evaluate("document.documentElement.dir") == "rtl"
        found += [f"{width}: {thing}" for thing in page.evaluate(STICKING_OUT)]
        found += [f"{width}: {violation}" for violation in violations(page)]
        found += [f"{width}: wider than the screen"] * page.evaluate("document.body.scrollWidth > innerWidth")

    assert found == []
    bar, content = page.locator(".site-bar").bounding_box(), page.locator(".site-main").bounding_box()
    assert bar["x"] > content["x"], "the bar is where reading begins"


def test_from_right_to_left_time_runs_that_way(page, live_server, sign_in, proud, settings):
    settings.LANGUAGES, settings.LANGUAGE_CODE = [("he", "Hebrew")], "he"
    sign_in(proud)
    page.set_viewport_size({"width": 1280, "height": 900})
    visit(page, live_server)

    today, month_ago = (page.locator(".gx-chart__day").nth(at).bounding_box() for at in (-1, 0))
    assert today["x"] < month_ago["x"]
    newest, oldest = page.locator(".gx-day--today").bounding_box(), page.locator("td.gx-day").first.bounding_box()
    assert newest["x"] < oldest["x"]
    assert "\u200e+" in page.locator(".gx-sum dd").first.inner_text()


@pytest.mark.parametrize("path", PAGES)
def test_words_that_are_longer_have_room(page, live_server, sign_in, proud, path):
    sign_in(proud)
    found = []

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        open_page(page, live_server, proud, path)
        page.evaluate(LENGTHEN)
        found += [f"{width}: {thing}" for thing in page.evaluate(STICKING_OUT)]
        found += [f"{width}: wider than the screen"] * page.evaluate("document.body.scrollWidth > innerWidth")

    assert found == []


def test_names_that_are_too_long_end_in_an_ellipsis_on_one_line(page, live_server, sign_in, proud):
    sign_in(proud)
    page.set_viewport_size({"width": 1280, "height": 900})
    visit(page, live_server)

    handle = page.locator(".gx-player__handle[title^=x_much]")

    assert handle.evaluate("it => it.scrollWidth > it.clientWidth")
    assert handle.bounding_box()["height"] < 30


def test_a_profile_is_shared_and_renewed_with_the_keyboard_alone(page, live_server, sign_in, page_problems, lively):
    sign_in(lively)
    visit(page, live_server, "/settings")
    page.get_by_label("Show my profile to everybody who has the link").focus()

    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Week Warrior")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Your profile is public now.").wait_for()
    before = page.locator("#gx-profile-url").input_value()
    page.locator("#gx-profile-url").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Your profile has a new link.").wait_for()

    after = page.locator("#gx-profile-url").input_value()
    assert after != before
    assert profiles.sharing(lively).showcase == ("week_warrior",)
    assert page.goto(before).status == 404
    page_problems[:] = [problem for problem in page_problems if "404" not in problem]
    assert page.goto(after).status == 200
    assert page_problems == []


def test_the_numbers_behind_the_line_unfold_without_javascript(browser, live_server, context, sign_in, lively):
    sign_in(lively)
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())
    page = visit(plain.new_page(), live_server)

    page.get_by_text("Show the numbers").click()

    assert page.locator(".gx-table tbody tr").count() == 30
    assert page.locator(".gx-table tbody tr").first.is_visible()
    plain.close()

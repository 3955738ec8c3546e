"""The pages in a real browser: for everybody's eyes and ears, on every width, with and without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from gamification.services import profiles, streaks
from gamification.tests.dashboard.conftest import act_on
from gamification.tests.factories import UserFactory
from gamification.tests.looks import problems_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PATHS = ["", "/achievements", "/settings"]


def visit(page: Page, live_server, path: str = "") -> Page:
    response = page.goto(f"{live_server.url}/gamification{path}")
    assert response is not None
    assert response.ok
    return page


def violations(page: Page) -> list[str]:
    """Return what axe finds, one line for each element; without loading sheets once more, which a policy refuses."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(("who", "paths"), [("empty", PATHS), ("lively", [*PATHS, "PROFILE"])])
def test_everybody_can_use_it_on_every_width(page, live_server, sign_in, page_problems, lively, who, paths):
    person = lively if who == "lively" else UserFactory.create(username=who)
    profile = profiles.share(lively, is_public=True, showcase=["first_scenario", "week_warrior"])
    sign_in(person)
    found = []

    for path in paths:
        visit(page, live_server, f"/people/{profile.slug}" if path == "PROFILE" else path)
        found += problems_of(page, path)

    assert found == []
    assert page_problems == []


def test_boards_are_switched_without_loading_the_page_again(page, live_server, sign_in, page_problems, lively):
    sign_in(lively)
    visit(page, live_server)
    page.evaluate("window.isSamePage = true")

    page.get_by_role("link", name="Streak", exact=True).click()

    page.locator("#gx-metric-streak_current[aria-current]").wait_for()
    assert page.locator("#gx-board caption").inner_text() == "Current streak"
    assert page.url.endswith("/gamification?metric=streak_current")
    assert page.evaluate("window.isSamePage")
    assert page.evaluate("document.activeElement.id") == "gx-board-streak", "the focus stays"
    assert page_problems == []


def test_the_way_back_leads_to_the_board_before(page, live_server, sign_in, lively):
    sign_in(lively)
    visit(page, live_server)
    page.get_by_role("link", name="Streak", exact=True).click()
    page.locator("#gx-metric-streak_current[aria-current]").wait_for()

    page.go_back()

    page.locator("#gx-metric-xp_all_time[aria-current]").wait_for()
    expect(page.locator("h1")).to_have_count(1)


def test_achievements_are_filtered_without_loading_the_page_again(page, live_server, sign_in, page_problems, lively):
    sign_in(lively)
    visit(page, live_server)
    page.evaluate("window.isSamePage = true")

    page.get_by_role("link", name="Vocabulary").click()

    page.locator("#gx-category-vocabulary[aria-current]").wait_for()
    expect(page.locator(".gx-badge")).to_have_count(3)
    assert page.evaluate("window.isSamePage")
    assert page_problems == []


def test_all_of_it_works_without_javascript(browser, live_server, context, sign_in, lively):
    sign_in(lively)
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())
    page = visit(plain.new_page(), live_server)

    page.get_by_role("link", name="Streak", exact=True).click()
    expect(page.locator("#gx-metric-streak_current[aria-current]")).to_have_count(1)

    page.get_by_role("link", name="Vocabulary").click()
    expect(page.locator(".gx-badge")).to_have_count(3)
    expect(page.locator("#gx-metric-streak_current[aria-current]"), "one choice keeps the other").to_have_count(1)
    plain.close()


def test_a_day_is_counted_and_celebrated(page, live_server, sign_in, page_problems, ada):
    sign_in(ada)
    visit(page, live_server)

    page.get_by_role("button", name="I’m here today").click()

    page.get_by_text("Day 1 of your streak!").wait_for()
    page.locator("canvas.gx-confetti").wait_for(state="attached")
    page.locator("canvas.gx-confetti").wait_for(state="detached")
    assert streaks.status(ada).current == 1
    assert violations(page) == []
    assert page_problems == []


def test_nothing_flies_for_people_who_want_it_quiet(page, live_server, sign_in, ada):
    sign_in(ada)
    page.emulate_media(reduced_motion="reduce")
    visit(page, live_server)

    page.get_by_role("button", name="I’m here today").click()

    page.get_by_text("Day 1 of your streak!").wait_for()
    page.locator("canvas").wait_for(state="detached")
    assert page.locator(".gx-flame").evaluate("flame => getComputedStyle(flame).animationName") == "none"


def test_everything_can_be_reached_with_the_keyboard(page, live_server, sign_in, lively):
    person = UserFactory.create(username="risk")
    act_on(person, [1, 2])
    sign_in(person)
    visit(page, live_server)
    reached = []

    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                    const it = document.activeElement;
                    const ring = getComputedStyle(it);
                    const isSeen = ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2;
                    return it.closest(".gx") ? [it.id || it.className || it.innerText.trim(), isSeen] : ["", true];
                }"""
            )
        )

    names = [name for name, _ in reached]
    assert [name for name, is_seen in reached if not is_seen] == []
    assert {
        "gx-btn",
        "gx-btn gx-btn--primary",
        "gx-category-streaks",
        "gx-metric-xp_weekly",
        "gx-more",
        "gx-year__scroll",
    } <= set(names)


def test_the_newest_weeks_are_what_a_phone_shows(page, live_server, sign_in, lively):
    sign_in(lively)
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, live_server)

    box = page.locator(".gx-day--today").bounding_box()

    assert box is not None
    assert 0 < box["x"] < 390

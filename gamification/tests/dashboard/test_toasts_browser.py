"""Toasts in a real browser: told to everybody, dismissed by hand or key, in nobody's way."""

from __future__ import annotations

import pytest

from gamification.services import activities
from gamification.tests.dashboard.test_browser import visit
from gamification.tests.factories import AchievementFactory
from gamification.tests.looks import problems_of

pytestmark = pytest.mark.browser

WORDS = "A name that is rather long, for an achievement at least"


@pytest.fixture
def unlocked(ada):
    """Have ``ada`` unlock two achievements and reach a level."""
    AchievementFactory(name="First Word", icon="📝", metric="words_learned", xp_reward=70)
    AchievementFactory(name=WORDS, icon="🏅", metric="words_learned", xp_reward=70)
    activities.record(ada, "words_learned", key="a")
    return ada


def test_they_stack_and_are_told_as_they_come(page, live_server, sign_in, page_problems, unlocked):
    sign_in(unlocked)
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
            window.told = [];
            const watcher = new MutationObserver((changes) => changes.forEach((change) =>
                change.addedNodes.forEach((node) => change.target.role === "status" && told.push(node.innerText))));
            watcher.observe(document.body, { childList: true, subtree: true });
        });"""
    )
    visit(page, live_server)

    page.get_by_role("status").get_by_text("First Word").first.wait_for()

    assert page.locator(".gx-toast").count() == 3
    assert len(page.evaluate("told")) == 3
    assert page.evaluate("document.activeElement === document.body"), "the focus stays"
    page.locator("canvas.gx-confetti").wait_for(state="attached")
    visit(page, live_server)
    assert page.locator(".gx-toast").count() == 0
    assert page_problems == []


def test_they_are_dismissed_by_hand_one_by_one(page, live_server, sign_in, unlocked):
    sign_in(unlocked)
    visit(page, live_server)

    page.get_by_role("button", name="Dismiss: First Word").click()

    assert page.locator(".gx-toast").count() == 2


def test_they_are_dismissed_by_key_and_the_focus_goes_on(page, live_server, sign_in, unlocked):
    sign_in(unlocked)
    visit(page, live_server)
    page.get_by_role("button", name="Dismiss: Novice").focus()

    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.innerText") == "Dismiss: First Word"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    assert page.locator(".gx-toast").count() == 0
    assert page.evaluate("document.activeElement.localName") == "main"


def test_nothing_moves_for_people_who_want_it_quiet(page, live_server, sign_in, unlocked):
    sign_in(unlocked)
    page.emulate_media(reduced_motion="reduce")
    visit(page, live_server)
    page.locator(".gx-toast").first.wait_for()

    page.locator("canvas").wait_for(state="detached")
    animation = page.locator(".gx-toast").first.evaluate("toast => getComputedStyle(toast).animationName")
    assert animation == "none"


def test_without_javascript_they_stand_in_the_page(browser, live_server, context, sign_in, unlocked):
    sign_in(unlocked)
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())

    page = visit(plain.new_page(), live_server)

    toasts, title = page.locator(".gx-toasts").bounding_box(), page.locator("h1").bounding_box()
    assert toasts["y"] + toasts["height"] <= title["y"]
    assert page.locator(".gx-toast__close").first.is_hidden()
    plain.close()


def test_everybody_can_use_them_on_every_width(page, live_server, sign_in, page_problems, unlocked):
    sign_in(unlocked)
    page.emulate_media(reduced_motion="reduce")
    visit(page, live_server)
    page.locator(".gx-toast").first.wait_for()

    found = problems_of(page)

    assert found == []
    assert page_problems == []


def test_any_page_of_the_site_shows_them_in_our_looks(page, live_server, sign_in, page_problems, unlocked):
    sign_in(unlocked)
    page.goto(live_server.url)

    page.locator(".gx-toasts--floating .gx-toast").first.wait_for()

    assert page.locator(".gx-toast").first.evaluate("toast => getComputedStyle(toast).display") == "flex"
    assert page_problems == []

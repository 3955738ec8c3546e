"""A visit from signing in to signing out: by the keys alone, and with the mouse where no script runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gamification.services import profiles, streaks
from gamification.tests.dashboard.conftest import act_on
from gamification.tests.factories import AchievementFactory

pytestmark = pytest.mark.browser

PASSWORD = "correct horse"
#: Tells what has the focus, and whether that can be seen: by a ring, or by a bar that moves into sight.
FOCUSED = r"""() => {
    const it = document.activeElement;
    const look = getComputedStyle(it), box = it.getBoundingClientRect();
    const hasRing = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2 || look.boxShadow !== "none";
    const words = it.labels?.[0]?.innerText ?? it.innerText ?? "";
    const isInSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return { tag: it.localName, id: it.id, words: words.trim().replace(/:$/, ""), isSeen: hasRing && isInSight };
}"""
STOPS = 90


@pytest.fixture
def risk(ada):
    """Return ``ada`` with a password, a streak that today would end, and something that today unlocks."""
    AchievementFactory(name="Three Days", achievement_id="three_days", metric="current_streak", value=3)
    AchievementFactory(name="First Word", metric="words_learned", category="vocabulary", value=5)
    act_on(ada, [1, 2])
    ada.set_password(PASSWORD)
    ada.save()
    return ada


class Keys:
    """Hands that hold no mouse: they go from stop to stop, and see at each where they are."""

    def __init__(self, page):
        self.page, self.unseen = page, []

    def at(self):
        return self.page.evaluate(FOCUSED)

    def go_to(self, words="", *, element_id="", key="Tab"):
        """Press ``key`` until what has these words or this id has the focus."""
        passed = []
        for _ in range(STOPS):
            self.page.keyboard.press(key)
            stop = self.at()
            if stop["tag"] == "body":
                continue  # from the last stop through the browser's own to the first
            passed.append(stop["words"] or stop["id"])
            if not stop["isSeen"]:
                self.unseen.append(stop)
            if stop["id"] == element_id if element_id else stop["words"] == words:
                return
        pytest.fail(f"{words or element_id} is not among {passed}")

    def press(self, key, *, then):
        """Press ``key`` and wait for ``then``, an address or a locator; only a new page may take the focus away."""
        if isinstance(then, str):
            with self.page.expect_navigation(url=then):
                self.page.keyboard.press(key)
            return
        self.page.keyboard.press(key)
        then.wait_for()
        assert self.at()["tag"] != "body", "the focus is lost"


def test_a_whole_visit_by_keyboard_alone(page, live_server, page_problems, risk):
    keys = Keys(page)
    page.goto(f"{live_server.url}/accounts/login/?next=/gamification")
    page.keyboard.type("ada")
    keys.go_to("Password")
    page.keyboard.type(PASSWORD)
    keys.press("Enter", then="**/gamification")

    keys.go_to("I’m here today")
    keys.press("Enter", then="**/gamification")
    page.get_by_text("3 days in a row!").wait_for()
    page.locator(".gx-toast").first.wait_for()
    toasts = page.locator(".gx-toast").count()
    keys.go_to("Dismiss: Three Days")
    page.keyboard.press("Enter")
    assert page.locator(".gx-toast").count() == toasts - 1
    while page.locator(".gx-toast").count():
        assert keys.at()["words"].startswith("Dismiss"), "the focus goes on to the next"
        page.keyboard.press("Escape")
    assert keys.at()["tag"] == "main"

    keys.go_to(element_id="gx-category-vocabulary")
    keys.press("Enter", then=page.locator("#gx-category-vocabulary[aria-current]"))
    assert keys.at()["id"] == "gx-category-vocabulary"
    keys.go_to(element_id="gx-board-streak")
    keys.press("Enter", then=page.locator("#gx-board-streak[aria-current]"))
    assert keys.at()["id"] == "gx-board-streak"
    keys.go_to(element_id="gx-metric-streak_longest")
    keys.press("Enter", then=page.locator("#gx-metric-streak_longest[aria-current]"))
    assert keys.at()["id"] == "gx-metric-streak_longest"

    keys.go_to("Settings")
    keys.press("Enter", then="**/settings")
    keys.go_to("Time zone")
    page.keyboard.type("Tokyo")
    keys.go_to("Save")
    keys.press("Enter", then="**/settings*")
    assert streaks.timezone(risk) == "Asia/Tokyo"
    keys.go_to("Show my profile to everybody who has the link")
    page.keyboard.press("Space")
    keys.go_to("First achievement")
    page.keyboard.press("ArrowDown")
    keys.go_to("Save profile")
    keys.press("Enter", then="**/settings*")
    assert profiles.sharing(risk).is_public
    keys.go_to("Look at it")
    keys.press("Enter", then="**/people/*")
    page.get_by_role("heading", name="Three Days").wait_for()

    keys.go_to("Sign out", key="Shift+Tab")
    keys.press("Enter", then=f"{live_server.url}/")

    assert keys.unseen == []
    assert page_problems == []


def test_the_same_visit_where_no_script_runs(browser, live_server, risk):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    outside = []
    page.on("request", lambda request: outside.append(request.url) if live_server.url not in request.url else None)
    page.goto(f"{live_server.url}/accounts/login/?next=/gamification")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()

    page.get_by_role("button", name="I’m here today").click()
    page.get_by_text("3 days in a row!").wait_for()
    page.locator(".gx-toast").first.wait_for()
    page.locator("#gx-board-streak").click()
    page.locator("#gx-metric-streak_longest").click()
    expect(page.locator("#gx-board caption")).to_have_text("Longest streak")
    expect(page.locator(".gx-toast"), "a toast is shown once, for it cannot be dismissed").to_have_count(0)
    page.locator("#gx-category-vocabulary").click()
    expect(page.locator(".gx-badge")).to_have_count(1)

    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Your settings are saved.").wait_for()
    page.get_by_label("Show my profile to everybody").check()
    page.get_by_label("First achievement").select_option("three_days")
    page.get_by_role("button", name="Save profile").click()
    page.get_by_role("link", name="Look at it").click()
    page.get_by_role("heading", name="Three Days").wait_for()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in", exact=True).wait_for()
    assert streaks.timezone(risk) == "Asia/Tokyo"
    assert outside == []
    context.close()

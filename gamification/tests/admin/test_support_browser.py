"""The page for support, and what staff do from it, in a browser: for everybody, on every width."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from gamification.services import achievements, activities, excuses, streaks, xp
from gamification.tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (320, 768, 1280)
#: Where to keep pictures to be looked at.
PICTURES = os.environ.get("ADMIN_PICTURES", "")


@pytest.fixture
def eve(root):
    """Return somebody who lost a streak and came back, with a date excused since."""
    achievements.initialize()
    user, now = UserFactory(username="eve"), timezone.now()
    data = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}
    for ago in (40, *range(30, 18, -1), 17, 9, 8, 6, 3, 1):
        at = now - timedelta(days=ago)
        activities.record(user, "scenario_completed", key=f"{ago}", data=data, occurred_at=at, now=at)
    excuses.excuse_date((now - timedelta(days=7)).date(), reason="the servers were down", actor=root)
    xp.award(user, 1200, reason="helped others in the forum", key="k", actor=root)
    achievements.unlock(user, "night_owl", reason="won a contest", actor=root)
    streaks.set_timezone(user, "Europe/Berlin")
    return user


def pages(user):
    def page(name, *args):
        return reverse(f"admin:gamification_{name}", args=args)

    return {
        "support": page("userstreak_change", user.pk),
        "award": f"{page('xptransaction_award')}?users={user.pk}",
        "grant": f"{page('userachievement_grant')}?users={user.pk}",
        "set-timezone": f"{page('userstreak_set_timezone')}?users={user.pk}",
        "excuse": page("excuseddate_excuse"),
        "excused": page("excuseddate_changelist"),
        "backlog": page("queuedactivity_changelist"),
    }


@pytest.fixture
def violations(page):
    def _violations():
        """Return what axe finds in what is ours: the stock admin around it has findings of its own."""
        ours = {"include": [["#content-main"]], "exclude": [[".select2-container"], ["#changelist-search"]]}
        found = Axe().run(page, context=ours).response["violations"]
        return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]

    return _violations


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_pages_on_every_width(page, live_server, sign_in, violations, root, eve, scheme):
    sign_in(root)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = []

    for name, address in pages(eve).items():
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(live_server.url + address)
            page.wait_for_load_state("networkidle")
            found += [f"{name} {width}: {violation}" for violation in violations()]
            found += [f"{name} {width}: wider than the screen"] * page.evaluate(
                "document.body.scrollWidth > innerWidth"
            )
            if PICTURES:
                page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}-{width}.png", full_page=True)

    assert found == []


def test_why_a_streak_was_lost_is_the_first_thing_to_be_read(page, live_server, sign_in, root, eve):
    sign_in(root)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(live_server.url + pages(eve)["support"])

    answer = page.locator(".gamification-answer")

    assert "ended on" in answer.inner_text()
    assert answer.bounding_box()["y"] < 500


def test_a_person_is_helped_with_the_keyboard_alone(page, live_server, sign_in, page_problems, root, eve):
    sign_in(root)
    page.goto(live_server.url + pages(eve)["support"])

    page.get_by_role("link", name="Award XP").focus()
    page.keyboard.press("Enter")
    page.locator("#id_amount").focus()
    page.keyboard.type("25")
    page.keyboard.press("Tab")
    page.keyboard.type("made up for it")
    page.keyboard.press("Enter")
    page.wait_for_url("**/userstreak/**")

    assert "+25 XP were booked for eve" in page.locator(".messagelist").inner_text()
    assert "made up for it" in page.locator("#content").inner_text()
    assert [problem for problem in page_problems if "favicon" not in problem] == []


def test_a_date_is_excused_in_two_steps(page, live_server, sign_in, root, eve):
    sign_in(root)
    page.goto(live_server.url + pages(eve)["excuse"])
    page.locator("#id_date").fill((timezone.now() - timedelta(days=5)).date().isoformat())
    page.locator("#id_reason").fill("a second outage")

    page.get_by_role("button", name="Preview").click()
    seen = page.locator("#content-main").inner_text()
    page.get_by_role("button", name="Excuse this date").click()

    assert "People who had a streak then or since: 1." in seen
    assert "is excused" in page.locator(".messagelist").inner_text()
    assert "changed: 1" in page.locator("#result_list").inner_text()

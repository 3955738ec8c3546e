"""The page for support, and what staff do from it, in a browser: for everybody, on every width."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from gamification.services import achievements, activities, excuses, streaks, xp
from gamification.tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
    page.get_by_role("button", name="Excuse this date").wait_for()
    seen = page.locator("#content-main").inner_text()
    page.get_by_role("button", name="Excuse this date").click()

    assert "People who had a streak then or since: 1." in seen
    assert "is excused" in page.locator(".messagelist").inner_text()
    assert "changed: 1" in page.locator("#result_list").inner_text()

"""A day of staff, with the mouse alone, from a database without a single achievement: what it takes in clicks."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from gamification.models import Achievement, UserAchievement
from gamification.services import activities
from gamification.tests.admin.hand import Hand
from gamification.tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: The most clicks that each task may take, a field to type in and each end of a list included.
CEILINGS = {"sign in": 2, "make": 14, "back-fill": 1, "undo": 2, "streak": 4, "monitoring": 4}
#: Where to keep pictures to be looked at.
PICTURES = os.environ.get("ADMIN_PICTURES", "")


@pytest.fixture
def people(db):
    """Have a dozen people with words and scenarios, and one, eve, who was away for longer than freezes last."""
    now = timezone.now()
    for number in range(12):
        user = UserFactory(username=f"learner{number:02}")
        activities.record(user, "words_learned", key="words", quantity=20 + number)
        for scenario in range(3):
            activities.record(user, "scenario_completed", key=f"s{scenario}", data={"difficulty": "beginner"})
    eve = UserFactory(username="eve")
    for ago in (*range(30, 20, -1), 9, 8):
        at = now - timedelta(days=ago)
        activities.record(eve, "daily_visit", key=f"{ago}", occurred_at=at, now=at)


@pytest.fixture
def hand(page, live_server, django_user_model, people):
    """Return a hand before the page on which a superuser signs in."""
    django_user_model.objects.create_superuser("root", password="correct horse")
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the project's business
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(live_server.url + reverse("admin:index"))
    page.set_default_timeout(5000)
    return Hand(page)


def look(page, name):
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"story-{name}.png", full_page=True)


def sign_in(hand):
    page = hand.page
    hand.write(page.get_by_label("Username"), "root")
    hand.write(page.get_by_label("Password"), "correct horse")
    hand.click(page.get_by_role("button", name="Log in"))
    look(page, "index")


def go_home(page):
    """Go where each task begins."""
    page.get_by_role("link", name="Home").click()


def make(hand):
    """Make an achievement of two conditions with an icon from the picker, up to the page that previews it."""
    page = hand.page
    hand.click(page.locator(".model-achievement").get_by_role("link", name="Add"))
    look(page, "add")
    hand.write(page.get_by_label("Name:", exact=True), "Steady Learner")
    assert page.get_by_label("Id:", exact=True).input_value() == "steady-learner", "nobody has to think of an id"
    hand.write(page.get_by_label("Description"), "Words and scenarios")
    hand.click(page.get_by_text("Choose an icon"))
    hand.click(page.locator("label", has=page.get_by_role("radio", name="Owl", exact=True)))
    hand.choose(page.get_by_label("Category"), "vocabulary")
    hand.choose(page.get_by_label("Condition 1: what counts"), "Words learned")
    hand.write(page.get_by_label("Condition 1: at least"), "20")
    hand.click(page.get_by_role("button", name="Add a condition to Conditions"))
    hand.choose(page.get_by_label("Condition 2: what counts"), "Scenarios completed")
    hand.write(page.get_by_label("Condition 2: at least"), "3")
    page.locator("#gamification-sentence", has_text="Learn 20 words and complete 3 scenarios").wait_for()
    look(page, "filled")
    hand.click(page.get_by_role("button", name="Save", exact=True))
    page.get_by_text("People who would unlock it at once").wait_for()
    look(page, "preview")


def test_a_day_of_staff_takes_few_clicks(hand, page_problems):
    page, taken = hand.page, {}

    sign_in(hand)
    taken["sign in"] = hand.done()
    make(hand)
    taken["make"] = hand.done()

    assert page.locator(".gamification-figures dd").all_inner_texts()[0] == "12"
    hand.click(page.get_by_role("button", name="Save and unlock for them now"))
    page.get_by_text("Finished: unlocked for 12 people.").wait_for()
    look(page, "run")
    taken["back-fill"] = hand.done()
    assert UserAchievement.objects.unlocked().count() == 12

    hand.click(page.get_by_role("link", name="Undo"))
    look(page, "undo")
    hand.click(page.get_by_role("button", name="Retire the achievement and undo"))
    page.get_by_text("Undone for 12 people.").wait_for()
    look(page, "undone")
    taken["undo"] = hand.done()
    assert UserAchievement.objects.unlocked().count() == 0

    go_home(page)
    hand.click(page.get_by_role("link", name="Streaks", exact=True))
    look(page, "streaks")
    hand.write(page.locator("#searchbar"), "eve")
    hand.click(page.get_by_role("button", name="Search"))
    hand.click(page.locator("#result_list").get_by_role("link", name="eve", exact=True))
    look(page, "support")
    taken["streak"] = hand.done()
    assert "ended on" in page.locator(".gamification-answer").inner_text()
    tops = (
        page.locator(".gamification-facts")
        .first.locator("> div")
        .evaluate_all("all => all.map(each => each.getBoundingClientRect().top)")
    )
    assert len(set(tops)) == 1, "the figures stand side by side"
    assert page.locator(".breadcrumbs").inner_text().endswith("eve")

    go_home(page)
    hand.click(page.get_by_role("link", name="Achievements", exact=True))
    hand.click(page.get_by_role("button", name="Seed the shipped achievements"))
    page.get_by_text("27 created").wait_for()
    look(page, "seeded")
    assert Achievement.objects.count() == 28
    go_home(page)
    look(page, "home2")
    hand.click(page.get_by_role("link", name="Monitoring"))
    look(page, "monitoring-empty")
    hand.click(page.get_by_role("button", name="Compute them now"))
    look(page, "monitoring")
    taken["monitoring"] = hand.done()

    assert {task: (clicks, CEILINGS[task]) for task, clicks in taken.items() if clicks > CEILINGS[task]} == {}
    assert page_problems == []

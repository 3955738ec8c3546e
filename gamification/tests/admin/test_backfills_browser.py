"""Previews and back-fills in a real browser: on every width, in light and dark, with and without scripts."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from gamification.models import Achievement, BackfillRun
from gamification.services import activities, backfills
from gamification.tests.factories import AchievementFactory, UserFactory, condition
from gamification.tests.looks import problems_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(db):
    """Have a dozen people who have learned 20 words."""
    for number in range(12):
        activities.record(UserFactory(username=f"learner{number}"), "words_learned", key="words", quantity=20)


@pytest.fixture
def signed_in(page, sign_in, root, people):
    """Return the page with a superuser signed in."""
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the project's business
    sign_in(root)
    return page


def fill_in(page, live_server) -> None:
    """Fill in the form of a new definition, its condition as text, and send it."""
    page.goto(live_server.url + reverse("admin:gamification_achievement_add"))
    toggle = page.get_by_role("button", name="Edit as JSON")
    if toggle.count():
        toggle.click()
    page.locator("#id_achievement_id").fill("twenty_words")
    page.locator("#id_name").fill("Twenty Words")
    page.locator("#id_category").select_option("vocabulary")
    page.locator("#id_conditions").fill(json.dumps(condition("words_learned", 20)))
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_rule_is_previewed_back_filled_and_undone(signed_in, live_server, page_problems):
    page = signed_in
    fill_in(page, live_server)
    page.get_by_text("People who would unlock it at once").wait_for()
    found = problems_of(page, "preview")

    page.get_by_role("button", name="Save and unlock for them now").click()
    page.get_by_text("Finished: unlocked for 12 people.").wait_for()
    found += problems_of(page, "run")
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("heading", name="Undo a back-fill").wait_for()
    found += problems_of(page, "undo")
    page.get_by_role("button", name="Retire the achievement and undo").click()
    page.get_by_text("Undone for 12 people.").wait_for()

    assert found + problems_of(page, "undone") == []
    assert page_problems == []


def test_without_scripts_it_is_the_same(browser, live_server, context, sign_in, root, people):
    sign_in(root)
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())
    page = plain.new_page()

    fill_in(page, live_server)
    page.get_by_role("button", name="Back to the form").click()
    assert page.locator("#id_name").input_value() == "Twenty Words"
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save and unlock for them now").click()

    page.get_by_text("Finished: unlocked for 12 people.").wait_for()
    plain.close()


def test_an_open_run_goes_on_while_it_is_looked_at(signed_in, live_server, page_problems):
    AchievementFactory(achievement_id="words", conditions=condition("words_learned", 20))
    run = backfills.start("words", in_background=False)

    signed_in.goto(live_server.url + reverse("admin:gamification_backfillrun_change", args=[run.pk]))

    signed_in.get_by_text("Finished: unlocked for 12 people.").wait_for()
    assert BackfillRun.objects.get().status == "finished"
    assert Achievement.objects.count() == 1
    assert page_problems == []

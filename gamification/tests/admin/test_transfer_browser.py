"""Import and export in a browser: a file goes out, comes back changed, and is looked at before it counts."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from gamification.models import Achievement
from gamification.services import achievements
from gamification.tests.looks import problems_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULE = {"v": 1, "any": [{"metric": "level", "op": "gte", "value": 3}]}


@pytest.fixture
def listed(live_server, page, sign_in, root):
    """Return the page with the list of definitions, and a superuser signed in."""
    achievements.initialize()
    sign_in(root)
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the project's business
    page.goto(live_server.url + reverse("admin:gamification_achievement_changelist"))
    return page


def choose(page, rows):
    content = json.dumps(rows).encode()
    page.get_by_label("File:").set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": content})
    page.get_by_role("button", name="Show what changes").click()


def test_a_file_goes_out_and_comes_back_changed(listed, page_problems):
    page = listed
    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_label("JSON").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    rows = json.loads(download.value.path().read_text())
    rows[0]["name"], rows[1]["conditions"] = "The very first", RULE
    page.goto(page.url.replace("export", "import"))

    choose(page, rows)
    page.get_by_role("button", name="Import 2 achievements").wait_for()

    assert "2 would change" in page.locator("#content").inner_text()
    assert "Complete 5 scenarios in any language.\n" in page.locator("del").nth(1).inner_text()
    assert "Reach level 3." in page.locator("ins").nth(1).inner_text()
    page.get_by_role("button", name="Import 2 achievements").click()
    assert "2 achievements were imported." in page.locator(".messagelist").inner_text()
    assert Achievement.objects.get(achievement_id="first_scenario").name == "The very first"
    assert Achievement.objects.get(achievement_id="scenario_explorer").conditions == RULE
    assert page_problems == []


def test_everybody_can_use_it_on_every_width(listed, page_problems):
    page = listed
    address = f"{page.url}import/"
    good = [
        {"achievement_id": "polyglot", "conditions": RULE},
        {"achievement_id": "x", "name": "X" * 90, "category": "special", "conditions": RULE},
    ]
    page.goto(address)
    choose(page, good)
    page.locator("ins").first.wait_for()
    found = problems_of(page, "what changes")
    page.goto(address)
    choose(page, [{"achievement_id": "polyglot", "xp_reward": "lots"}])
    page.get_by_text("Enter a whole number.").wait_for()

    found += problems_of(page, "what is wrong")

    assert found == []
    assert page_problems == []

"""The monitoring page in a browser: legible at every width, by every means, under the policy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from gamification.services import activities, figures, leaderboards

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

URL = "/admin/gamification/dailyfigure/"


@pytest.fixture
def signed_in(page, sign_in, root):
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the project's business
    sign_in(root)
    return page


@pytest.fixture
def busy(ada):
    for ago in range(12, -1, -1):
        at = timezone.now() - timedelta(days=ago)
        activities.record(ada, "scenario_completed", key=f"s{ago}", data={"difficulty": "beginner"}, now=at)
    leaderboards.rank(ada, "xp_all_time")
    figures.refresh()


def test_lines_differ_without_their_colours(signed_in, live_server, busy):
    signed_in.goto(live_server.url + URL)

    figure = signed_in.locator("figure").first
    dashes = figure.locator("polyline").evaluate_all(
        "all => all.map(each => [each.getAttribute('class'), getComputedStyle(each).strokeDasharray])"
    )

    styles = dict(dashes)
    assert len(styles) == 3
    assert len(set(styles.values())) == 3


def test_the_page_is_read_and_filled_with_the_keyboard_alone(signed_in, live_server, page_problems, ada):
    signed_in.goto(live_server.url + URL)

    signed_in.get_by_role("button", name="Compute them now").press("Enter")
    assert "The figures are up to date." in signed_in.locator(".messagelist").inner_text()
    signed_in.get_by_role("link", name="7 days").press("Enter")
    signed_in.wait_for_url("**?days=7")
    summary = signed_in.locator("summary").first
    summary.press("Enter")

    expect(signed_in.locator("figure tbody").first.locator("tr")).to_have_count(7)
    assert signed_in.locator("figure table").first.is_visible()
    assert page_problems == []

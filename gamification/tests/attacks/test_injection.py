"""Scripts in every text that people and staff can set: shown, everywhere, and run nowhere.

The page runs without its policy, which would stop most of them: it is the second lock, not the first.
The script ``benchmarks.faults.injection`` tries each text in each field.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from gamification.tests.attacks import callers, payloads, world
from gamification.tests.attacks.doors import ANYBODY, DOORS, USER

PAGES = [door for door in DOORS if door.method == "GET" and door.status == 200 and not door.is_of_api]
#: What is saved and not shown, and pages without a text of anybody's.
UNSHOWN = ("card.png", "export/", "settings/data", "api/", "healthz", "jsi18n/", "password", "add/", "autocomplete/")
SHOWN = [door for door in PAGES if not any(part in door.route for part in UNSHOWN)]
LEDGERS = ["xptransaction/export/", "activity/export/"]


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "bypass_csp": True}


@pytest.fixture
def injected(attacked, transactional_db):
    return world.build(payloads.in_turn())


@pytest.fixture
def watched(page, context):
    context.add_init_script(payloads.WATCH)
    return page


@pytest.mark.slow
@pytest.mark.browser
def test_nothing_runs_on_a_page_of_anybody(injected, watched, live_server, sign_in):
    found = []
    for user, whose in ((injected.bob, (USER, ANYBODY)), (callers.user_of("superuser"), None)):
        sign_in(user)
        for door in SHOWN:
            if (door.who in whose) if whose else door.is_of_admin:
                payloads.visit(watched, live_server.url + door.address(injected.names))
                found += payloads.found_on(watched)

    assert found == []


@pytest.mark.browser
def test_nothing_runs_that_scripts_put_on_a_page(injected, watched, live_server, sign_in):
    sign_in(callers.user_of("superuser"))

    watched.goto(f"{live_server.url}/admin/gamification/achievement/{injected.names['achievement']}/change/")
    with watched.expect_response("**/check/"):
        watched.locator("#id_name").fill(payloads.PAYLOADS[2])
    watched.wait_for_timeout(100)
    found = payloads.found_on(watched)
    watched.goto(f"{live_server.url}/admin/gamification/xptransaction/award/")
    watched.locator(".field-user .select2-selection").click()
    watched.locator(".select2-search__field").fill(injected.bob.username[:8])
    watched.locator(".select2-results__option", has_text=injected.bob.username).wait_for()
    found += payloads.found_on(watched)

    assert found == []


@pytest.mark.browser
def test_a_text_that_did_become_markup_would_be_found(watched, live_server):
    watched.goto(f"{live_server.url}/healthz")
    watched.set_content(f"<p>{payloads.PAYLOADS[2]}</p><p>71910007</p>")
    watched.wait_for_function("() => window.__ran.length")

    assert [told.rpartition(": ")[2].split()[0] for told in payloads.found_on(watched)] == ["ran", "became", "a"]


@pytest.mark.parametrize("address", LEDGERS)
def test_no_cell_of_an_export_is_a_formula(address, db, attacked):
    world.build(payloads.in_turn(start=payloads.PAYLOADS.index('=HYPERLINK("javascript:alert(1)")')))
    world.build(lambda field, length: f"=cmd {field}"[:length], number=1)
    client = callers.client_of(callers.user_of("superuser"))

    response = client.get(f"/admin/gamification/{address}")

    rows = csv.reader(io.StringIO(b"".join(response.streaming_content).decode()))
    cells = [cell for row in rows for cell in row if not cell.removeprefix("-").isdigit()]
    assert any("=cmd" in cell for cell in cells)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@pytest.mark.parametrize("path", ["me/data", "xp/history", "dashboard", "achievements", "leaderboard/xp_all_time"])
def test_answers_of_the_api_are_no_pages(path, db, attacked):
    bob = world.build(payloads.in_turn()).bob

    response = callers.client_of(bob).get(f"/api/v1/gamification/{path}")

    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"

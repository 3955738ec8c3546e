"""Scripts in every text that people and staff can set, each text in each field, in a real browser.

Once without the pages' policy, which would hide what got through, and once with it, to see that it refuses nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, sync_playwright

from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import Site, databases, site
from gamification.tests import servers
from gamification.tests.attacks import callers, payloads, world
from gamification.tests.attacks.doors import ANYBODY, DOORS, USER

ANSWER = "answer:"
UNSHOWN = ("card.png", "export/", "settings/data", "jsi18n/", "api/schema/", "healthz")
SHOWN = [
    door
    for door in DOORS
    if door.method == "GET" and door.status == 200 and not any(part in door.route for part in UNSHOWN)
]


def run(*, is_quick: bool) -> Iterator[Outcome]:
    number = 2 if is_quick else len(payloads.PAYLOADS)
    with databases("PostgreSQL") as urls, site(urls["PostgreSQL"]) as served, sync_playwright() as playwright:
        code = f"from benchmarks.faults import injection; injection.fill({number})"
        walks = json.loads(served.run(code).rpartition(ANSWER)[2])
        options: Any = {"executable_path": servers.chromium(), "args": ["--no-sandbox", "--disable-gpu"]}
        browser = playwright.chromium.launch(**options)
        yield _walked(served, walks, browser.new_context(bypass_csp=True), number, "Chromium without the policy")
        # Lists show all the texts at once; the rest of the pages are those of one.
        few = {session: paths if len(walks) < 3 else paths[:120] for session, paths in list(walks.items())[:3]}
        yield _walked(served, few, browser.new_context(), number, "Chromium with the policy")
        browser.close()


def fill(number: int) -> None:
    """Make a world of each text and print the addresses to see, by the session of who sees them."""
    worlds = [world.build(_always(index), number=index) for index in range(number)]
    root = callers.user_of("superuser")
    shown = [door.address(each.names) for each in worlds for door in SHOWN if door.is_of_admin]
    walks = {_session(root): list(dict.fromkeys(shown))}
    for each in worlds:
        own = [door.address(each.names) for door in SHOWN if not door.is_of_admin and door.who in {USER, ANYBODY}]
        walks[_session(each.bob)] = own
    print(ANSWER + json.dumps(walks))


def _always(index: int) -> Any:
    return lambda field, length: payloads.PAYLOADS[index][:length]


def _session(user: Any) -> str:
    return str(callers.client_of(user).cookies["sessionid"].value)


def _walked(served: Site, walks: dict[str, list[str]], context: BrowserContext, texts: int, where: str) -> Outcome:
    found: list[str] = []
    context.add_init_script(payloads.WATCH)
    page = context.new_page()

    def on_console(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            found.append(f"{page.url}: {said.text}")

    def on_dialog(dialog: Dialog) -> None:
        found.append(f"{page.url}: {dialog.message}")
        dialog.dismiss()

    page.on("console", on_console)
    page.on("dialog", on_dialog)
    pages = 0
    for session, paths in walks.items():
        context.add_cookies([{"name": "sessionid", "value": session, "url": served.url}])
        for path in paths:
            answer = payloads.visit(page, served.url + path)
            pages += 1
            if answer is None or answer.status >= 500:
                found.append(f"{path}: no answer")
            found += payloads.found_on(page)
    if found:
        sys.stderr.write("\n".join(found[:30]) + "\n")
    return Outcome("script injection", where, pages, len(found), {"texts": texts, "pages": pages})

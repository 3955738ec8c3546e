"""Which pictures there are, and how each is taken."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from gamification.management.demo.people import ADMIN, LEARNER, NEWCOMER
from pictures.stage import NOW, SLUG, Stage

HOST = "http://practice.example.com"
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
#: Pictures without gradients, for which so many colours are enough.
FLAT = {"backfill", "definition-preview", "monitoring", "support"}
COLOURS = 256
#: Width and height of the window, and so of most pictures.
DESKTOP, LOW, PHONE = (1280, 1240), (1280, 800), (390, 1240)
TAGS = ("tag-level", "tag-streak", "tag-board", "tag-achievements", "tag-calendar")
#: Name of the picture, who looks, at what, through which window.
PAGES = (
    ("landing", "", "/", LOW),
    ("achievements", LEARNER, "/gamification/achievements", DESKTOP),
    ("settings", LEARNER, "/gamification/settings", DESKTOP),
    ("profile", "", f"/gamification/people/{SLUG}", LOW),
)
RULE = {
    "v": 1,
    "all": [
        {"metric": "scenarios_completed", "op": "gte", "value": 30},
        {
            "any": [
                {"metric": "words_learned", "op": "gte", "value": 200},
                {"metric": "longest_streak", "op": "gte", "value": 21},
            ]
        },
    ],
}


class Camera:
    """Opens pages of the stage and keeps pictures of them."""

    def __init__(self, browser: Browser, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self._browser = browser
        self._folder = folder

    @contextmanager
    def page(
        self, person: str, path: str, size: tuple[int, int] = DESKTOP, scheme: Literal["light", "dark"] = "light"
    ) -> Iterator[Page]:
        """Open a page as a person, or as nobody; nothing on it moves."""
        width, height = size
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="UTC" if person == ADMIN else "Europe/Berlin",
        )
        if person:
            context.add_cookies([{"name": "sessionid", "value": self.stage.sessions[person], "url": HOST}])
        page = context.new_page()
        page.clock.set_fixed_time(NOW)
        answer = page.goto(HOST + path, wait_until="networkidle")
        if answer is None or answer.status != 200:
            raise SystemExit(f"{path} answered {answer and answer.status}")
        page.evaluate("document.fonts.ready")
        yield page
        context.close()

    def keep(self, name: str, png: bytes) -> None:
        """Write a picture, packed as small as it goes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        if name in FLAT:
            picture = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        picture.save(self._folder / f"{name}.png", optimize=True)

    def take(self, name: str, page: Page, *, selector: str = "", height: int = 0) -> None:
        """Keep what the window shows, or one element, or the page down to ``height``."""
        if selector:
            self.keep(name, page.locator(selector).screenshot(animations="disabled"))
            return
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        if height:
            page.set_viewport_size({"width": DESKTOP[0], "height": height})
        self.keep(name, page.screenshot(animations="disabled"))


def dashboards(camera: Camera) -> None:
    with camera.page(LEARNER, "/gamification"):
        pass  # what she has unlocked so far is told on the first page, once
    with camera.page(LEARNER, "/gamification") as page:
        camera.take("dashboard-light", page)
    with camera.page(LEARNER, "/gamification", scheme="dark") as page:
        camera.take("dashboard-dark", page)
    with camera.page(LEARNER, "/gamification", PHONE) as page:
        camera.take("dashboard-phone", page)
    with camera.page(NEWCOMER, "/gamification", LOW) as page:
        page.locator(".gx-toast").first.wait_for()
        camera.take("toast", page)


def pages(camera: Camera) -> None:
    for name, person, path, size in PAGES:
        with camera.page(person, path, size) as page:
            camera.take(name, page)
    with camera.page("", f"/gamification/people/{SLUG}/card.png") as page:
        card = page.goto(page.url)
        camera.keep("share-card", card.body() if card else b"")


def tags(camera: Camera) -> None:
    with camera.page(LEARNER, "/widgets") as page:
        for name in TAGS:
            camera.take(name, page, selector=f"#{name}")


def support(camera: Camera) -> None:
    with camera.page(ADMIN, f"/admin/gamification/userstreak/{camera.stage.lapsed}/change/") as page:
        camera.take("support", page)


def monitoring(camera: Camera) -> None:
    with camera.page(ADMIN, "/admin/gamification/dailyfigure/") as page:
        camera.take("monitoring", page)


def definition(camera: Camera) -> None:
    """Write a rule, see for whom it would unlock, and unlock it for them."""
    with camera.page(ADMIN, "/admin/gamification/achievement/add/") as page:
        page.get_by_role("button", name="Edit as JSON").click()
        page.locator("#id_conditions").fill(json.dumps(RULE))
        page.get_by_role("button", name="Edit as rows").click()
        for field, text in (
            ("achievement_id", "well_travelled"),
            ("name", "Well Travelled"),
            ("description", "Thirty scenarios, and the words or the habit to match"),
            ("icon", "🧳"),
            ("xp_reward", "250"),
        ):
            page.locator(f"#id_{field}").fill(text)
        page.locator("#id_category").select_option("milestones")
        page.locator("#id_rarity").select_option("epic")
        page.locator("#gamification-sentence", has_text="Complete 30 scenarios").wait_for()
        page.wait_for_load_state("networkidle")
        camera.take("definition", page, height=1800)
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("People who would unlock it at once").wait_for()
        camera.take("definition-preview", page, height=LOW[1])
        page.get_by_role("button", name="Save and unlock for them now").click()
        page.get_by_text("Finished: unlocked for").wait_for()
        camera.take("backfill", page, height=LOW[1])


#: In this order: a look at a board is counted on the first, and the last gives people an achievement.
SCENES: tuple[Callable[[Camera], None], ...] = (monitoring, dashboards, pages, tags, support, definition)

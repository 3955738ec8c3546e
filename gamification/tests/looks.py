"""What axe finds on a page as it stands, narrow and wide, light and dark, and a ruler on three widths; loaded once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

#: Where to keep pictures to be looked at.
PICTURES = os.environ.get("PICTURES", "")
WIDTHS = (320, 768, 1280)
#: Here only the ruler looks, and no axe.
MIDDLE = 768
HEIGHT = 900
#: The admin fades from one scheme to the other, and colours on the way are nobody's.
SETTLE = "document.getAnimations().forEach((each) => each.finish())"
#: Sheets are not loaded once more by axe, which a policy refuses.
OPTIONS: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
#: What a scheme changes. Everything else is the same in the dark.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
RUN = """async ([context, options]) => (await axe.run(context, options)).violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)}`))"""
IS_WIDER = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) > innerWidth"


def problems_of(page: Page, name: str = "", *, without: Sequence[str] = ()) -> list[str]:
    """Return what is wrong with ``page`` for somebody, one line each; leave out the elements ``without``.

    The page is left 1280 pixels wide and light.
    """
    found = []
    page.evaluate(AXE_SCRIPT)
    context = {"include": [["html"]], "exclude": [[selector] for selector in without]}
    for scheme, only in (("dark", COLOURS), ("light", {})):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(SETTLE)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            problems = page.evaluate(RUN, [context, {**OPTIONS, **only}]) if width != MIDDLE else []
            problems += ["wider than the screen"] * page.evaluate(IS_WIDER)
            if PICTURES:
                shot = f"{name.strip('/') or 'page'}-{scheme}-{width}.png"
                page.screenshot(path=Path(PICTURES) / shot, full_page=True)
            found += [f"{name} {scheme} {width}: {problem}" for problem in problems]
    return found

"""A hand on a mouse: what it does is counted, so that work that takes more clicks than before is noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


@dataclass
class Hand:
    """Clicks and types into what it has clicked on; ``clicks`` counts since the task began."""

    page: Page
    clicks: int = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def write(self, field: Locator, text: str) -> None:
        """Click into a field that has not the focus already, and type in the place of what stands in it."""
        if not field.evaluate("field => field === document.activeElement"):
            self.click(field)
        field.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, field: Locator, label: str) -> None:
        """Open a list and take something from it: two clicks, though the browser draws the list out of reach."""
        field.select_option(label=label)
        self.clicks += 2

    def done(self) -> int:
        """Return how many clicks the task took, and begin the next one."""
        clicks, self.clicks = self.clicks, 0
        return clicks

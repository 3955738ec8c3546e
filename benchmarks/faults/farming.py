"""Farming: what people gain who may call all that a user may, at any moment and in any order."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator

from django.test import override_settings

from benchmarks.faults.outcomes import Outcome
from gamification.services import achievements
from gamification.tests import servers
from gamification.tests.races.processes import database
from gamification.tests.services.farmers import SETTINGS, live


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Live 250 lives, 10,000 acts in all, on SQLite; whatever somebody gained too much is lost."""
    with tempfile.TemporaryDirectory(prefix="gamification-farming-") as home:
        url = f"sqlite:///{home}/db.sqlite3"
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": url})
        with database(url), override_settings(GAMIFICATION=SETTINGS):
            achievements.initialize()
            yield _farm(10 if is_quick else 250)


def _farm(lives: int) -> Outcome:
    found = [live(seed) for seed in range(lives)]
    broken = [text for life in found for text in life.broken]
    refused = sum((life.refused for life in found), Counter[str]())
    figures = {
        "lives": lives,
        "days gained at most": max(life.days_gained for life in found),
        "most XP a day, of 95": max(life.most_xp for life in found),
        "refused": dict(refused.most_common()),
    }
    if broken:
        figures["for example"] = broken[:5]
    return Outcome("farming", "SQLite", sum(life.acts for life in found), len(broken), figures)

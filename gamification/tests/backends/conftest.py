"""What the tests of boards share."""

from __future__ import annotations

from functools import partial

import pytest


@pytest.fixture
def configure(settings):
    """Return a function that changes some of the app's settings for this test."""

    def _configure(**options):
        kept = settings.GAMIFICATION.get("LEADERBOARD_OPTIONS", {})
        if "LEADERBOARD_OPTIONS" in options:
            options["LEADERBOARD_OPTIONS"] = {**kept, **options["LEADERBOARD_OPTIONS"]}
        settings.GAMIFICATION = {**settings.GAMIFICATION, **options}

    return _configure


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """Return a context in which what waits for the commit happens at its end."""
    return partial(django_capture_on_commit_callbacks, execute=True)

"""The site that is attacked."""

from __future__ import annotations

from typing import Any

import pytest

from gamification.api.throttles import DEFAULT_RATES
from gamification.tests.attacks import declared, world
from gamification.tests.attacks.world import World


@pytest.fixture
def attacked(settings: Any) -> None:
    """Have the settings of the world, and nobody stopped by a throttle."""
    settings.GAMIFICATION = declared.GAMIFICATION
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": dict.fromkeys(DEFAULT_RATES)}


@pytest.fixture
def site(db: None, attacked: None) -> World:
    """Return a site with a row in every table, most of them bob's."""
    return world.build()

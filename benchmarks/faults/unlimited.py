"""The project as the scripts over HTTP serve it: without limits; ``BOARDS_URL`` names a Redis for boards."""

from typing import Any

from benchmarks.site import *  # noqa: F403
from project import settings as site
from project.environment import env

CHOSEN: dict[str, Any] = {}
if BOARDS_URL := env.str("BOARDS_URL", default=""):
    CHOSEN = {
        "LEADERBOARD_BACKEND": "gamification.backends.redis.RedisBackend",
        "LEADERBOARD_OPTIONS": {"url": BOARDS_URL},
    }
GAMIFICATION = {**site.GAMIFICATION, **CHOSEN}

"""The project as the scripts over HTTP serve it: without limits; ``BOARDS_URL`` names a Redis for boards."""

from typing import Any

from benchmarks.site import *  # noqa: F403
from benchmarks.site import env
from project.settings import GAMIFICATION as CHOSEN

GAMIFICATION: dict[str, Any] = CHOSEN
if BOARDS_URL := env.str("BOARDS_URL", default=""):
    GAMIFICATION |= {
        "LEADERBOARD_BACKEND": "gamification.backends.redis.RedisBackend",
        "LEADERBOARD_OPTIONS": {"url": BOARDS_URL},
    }

"""The project as the scripts over HTTP serve it: without limits; ``BOARDS_URL`` names a Redis for boards."""

from benchmarks.site import *  # noqa: F403
from benchmarks.site import GAMIFICATION, env

if BOARDS_URL := env.str("BOARDS_URL", default=""):
    GAMIFICATION = {
        **GAMIFICATION,
        "LEADERBOARD_BACKEND": "gamification.backends.redis.RedisBackend",
        "LEADERBOARD_OPTIONS": {"url": BOARDS_URL},
    }

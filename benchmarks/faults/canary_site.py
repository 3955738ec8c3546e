"""The project as the scripts about people's data serve it: its settings, and a log of all that can be logged.

People are seen as a project that chose nothing shows them, and boards are in Redis.
"""

from typing import Any

from project.security import *  # noqa: F403
from project.settings import *  # noqa: F403
from project.settings import LOGGING, REDIS_URL, STORAGES

ROOT_URLCONF = "benchmarks.faults.canary_addresses"
KINDS = {"note_taken": {"counters": {"notes": 1}, "xp": 5}}
GAMIFICATION = {
    "ACTIVITY_TYPES": KINDS,
    "SELF_REPORTED_KINDS": ["note_taken"],
    "LEADERBOARD_BACKEND": "gamification.backends.redis.RedisBackend",
    "LEADERBOARD_OPTIONS": {"url": REDIS_URL},
    "LEADERBOARD_TTL": 1,
}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
_logging: dict[str, Any] = LOGGING
_logging["loggers"]["django"]["level"] = _logging["root"]["level"] = "DEBUG"

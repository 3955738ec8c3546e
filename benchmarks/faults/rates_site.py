"""The project as the script on rates serves it: 60 requests a minute, and a kind that pays 255 XP a day at most."""

from typing import Any

from project.settings import *  # noqa: F403
from project.settings import GAMIFICATION, REST_FRAMEWORK, STORAGES

API: dict[str, Any] = REST_FRAMEWORK
API["DEFAULT_THROTTLE_RATES"] = {f"gamification_{scope}": "60/min" for scope in ("activities", "awards", "login")}
APP: dict[str, Any] = GAMIFICATION
APP["ACTIVITY_TYPES"] = {"commit": {"xp": 10, "counters": {"commits": 1}, "max_xp_per_day": 255}}
APP["SELF_REPORTED_KINDS"] = ["commit"]
APP["STREAK_BONUS_PER_DAY"] = 0
# Nothing was collected.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# What is measured is not how long a password takes.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

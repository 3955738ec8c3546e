"""The project as it is attacked over HTTP: no limit on requests, and a kind and groups of its own."""

from typing import Any

from gamification.tests.attacks import declared
from project.settings import *  # noqa: F403
from project.settings import REST_FRAMEWORK, STORAGES

GAMIFICATION = declared.GAMIFICATION
SCOPES = ("read", "write", "awards", "activities", "export", "erase", "login")
LIMITS: dict[str, Any] = REST_FRAMEWORK
LIMITS["DEFAULT_THROTTLE_RATES"] = {f"gamification_{scope}": None for scope in SCOPES}
# What takes long to guess takes long to attack.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Nothing was collected.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

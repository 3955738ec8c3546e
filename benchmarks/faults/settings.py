"""The project as it is attacked over HTTP: no limit on requests, and a kind and groups of its own."""

from typing import Any

from gamification.tests.attacks import declared
from project import settings as own
from project.settings import *  # noqa: F403

GAMIFICATION = declared.GAMIFICATION
SCOPES = ("read", "write", "awards", "activities", "export", "erase", "login")
RATES: Any = {f"gamification_{scope}": None for scope in SCOPES}
# New dicts: the project's own may be in use in this process.
REST_FRAMEWORK = {**own.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": RATES}
# What takes long to guess takes long to attack.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Nothing was collected.
STORAGES = {**own.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

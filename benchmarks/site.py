"""The project as the benchmark over HTTP serves it: its settings."""

from typing import Any

from project.settings import *  # noqa: F403
from project.settings import REST_FRAMEWORK, STORAGES

ROOT_URLCONF = "benchmarks.addresses"
# Counted as always, but never too many.
SCOPES = ("read", "write", "awards", "activities")
LIMITS: dict[str, Any] = REST_FRAMEWORK
LIMITS["DEFAULT_THROTTLE_RATES"] = {f"gamification_{scope}": "1000000000/min" for scope in SCOPES}
# Nothing was collected.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

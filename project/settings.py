"""Settings, read from the environment and from ``.env`` where there is one.

With neither, this is a developer's machine: DEBUG, SQLite, a cache in memory. ``.env.example`` lists every variable.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from gamification import __version__
from project.environment import BASE_DIR, DEBUG, env
from project.security import *  # noqa: F403
from project.security import NUM_PROXIES

# Core

INSTALLED_APPS = [
    "project",
    "gamification",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "project.sites.ThrottledAdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Before staticfiles, so that files are served in the same way with and without DEBUG.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "project.middleware.BrowserPoliciesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "gamification.outages.OutageMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
ASGI_APPLICATION = "project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Data


def _database() -> dict[str, Any]:
    """Return the database that ``DATABASE_URL`` names, with what each engine needs to take many writers."""
    database: dict[str, Any] = env.db_url("DATABASE_URL", default="sqlite:///db.sqlite3")
    if database["ENGINE"] != "django.db.backends.sqlite3":
        # Statements that were prepared once spare the server the planning; a pooler that shares connections between
        # transactions must know of them, or PREPARE_STATEMENTS be off.
        prepares = env.bool("PREPARE_STATEMENTS", True)
        prepare = {"server_side_binding": True, "prepare_threshold": 3} if prepares else {}
        # Nobody waits for ever: for a server that does not answer, or a lock that somebody holds. Poolers refuse to
        # pass such a setting on; it belongs to the role there.
        patience: dict[str, Any] = {"connect_timeout": 5}  # seconds
        if seconds := env.int("LOCK_TIMEOUT", default=10 if prepares else 0):
            patience["options"] = f"{os.environ.get('PGOPTIONS', '')} -c lock_timeout={seconds}s".strip()
        database["OPTIONS"] = {**prepare, **patience, **database.get("OPTIONS", {})}
        return {"CONN_MAX_AGE": 0 if DEBUG else 60, "CONN_HEALTH_CHECKS": True, **database}
    if database["NAME"] != ":memory:":
        database["NAME"] = str(BASE_DIR / database["NAME"])
    database["OPTIONS"] = {
        # The defaults fail one write in eight under eight writers; these none.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # What is deleted is also overwritten: erased people are not left in the free pages of the file.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
        **database.get("OPTIONS", {}),
    }
    # A file, for threads and the live server share it; one for each process, so that two test runs do not meet.
    database["TEST"] = {"NAME": str(Path(tempfile.gettempdir()) / f"gamification-test-{os.getpid()}.sqlite3")}
    return database


DATABASES = {"default": _database()}
if REPLICA_URL := env.str("REPLICA_URL", default=""):
    _replica = env.db_url_config(REPLICA_URL)
    DATABASES["replica"] = {
        **DATABASES["default"],
        **_replica,
        "OPTIONS": {"connect_timeout": 2, **_replica.get("OPTIONS", {})},  # seconds; past them the primary answers
        "TEST": {"MIRROR": "default"},
    }
    DATABASE_ROUTERS = ["gamification.replicas.ReplicaRouter"]
    MIDDLEWARE.append("gamification.replicas.ReplicaMiddleware")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {"default": env.cache_url("CACHE_URL", default=REDIS_URL or "locmemcache://")}
if CACHES["default"]["BACKEND"].endswith(".RedisCache"):
    # A cache that hangs, is full or is away must not take the site with it.
    CACHES["default"]["BACKEND"] = "project.caches.RedisCache"

# Background work: at once, in the process that asks for it, unless a queue is named.

TASKS = {
    "default": {"BACKEND": env.str("TASKS_BACKEND", default="django_tasks.backends.immediate.ImmediateBackend")},
}
if TASKS["default"]["BACKEND"].startswith("django_tasks_db."):
    INSTALLED_APPS.append("django_tasks_db")

# People

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/gamification"
LOGOUT_REDIRECT_URL = "home"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

# Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
# What somebody chose in the footer; without it, the browser says which language it prefers.
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

# Static files

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
# Said here, because tests turn settings.DEBUG off without anything having been collected.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False

# API

REST_FRAMEWORK = {
    # Tokens first: so an anonymous request is answered with 401 and how to sign in, not with 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gamification",
    "DESCRIPTION": "XP, levels, achievements, daily streaks and leaderboards.",
    "VERSION": __version__,
    "SCHEMA_PATH_PREFIX": r"/api/v1/gamification",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Operations

# Who scrapes /metrics has to know it; without one there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Django's own handler would say everything a second time.
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        # At DEBUG it writes all that a page knows, names and reasons included, whenever a variable is missing.
        "django.template": {"level": "INFO"},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}

# The app

GAMIFICATION: dict[str, Any] = {
    # In the demonstration everybody is seen by username; elsewhere that may well be somebody's name.
    "DISPLAY_NAME": "project.hooks.username" if env.bool("PUBLIC_USERNAMES", default=DEBUG) else None,
}

"""The settings, in a process of their own: they are read once, when Django starts."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys

import pytest

from gamification.tests.servers import ROOT, environment, manage

VARIABLES = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
PRODUCTION = {"ENV_FILE": ".env.production.example", "SECRET_KEY": secrets.token_urlsafe(50)}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def read_setting(name: str, env: dict[str, str]) -> str:
    """Return the representation of a setting, or the last line of what went wrong."""
    code = f"from django.conf import settings; print(repr(settings.{name}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(env), capture_output=True, text=True, check=False
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_the_production_example_passes_djangos_deployment_checks():
    manage("check", "--deploy", "--fail-level", "WARNING", env=PRODUCTION)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "False"),
        ("ALLOWED_HOSTS", "['practice.example.com']"),
        ("SESSION_COOKIE_SECURE", "True"),
        ("DATABASES['default']['ENGINE']", "'django.db.backends.postgresql'"),
        ("DATABASES['default']['CONN_MAX_AGE']", "60"),
        ("CACHES['default']['BACKEND']", "'project.caches.RedisCache'"),
    ],
)
def test_the_production_example_is_followed(name, value):
    assert read_setting(name, PRODUCTION) == value


@pytest.mark.parametrize(
    ("env", "options"),
    [
        ({}, "-c lock_timeout=10s"),
        ({"LOCK_TIMEOUT": "3", "PGOPTIONS": "-c geqo=off"}, "-c geqo=off -c lock_timeout=3s"),
        ({"LOCK_TIMEOUT": "0"}, "None"),
        ({"PREPARE_STATEMENTS": "off"}, "None"),
        ({"DATABASE_URL": "postgres://db/x?options=-c%20lock_timeout%3D1s"}, "-c lock_timeout=1s"),
    ],
)
def test_nobody_waits_for_a_lock_for_ever(env, options):
    told = read_setting("DATABASES['default']['OPTIONS'].get('options')", {**PRODUCTION, **env})

    assert told.strip("'") == options


def test_without_debug_a_secret_is_required():
    assert "Set the SECRET_KEY environment variable" in read_setting("SECRET_KEY", {"DEBUG": "off"})


@pytest.mark.parametrize(
    "key",
    [
        "short",
        "a" * 60,
        "for-development-only",
        "for-development-only" * 3,
        "django-insecure-5gK8qVwZ2rN7xT4yB9mJ3pL6sD1fH0cQ-a_eUoWiRtYv",
    ],
)
def test_without_debug_a_weak_secret_is_refused(key):
    assert "SECRET_KEY is too weak" in read_setting("SECRET_KEY", PRODUCTION | {"SECRET_KEY": key})


@pytest.mark.parametrize("hosts", ["", "*", "practice.example.com,*"])
def test_without_debug_the_hosts_are_named(hosts):
    assert "ALLOWED_HOSTS must name" in read_setting("ALLOWED_HOSTS", PRODUCTION | {"ALLOWED_HOSTS": hosts})


@pytest.mark.parametrize(
    ("env", "name", "value"),
    [
        ({}, "SECURE_HSTS_PRELOAD", "False"),
        ({"SECURE_HSTS_PRELOAD": "on"}, "SILENCED_SYSTEM_CHECKS", "[]"),
        ({}, "REST_FRAMEWORK['NUM_PROXIES']", "1"),
        ({"BEHIND_PROXY": "off", "NUM_PROXIES": "0"}, "SECURE_PROXY_SSL_HEADER", "None"),
        ({}, "GAMIFICATION['DISPLAY_NAME']", "None"),
        ({"PUBLIC_USERNAMES": "on"}, "GAMIFICATION['DISPLAY_NAME']", "'project.hooks.username'"),
        ({"SECURE_SSL_REDIRECT": "off"}, "SESSION_COOKIE_NAME", "'sessionid'"),
        ({"DEBUG": "on", "SECURE_SSL_REDIRECT": "on"}, "SESSION_COOKIE_NAME", "'__Host-sessionid'"),
        ({"DEBUG": "on", "SECURE_SSL_REDIRECT": "on"}, "SESSION_COOKIE_SECURE", "True"),
        ({"DEBUG": "on", "SECURE_SSL_REDIRECT": "off"}, "SESSION_COOKIE_SECURE", "False"),
        ({"CSP_REPORT_ONLY": "on"}, "CONTENT_SECURITY_POLICY", "None"),
        (
            {"CSP_REPORT_URI": "/csp"},
            "CONTENT_SECURITY_POLICY['DIRECTIVES']['report-uri']",
            "['/csp']",
        ),
    ],
)
def test_each_protection_can_be_chosen(env, name, value):
    assert read_setting(name, PRODUCTION | env) == value


def test_a_missing_env_file_is_named():
    assert "ENV_FILE names nowhere.env" in read_setting("DEBUG", {"ENV_FILE": "nowhere.env"})


def test_without_any_environment_it_is_a_developers_machine():
    assert read_setting("DEBUG", {}) == "True"
    assert read_setting("DATABASES['default']['NAME']", {}) == repr(str(ROOT / "db.sqlite3"))


def test_the_policy_allows_nothing_unsafe():
    policy = read_setting("CONTENT_SECURITY_POLICY", {})

    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_example_lists_every_variable():
    code = "".join(path.read_text() for path in (ROOT / "project").glob("*.py"))

    assert set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", code)) == VARIABLES

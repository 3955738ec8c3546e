"""System checks: settings that cannot work are named before anything runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from difflib import get_close_matches
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 -- Django's own name
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils.module_loading import import_string
from rest_framework.settings import api_settings

from gamification.backends.base import LeaderboardBackend
from gamification.conf import NAMES, STATE_METRICS, VOID_POLICIES, GamificationSettings, get_settings
from gamification.domain import flag_rules
from gamification.domain.activity_types import DERIVED_COUNTERS
from gamification.replicas import REPLICA, ReplicaMiddleware, ReplicaRouter

SQLITE_MIN = (3, 35)  # RETURNING
HOOKS = ("LEADERBOARD_BACKEND", "DISPLAY_NAME", "AVATAR_URL", "USER_TIMEZONE", "IS_EXCLUDED", "SCOPES")
WHOLE_NUMBERS = {
    "BASE_XP": (1, 10**9),
    "MAX_LEVEL": (2, 1000),
    "BACKDATE_DAYS": (0, 36500),
    "STREAK_FREEZES": (0, 1000),
    "STREAK_FREEZES_MAX": (0, 1000),
    "STREAK_FREEZE_EARNED_EVERY": (0, 36500),
    "STREAK_BONUS_PER_DAY": (0, 100_000),
    "STREAK_BONUS_MAX": (0, 100_000),
    "LEADERBOARD_TTL": (1, 86_400),
    "WEBHOOKS_TIMEOUT": (1, 60),
}


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Hold ``GAMIFICATION`` against what is known: names, ranges, zones, kinds, hooks."""
    raw = getattr(settings, "GAMIFICATION", {})
    if not isinstance(raw, dict):
        return [Error("GAMIFICATION must be a dict.", id="gamification.E001")]
    messages = [_unknown(name) for name in raw if name not in NAMES]
    try:
        current = get_settings()
        _ = current.levels
    except (ImproperlyConfigured, ImportError, TypeError, ValueError, AttributeError) as error:
        return [*messages, Error(f"GAMIFICATION cannot be read: {error}", id="gamification.E003")]
    return [
        *messages,
        *_check_levels(current),
        *_check_kinds(current),
        *_check_guards(current),
        *_check_numbers(current),
        *_check_zone(current),
        *_check_names(current),
        *_check_hooks(current),
        *_check_backend(current),
    ]


def check_databases(**kwargs: Any) -> list[CheckMessage]:
    """Refuse databases that our statements do not run on, and warn of SQLite without IMMEDIATE transactions.

    Without those, parallel writers fail with "database is locked".
    """
    vendor = connection.vendor
    messages: list[CheckMessage] = []
    if vendor not in {"sqlite", "postgresql"} or (vendor == "sqlite" and sqlite3.sqlite_version_info < SQLITE_MIN):
        name = f"SQLite {sqlite3.sqlite_version}" if vendor == "sqlite" else vendor
        text = f"The app runs on PostgreSQL and on SQLite 3.35 or newer, and not on {name}."
        messages.append(Error(text, id="gamification.E011"))
    return messages + [
        Warning(
            f"The SQLite database {alias!r} does not use IMMEDIATE transactions.",
            hint="Set OPTIONS = {'transaction_mode': 'IMMEDIATE', 'timeout': 20}.",
            id="gamification.W001",
        )
        for alias, database in settings.DATABASES.items()
        if database["ENGINE"].endswith("sqlite3")
        and str(database.get("OPTIONS", {}).get("transaction_mode", "")).upper() != "IMMEDIATE"
    ]


def check_replica(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a replica that is set up by halves, or whose users would not find what they wrote."""
    parts = {
        "DATABASES['replica']": REPLICA in settings.DATABASES,
        "DATABASE_ROUTERS": _names(settings.DATABASE_ROUTERS, ReplicaRouter),
        "MIDDLEWARE": _names(settings.MIDDLEWARE, ReplicaMiddleware),
    }
    if not (parts["DATABASE_ROUTERS"] or parts["MIDDLEWARE"]):
        return []
    messages: list[CheckMessage] = [
        Warning(
            f"The replica is not read from: {part} lacks it.",
            hint="It takes the database, and ReplicaRouter and ReplicaMiddleware of gamification.replicas.",
            id="gamification.W002",
        )
        for part, is_there in parts.items()
        if not is_there
    ]
    if settings.CACHES.get("default", {}).get("BACKEND", "").endswith(("LocMemCache", "DummyCache")):
        messages.append(
            Warning(
                "With a replica, clients with tokens find what they wrote only where processes share a cache.",
                hint="Let CACHES['default'] be Redis, Valkey, Memcached or the database.",
                id="gamification.W003",
            )
        )
    return messages


def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    """Warn, before it is deployed, of what makes throttles weaker than they look."""
    messages: list[CheckMessage] = []
    if settings.CACHES.get("default", {}).get("BACKEND", "").endswith(("LocMemCache", "DummyCache")):
        text = "Each process counts reads and writes by itself, because CACHES['default'] belongs to one process."
        hint = "Let it be Redis, Valkey or Memcached. Awards, activities and sign-ins are counted in the database."
        messages.append(Warning(text, hint=hint, id="gamification.W020"))
    if settings.SECURE_PROXY_SSL_HEADER and not api_settings.NUM_PROXIES:
        text = "The site stands behind a proxy, whose address all attempts to sign in are counted for."
        hint = "Set REST_FRAMEWORK['NUM_PROXIES'] to the number of proxies that add to X-Forwarded-For."
        messages.append(Warning(text, hint=hint, id="gamification.W021"))
    return messages


def _names(paths: Iterable[Any], wanted: type) -> bool:
    """Tell whether one of ``paths`` leads to ``wanted`` or to what is derived from it."""
    found = (import_string(path) if isinstance(path, str) else type(path) for path in paths)
    return any(isinstance(one, type) and issubclass(one, wanted) for one in found)


def _unknown(name: str) -> CheckMessage:
    nearest = get_close_matches(str(name), NAMES, n=1)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else f"Known are: {', '.join(sorted(NAMES))}."
    return Error(f"GAMIFICATION has no setting {name!r}.", hint=hint, id="gamification.E002")


def _check_numbers(current: GamificationSettings) -> list[CheckMessage]:
    messages: list[CheckMessage] = [
        Error(f"GAMIFICATION[{name!r}] must be a whole number from {low:,} to {high:,}.", id="gamification.E004")
        for name, (low, high) in WHOLE_NUMBERS.items()
        if type(getattr(current, name)) is not int or not low <= getattr(current, name) <= high
    ]
    staleness: Any = current.LEADERBOARD_MAX_STALENESS
    if type(staleness) not in (int, float) or staleness < 0:
        messages.append(
            Error("GAMIFICATION['LEADERBOARD_MAX_STALENESS'] must be seconds, 0 or more.", id="gamification.E004")
        )
    messages += [
        Error(f"GAMIFICATION[{name!r}] must be True or False.", id="gamification.E004")
        for name in ("STREAK_AUTO_FREEZE", "APPEND_ONLY_TRIGGERS", "WEBHOOKS_ALLOW_PRIVATE")
        if getattr(current, name) not in (True, False)
    ]
    if current.VOID_ACHIEVEMENTS not in VOID_POLICIES:
        messages.append(Error("GAMIFICATION['VOID_ACHIEVEMENTS'] must be 'keep' or 'revoke'.", id="gamification.E004"))
    if not messages and current.STREAK_FREEZES > current.STREAK_FREEZES_MAX:
        messages.append(
            Error("GAMIFICATION['STREAK_FREEZES'] is more than 'STREAK_FREEZES_MAX'.", id="gamification.E004")
        )
    return messages


def _check_levels(current: GamificationSettings) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if min((level for level, _ in current.TITLES), default=0) != 1:
        messages.append(Error("GAMIFICATION['TITLES'] must have a title for level 1.", id="gamification.E004"))
    if Fraction(str(current.LEVEL_MULTIPLIER)) < 1:
        messages.append(Error("GAMIFICATION['LEVEL_MULTIPLIER'] must be at least 1.", id="gamification.E004"))
    return messages


def _check_kinds(current: GamificationSettings) -> list[CheckMessage]:
    return [
        Error(f"The kind {kind.name!r} may neither pay nor raise less than 0.", id="gamification.E009")
        for kind in current.activity_types.values()
        if any(isinstance(step, int) and step < 0 for step in (kind.xp, *kind.counters.values()))
    ]


def _check_guards(current: GamificationSettings) -> list[CheckMessage]:
    limits = [
        Error(f"{problem} in the kind {kind.name!r}.", id="gamification.E020")
        for kind in current.activity_types.values()
        for problem in kind.limits.problems()
    ]
    rules = flag_rules.problems(current.FLAG_LIMITS)
    return [*limits, *(Error(f"GAMIFICATION['FLAG_LIMITS']: {problem}.", id="gamification.E021") for problem in rules)]


def _check_zone(current: GamificationSettings) -> list[CheckMessage]:
    try:
        ZoneInfo(current.DEFAULT_TIMEZONE)
    except (KeyError, ValueError, OSError, TypeError):
        return [Error("GAMIFICATION['DEFAULT_TIMEZONE'] is not an IANA time zone.", id="gamification.E005")]
    return []


def _check_names(current: GamificationSettings) -> list[CheckMessage]:
    reserved = {*STATE_METRICS, *DERIVED_COUNTERS}
    messages: list[CheckMessage] = [
        Error(f"The counter {name!r} has the name of a built-in metric or holds a colon.", id="gamification.E006")
        for name in sorted(current.counters)
        if name in reserved or ":" in name
    ]
    for setting, names, known in (
        ("SELF_REPORTED_KINDS", current.SELF_REPORTED_KINDS, frozenset(current.activity_types)),
        ("LEADERBOARD_COUNTERS", current.LEADERBOARD_COUNTERS, current.counters | set(DERIVED_COUNTERS)),
    ):
        messages += [
            Error(f"GAMIFICATION[{setting!r}] names {name!r}, which no kind declares.", id="gamification.E007")
            for name in names
            if name not in known
        ]
    return messages


def _check_hooks(current: GamificationSettings) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for path in [*(getattr(current, name) for name in HOOKS), *current.METRICS.values()]:
        if path is None or callable(path):
            continue
        why = ""
        try:
            is_usable = callable(import_string(path))
        except (ImportError, AttributeError) as error:
            is_usable, why = False, str(error)
        if not is_usable:
            text = f"GAMIFICATION points to {path!r}, which is no callable that can be imported."
            messages.append(Error(text, hint=why or None, id="gamification.E008"))
    return messages


def _check_backend(current: GamificationSettings) -> list[CheckMessage]:
    try:
        backend = import_string(current.LEADERBOARD_BACKEND)
    except (ImportError, AttributeError):
        return []  # told above
    problems = backend.problems() if isinstance(backend, type) and issubclass(backend, LeaderboardBackend) else []
    return [Error(problem, id="gamification.E010") for problem in problems]

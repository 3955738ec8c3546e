from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from gamification.admin.logins import check_admin_login
from gamification.checks import check_databases, check_deployment, check_replica, check_settings


def found(**given: Any) -> list[tuple[str, str]]:
    with override_settings(GAMIFICATION=given):
        return [(str(message.id), f"{message.msg} {message.hint or ''}") for message in check_settings()]


def test_the_project_and_the_defaults_pass():
    assert check_settings() == []
    assert found() == []


def test_an_unknown_setting_is_named_with_the_nearest_one():
    ((check_id, text),) = found(STREAK_FREZES=3)

    assert check_id == "gamification.E002"
    assert "'STREAK_FREZES'" in text
    assert "Did you mean 'STREAK_FREEZES'?" in text


def test_a_setting_like_no_other_is_answered_with_all_of_them():
    ((_, text),) = found(XYZZY=3)

    assert "BASE_XP" in text
    assert "TITLES" in text


def test_manage_check_fails_on_an_unknown_setting():
    with override_settings(GAMIFICATION={"BASE_PX": 5}), pytest.raises(SystemCheckError, match=r"gamification\.E002"):
        call_command("check")


def test_the_checks_are_registered():
    with override_settings(GAMIFICATION={"BASE_PX": 5}):
        assert "gamification.E002" in {message.id for message in run_checks()}


@pytest.mark.parametrize("given", [[], "x", 5, None])
def test_the_settings_must_be_a_dict(given):
    with override_settings(GAMIFICATION=given):
        assert [message.id for message in check_settings()] == ["gamification.E001"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_XP", 0),
        ("BASE_XP", "100"),
        ("BASE_XP", True),
        ("BASE_XP", 100.0),
        ("MAX_LEVEL", 1),
        ("MAX_LEVEL", 1001),
        ("BACKDATE_DAYS", -1),
        ("STREAK_FREEZES", -1),
        ("STREAK_FREEZES", 4),  # more than the maximum of 3
        ("STREAK_FREEZES_MAX", 2),  # less than the 3 at the start
        ("STREAK_FREEZE_EARNED_EVERY", -7),
        ("STREAK_BONUS_PER_DAY", -5),
        ("STREAK_BONUS_MAX", 1.5),
        ("LEADERBOARD_TTL", 0),
        ("LEADERBOARD_MAX_STALENESS", -1),
        ("LEADERBOARD_MAX_STALENESS", "x"),
        ("STREAK_AUTO_FREEZE", "no"),
        ("APPEND_ONLY_TRIGGERS", "yes"),
        ("VOID_ACHIEVEMENTS", "perhaps"),
        ("VOID_ACHIEVEMENTS", True),
        ("LEVEL_MULTIPLIER", "0"),
        ("LEVEL_MULTIPLIER", "-1"),
        ("LEVEL_MULTIPLIER", "x"),
        ("LEVEL_MULTIPLIER", None),
        ("TITLES", {}),
        ("TITLES", {5: "Late"}),
        ("TITLES", 5),
        ("TITLES", {"x": "y"}),
    ],
)
def test_a_value_out_of_range_is_named(name, value):
    messages = found(**{name: value})

    assert messages
    assert all(check_id.startswith("gamification.E") for check_id, _ in messages)
    assert any(name in text or "cannot be read" in text for _, text in messages)


@pytest.mark.parametrize(
    "given",
    [
        {"BACKDATE_DAYS": 0},
        {"STREAK_FREEZES": 0, "STREAK_FREEZES_MAX": 0},
        {"STREAK_FREEZE_EARNED_EVERY": 0},
        {"VOID_ACHIEVEMENTS": "revoke"},
        {"STREAK_BONUS_PER_DAY": 0, "STREAK_BONUS_MAX": 0},
        {"LEVEL_MULTIPLIER": 1.2},
        {"LEVEL_MULTIPLIER": 2},
        {"LEADERBOARD_MAX_STALENESS": 0.5},
        {"DEFAULT_TIMEZONE": "Asia/Kathmandu"},
        {"LEADERBOARD_COUNTERS": ["words_learned", "early_days"]},
        {"SELF_REPORTED_KINDS": ["daily_visit"]},
        {"ACTIVITY_TYPES": {"commit": {"counters": {"commits": 1}, "xp": 10}}, "LEADERBOARD_COUNTERS": ["commits"]},
        {"METRICS": {"followers": len}},
    ],
    ids=str,
)
def test_a_value_in_range_passes(given):
    assert found(**given) == []


@pytest.mark.parametrize("zone", ["", "Berlin", "+01:00", "../etc/passwd", 5, None, "a\x00"])
def test_a_default_zone_that_does_not_exist_is_named(zone):
    messages = found(DEFAULT_TIMEZONE=zone)

    assert messages
    assert "DEFAULT_TIMEZONE" in messages[0][1]


@pytest.mark.parametrize(
    "hook", ["LEADERBOARD_BACKEND", "DISPLAY_NAME", "AVATAR_URL", "USER_TIMEZONE", "IS_EXCLUDED", "SCOPES"]
)
@pytest.mark.parametrize("path", ["nowhere", "nowhere.at_all", "gamification.conf.nothing", 5, "django.VERSION"])
def test_a_hook_that_leads_nowhere_is_named(hook, path):
    messages = found(**{hook: path})

    assert messages
    assert any(str(path) in text for _, text in messages)


@pytest.mark.parametrize(
    "given",
    [
        {"METRICS": {"followers": "nowhere.at_all"}},
        {"METRICS": 5},
        {"ACTIVITY_TYPES": {"commit": "nowhere.at_all"}},
        {"ACTIVITY_TYPES": {"commit": {"xp": "nowhere.at_all"}}},
        {"ACTIVITY_TYPES": {"commit": {"cuonters": {}}}},
        {"ACTIVITY_TYPES": {"commit": {"counters": {"level": 1}}}},
        {"ACTIVITY_TYPES": {"commit": {"counters": {"early_days": 1}}}},
        {"ACTIVITY_TYPES": {"commit": {"counters": {"a:b": 1}}}},
        {"ACTIVITY_TYPES": {"commit": {"counters": {"commits": -1}}}},
        {"ACTIVITY_TYPES": {"commit": {"counters": ["commits"]}}},
        {"ACTIVITY_TYPES": {"commit": {"xp": -1}}},
        {"ACTIVITY_TYPES": {"commit": {"schema": 5}}},
        {"ACTIVITY_TYPES": 5},
        {"SELF_REPORTED_KINDS": ["commit"]},
        {"SELF_REPORTED_KINDS": 5},
        {"LEADERBOARD_COUNTERS": ["commits"]},
    ],
    ids=str,
)
def test_a_declaration_that_cannot_work_is_named(given):
    assert found(**given)


def warnings_of(monkeypatch: pytest.MonkeyPatch, **database: Any) -> list[str | None]:
    monkeypatch.setattr("gamification.checks.settings", SimpleNamespace(DATABASES={"default": database}))
    return [message.id for message in check_databases()]


@pytest.mark.parametrize(
    ("options", "ids"),
    [({}, ["gamification.W001"]), ({"transaction_mode": "IMMEDIATE"}, []), ({"transaction_mode": "immediate"}, [])],
)
def test_sqlite_without_immediate_transactions_is_warned_of(monkeypatch, options, ids):
    assert warnings_of(monkeypatch, ENGINE="django.db.backends.sqlite3", NAME="x", OPTIONS=options) == ids


def test_other_databases_are_not_warned_of(monkeypatch):
    assert warnings_of(monkeypatch, ENGINE="django.db.backends.postgresql", NAME="x") == []


@pytest.mark.parametrize(
    ("vendor", "version", "is_fine"),
    [
        ("sqlite", (3, 35, 0), True),
        ("sqlite", (3, 34, 1), False),
        ("postgresql", (1, 0, 0), True),
        ("mysql", (9, 9, 9), False),
    ],
)
def test_a_database_that_our_statements_do_not_run_on_is_named(monkeypatch, vendor, version, is_fine):
    monkeypatch.setattr("gamification.checks.connection", SimpleNamespace(vendor=vendor))
    monkeypatch.setattr("gamification.checks.sqlite3.sqlite_version_info", version)

    ids = [message.id for message in check_databases()]

    assert ("gamification.E011" in ids) is not is_fine


# A replica

REPLICA = {
    "DATABASES": {"default": {}, "replica": {}},
    "DATABASE_ROUTERS": ["gamification.replicas.ReplicaRouter"],
    "MIDDLEWARE": ["gamification.replicas.ReplicaMiddleware"],
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}},
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"DATABASE_ROUTERS": [], "MIDDLEWARE": []}, []),
        ({"DATABASES": {"default": {}}}, ["gamification.W002"]),
        ({"DATABASE_ROUTERS": []}, ["gamification.W002"]),
        ({"MIDDLEWARE": ["django.middleware.common.CommonMiddleware"]}, ["gamification.W002"]),
        ({"CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}, ["gamification.W003"]),
    ],
)
def test_a_replica_that_is_set_up_by_halves_is_named(monkeypatch, changed, expected):
    monkeypatch.setattr("gamification.checks.settings", SimpleNamespace(**{**REPLICA, **changed}))

    assert [message.id for message in check_replica()] == expected


SORTED_SETS = "gamification.backends.sorted_sets."
REDIS = "gamification.backends.redis.RedisBackend"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "['url'] must be set, for example to 'redis://localhost:6379/0'; it is None."),
        ({"url": 5}, "it is 5."),
        ({"url": "localhost:6379"}, "must begin with one of redis, rediss, unix, "),
        ({"url": "redis://localhost:port/0"}, "cannot be read: "),
        (
            {"url": "redis://localhost", "ulr": 1},
            "has no 'ulr' for RedisBackend; known are depth, prefix, timeout, url.",
        ),
    ],
)
def test_options_that_lead_to_no_redis_are_named(options, told):
    ((check_id, text),) = found(LEADERBOARD_BACKEND=REDIS, LEADERBOARD_OPTIONS=options)

    assert check_id == "gamification.E010"
    assert told in text


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "rediss://:secret@cache:6380/1",
        "unix:///run/redis.sock",
        "valkey://a",
        "redis+cluster://a:1",
    ],
)
def test_ways_to_redis_pass(url):
    assert found(LEADERBOARD_BACKEND=REDIS, LEADERBOARD_OPTIONS={"url": url, "prefix": "a", "timeout": 0.1}) == []


def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    for name in [name for name in sys.modules if name.startswith(("gamification.backends.redis", SORTED_SETS))]:
        monkeypatch.delitem(sys.modules, name)

    ((check_id, text),) = found(LEADERBOARD_BACKEND=REDIS, LEADERBOARD_OPTIONS={"url": "redis://localhost"})

    assert check_id == "gamification.E008"
    assert "RedisBackend needs the package redis: pip install 'django-gamification-practice[redis]'" in text


# Before it is deployed


@pytest.mark.parametrize(
    ("cache", "proxy", "proxies", "expected"),
    [
        ("django.core.cache.backends.redis.RedisCache", None, None, []),
        ("django.core.cache.backends.redis.RedisCache", ("HTTP_X_FORWARDED_PROTO", "https"), 1, []),
        ("django.core.cache.backends.redis.RedisCache", ("HTTP_X_FORWARDED_PROTO", "https"), None, ["W021"]),
        ("django.core.cache.backends.redis.RedisCache", ("HTTP_X_FORWARDED_PROTO", "https"), 0, ["W021"]),
        ("django.core.cache.backends.locmem.LocMemCache", None, 0, ["W020"]),
        ("django.core.cache.backends.dummy.DummyCache", None, 0, ["W020"]),
    ],
)
def test_what_makes_throttles_weaker_than_they_look_is_named(settings, cache, proxy, proxies, expected):
    settings.CACHES = {"default": {"BACKEND": cache, "LOCATION": "redis://127.0.0.1:1"}}
    settings.SECURE_PROXY_SSL_HEADER = proxy
    settings.REST_FRAMEWORK = {"NUM_PROXIES": proxies}

    assert [message.id for message in check_deployment()] == [f"gamification.{name}" for name in expected]


def test_an_admin_without_a_throttle_is_named(monkeypatch):
    plain = AdminSite(name="back-office")
    monkeypatch.setattr("gamification.admin.logins.all_sites", [admin.site])  # other tests make sites too
    assert check_admin_login() == []

    monkeypatch.setattr("gamification.admin.logins.all_sites", [plain])

    (message,) = check_admin_login()
    assert (message.id, "'back-office'" in message.msg) == ("gamification.W022", True)


def test_the_checks_before_deployment_are_registered(settings):
    settings.SECURE_PROXY_SSL_HEADER, settings.REST_FRAMEWORK = ("HTTP_X", "https"), {}

    ids = {message.id for message in run_checks(include_deployment_checks=True)}

    assert {"gamification.W020", "gamification.W021"} <= ids
    assert "gamification.W020" not in {message.id for message in run_checks()}


@pytest.mark.parametrize(
    ("limit", "value", "most"),
    [
        ("max_xp_per_event", 0, "1,000,000,000"),
        ("max_xp_per_day", -5, "1,000,000,000"),
        ("max_events_per_day", True, "1,000,000,000"),
        ("max_events_per_day", "5", "1,000,000,000"),
        ("cooldown_seconds", 1.5, "86,400"),
        ("cooldown_seconds", 86_401, "86,400"),
    ],
)
def test_a_limit_that_cannot_be_held_is_named_with_its_kind(limit, value, most):
    ((check_id, text),) = found(ACTIVITY_TYPES={"commit": {"xp": 10, limit: value}})

    assert check_id == "gamification.E020"
    assert f"{limit!r} must be a whole number from 1 to {most} in the kind 'commit'" in text


def test_limits_that_can_be_held_pass():
    limits = {"max_xp_per_event": 1, "max_xp_per_day": 1, "max_events_per_day": 1, "cooldown_seconds": 86_400}

    assert found(ACTIVITY_TYPES={"commit": {"xp": 10, **limits}, "words_learned": limits}) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"xp_a_fortnight": 5}, "'xp_a_fortnight' is no rule; there are xp_a_day, "),
        ({"xp_a_day": 0}, "'xp_a_day' must be a whole number from 1, or None"),
        ({"zones_a_day": 2.5}, "'zones_a_day' must be a whole number from 1, or None"),
    ],
)
def test_a_limit_of_flags_that_means_nothing_is_named(given, told):
    ((check_id, text),) = found(FLAG_LIMITS=given)

    assert check_id == "gamification.E021"
    assert told in text


def test_rules_for_flags_can_be_changed_and_turned_off():
    assert found(FLAG_LIMITS={"xp_a_day": 9, "zones_a_day": None}) == []
    assert found(FLAG_LIMITS=[])[0][0] == "gamification.E003"

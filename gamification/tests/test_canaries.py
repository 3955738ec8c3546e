"""Who somebody is stands in nothing that others see, in no log line and in no cache.

``python -m benchmarks.faults privacy`` asks a real site for more of it.
"""

from __future__ import annotations

import json
import logging

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from gamification.models import LeaderboardCache, PublicProfile
from gamification.services import achievements, leaderboards
from gamification.tests.api.table import TABLE
from gamification.tests.backends.people import person
from gamification.tests.services.lives import lively

pytestmark = pytest.mark.django_db

API = "/api/v1/gamification/"
NAMES = {
    "username": "kanarienlogin",
    "email": "kanarienmail@example.org",
    "first_name": "Kanarienfirst",
    "last_name": "Kanarienlast",
}
CANARY = "kanarien"  # not "canary": there is a time zone of that name


@pytest.fixture
def subject(settings):
    """Return somebody whom a project that chose nothing shows to others."""
    settings.GAMIFICATION = {}
    settings.DEBUG = False
    achievements.initialize()
    return lively(**NAMES)


@pytest.fixture
def other(subject):
    return person(score=5)


def paths(subject):
    """Return every address of the API that is read, every board, and every page."""
    profile = PublicProfile.objects.get(user=subject)
    people = [reverse(f"gamification:{name}", args=[profile.slug]) for name in ("profile", "card-svg", "card-png")]
    api = [API + (row.path or row.route).format(metric="xp_all_time") for row in TABLE if row.method == "GET"]
    names = leaderboards.metrics()
    boards = [f"{API}leaderboard/{metric}{end}" for metric in names for end in ("", "?limit=1", "/rank")]
    shown = [f"/gamification?metric={metric}" for metric in names]
    site = ["/", "/accounts/login/", "/api/schema/", "/api/docs/", "/admin/", "/nowhere"]
    return [*people, *api, *boards, *shown, *site, "/gamification/achievements", "/gamification/settings"]


def seen(client, path):
    response = client.get(path)
    content = b"".join(response) if response.streaming else response.content
    return f"{response.status_code} {response.headers} {content.decode(errors='replace')}".casefold()


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_nobody_learns_from_any_answer_who_somebody_is(subject, other, is_signed_in):
    client = Client()
    if is_signed_in:
        client.force_login(other)

    answers = {path: seen(client, path) for path in paths(subject)}

    assert [path for path, answer in answers.items() if CANARY in answer] == []
    assert sum(answer.startswith("200") for answer in answers.values()) > (40 if is_signed_in else 6)


def test_no_refusal_tells_either(subject, other):
    client = APIClient()
    client.force_login(other)
    bodies = [
        {"user": subject.pk},
        {"user": subject.pk, "amount": 5, "reason": "x", "key": "k"},
        [],
        {"user": {}},
        None,
    ]

    answers = [client.post(API + path, body, format="json") for path in ("xp/award", "activities") for body in bodies]

    assert {answer.status_code for answer in answers} <= {400, 403}
    assert [answer.content for answer in answers if CANARY.encode() in answer.content.lower()] == []


def test_no_log_line_names_anybody_however_much_is_logged(subject, other, caplog, settings):
    client, own = Client(raise_request_exception=False), Client()
    own.force_login(subject)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("django.template").setLevel(settings.LOGGING["loggers"]["django.template"]["level"])
        client.post("/accounts/login/", {"username": NAMES["username"], "password": "wrong"})
        client.post(reverse("admin:login"), {"username": NAMES["email"], "password": "wrong"})
        for path in [*paths(subject), "/%00", f"{API}nowhere"]:
            client.get(path)
            own.get(path)
        own.post("/gamification/settings/erase", {"confirmation": "wrong"})
        own.delete(f"{API}me/data", json.dumps({"password": "wrong"}), "application/json")
        own.post(f"{API}activities", "{", "application/json")

    assert len(caplog.records) > 10
    assert [text for text in caplog.text.casefold().splitlines() if CANARY in text] == []


def test_no_cache_holds_who_anybody_is(subject, other):
    client = Client()
    client.force_login(subject)
    client.post("/accounts/login/", {"username": NAMES["username"], "password": "wrong"})
    for path in paths(subject):
        client.get(path)

    kept = [repr(value) for value in cache._cache.values()] + list(cache._cache)
    snapshots = json.dumps(list(LeaderboardCache.objects.values_list("data", flat=True)))

    assert len(kept) > 5
    assert str(subject.pk) in snapshots
    assert CANARY not in " ".join([*kept, snapshots]).casefold()

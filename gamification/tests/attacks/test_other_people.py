"""What one person can learn of another by asking for it: canaries stand in every row of bob's, and eve asks."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from gamification.models import XPTransaction
from gamification.services import activities, profiles
from gamification.tests.attacks import callers, declared, world
from gamification.tests.attacks.doors import ANYBODY, DOORS, USER

CANARY = "canary"
#: What is everybody's: the words of definitions, and why staff excused a date.
PUBLIC = {"name", "description", "icon", "excuse", "undo reason"}
#: Whose rows somebody might ask for, in every spelling that a route might listen to.
ASKING = ("user", "user_id", "user__id", "users", "ids", "id", "pk", "owner", "for", "actor", "viewer", "account")
SEARCHING = ("q", "search", "term", "reason", "reference_id", "key", "kind", "ordering", "fields", "email")
WRITES: dict[str, dict[str, Any]] = {
    "activities": {"kind": "daily_visit", "key": "k"},
    "xp/award": {"amount": 5, "reason": "mine", "key": "k"},
    "me": {"timezone": "UTC"},
    "streaks/freeze": {},
    "streaks/update": {},
    "achievements/check": {},
}
OPEN = [door for door in DOORS if door.who in {USER, ANYBODY} and door.method == "GET"]


def canary(field: str, length: int) -> str:
    return f"some {field}"[:length] if field in PUBLIC else f"{CANARY} {field}"[:length]


@pytest.fixture
def hidden(attacked, db, settings):
    """Return a site where nobody's name is public and bob shows no profile."""
    settings.GAMIFICATION = {**declared.GAMIFICATION, "DISPLAY_NAME": None}
    return world.build(canary, is_public=False)


@pytest.fixture
def eve(hidden):
    user = callers.user_of("user")
    activities.record(user, "scenario_completed", key="scenario", data={"difficulty": "beginner"}, now=world.NOON)
    return callers.client_of(user)


def told(response) -> str:
    """Return all that an answer says: its headers, its content, and its pictures' texts."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{dict(response.headers)}{content.decode(errors='replace')}".casefold()


def test_the_canaries_sing(hidden):
    export = told(callers.client_of(hidden.bob).get("/api/v1/gamification/me/data"))

    kept = {"tag", "note", "key", "reason", "reference", "metadata", "grant", "revocation", "refusal"}
    kept |= {"void", "decision", "exclusion", "readmission"}
    assert kept <= set(re.findall(rf"{CANARY} ([a-z]+)", export))


def test_no_page_and_no_answer_tells_of_bob(hidden, eve):
    whose = "&".join(f"{name}={hidden.bob.pk}" for name in ASKING)
    what = "&".join(f"{name}={quote(canary(name, 99))}" for name in SEARCHING)

    for door in OPEN:
        address = door.address(hidden.names)
        for asked in (address, f"{address}?{whose}", f"{address}?{what}"):
            # What was asked may be said again.
            assert CANARY not in told(eve.get(asked)).replace(quote(CANARY), "").replace(what.casefold(), ""), asked


def test_boards_of_every_kind_and_group_tell_no_name(hidden, eve):
    boards = [
        "xp_all_time",
        "xp_monthly",
        "xp_weekly",
        "streak_current",
        "streak_longest",
        "scenarios_completed",
        "tags",
    ]

    for board in boards:
        for query in ("", "?limit=100", "?scope=class 1", "?me=false&limit=100"):
            for path in (f"leaderboard/{board}", f"leaderboard/{board}/rank"):
                assert CANARY not in told(eve.get(f"/api/v1/gamification/{path}{query}"))
        assert CANARY not in told(eve.get(f"/gamification?metric={board}", headers={"HX-Request": "true"}))


def test_another_persons_cursor_leads_through_ones_own_rows(hidden, eve):
    first = callers.client_of(hidden.bob).get("/api/v1/gamification/xp/history?limit=2").json()

    page = eve.get(first["next"])

    assert page.status_code == 200
    assert CANARY not in told(page)
    assert all(row["reason"] != canary("reason", 255) for row in page.json()["results"])


def test_a_profile_that_is_off_is_as_if_it_never_was(hidden, eve):
    slug = hidden.names["slug"]
    for path in (slug, f"{slug}/card.png", f"{slug}/card.svg"):
        assert eve.get(f"/gamification/people/{path}").status_code == 404
    profiles.share(hidden.bob, is_public=True)
    profiles.renew(hidden.bob)

    assert eve.get(f"/gamification/people/{slug}").status_code == 404


def test_a_profile_that_is_on_tells_no_more_than_its_name(hidden, eve):
    profiles.share(hidden.bob, is_public=True, showcase=["own"])

    for path in ("", "/card.png", "/card.svg"):
        assert CANARY not in told(eve.get(f"/gamification/people/{hidden.names['slug']}{path}"))


def test_writes_for_bob_by_eve_change_nothing_of_his(hidden, eve):
    mine = [row for rows in world.rows().values() for row in rows if row.get("user_id") == hidden.bob.pk]

    for path, body in WRITES.items():
        forged = {**body, "user": hidden.bob.pk, "user_id": hidden.bob.pk}
        method = "PATCH" if path == "me" else "POST"
        response = eve.generic(method, f"/api/v1/gamification/{path}", json.dumps(forged), "application/json")

        assert CANARY not in told(response)

    assert [row for rows in world.rows().values() for row in rows if row.get("user_id") == hidden.bob.pk] == mine


def test_a_key_of_bobs_is_free_for_eve_and_replays_nothing_of_his(hidden, settings):
    settings.GAMIFICATION = {**settings.GAMIFICATION, "SELF_REPORTED_KINDS": ["study_session"]}
    client = callers.client_of(callers.user_of("user"))
    event = {"kind": "study_session", "key": "scenario", "data": {"minutes": 5}}

    response = client.post("/api/v1/gamification/activities", json.dumps(event), "application/json")

    assert response.status_code == 201
    assert CANARY not in told(response)


def test_whether_a_transaction_exists_is_told_to_nobody_who_may_not_reverse(hidden, eve):
    there, nowhere = hidden.names["transaction"], XPTransaction.objects.latest("pk").pk + 1000

    answers = [eve.post(f"/api/v1/gamification/xp/transactions/{pk}/reverse") for pk in (there, nowhere)]

    assert answers[0].content == answers[1].content
    assert [answer.status_code for answer in answers] == [403, 403]


def test_signing_in_does_not_tell_who_has_an_account(hidden, client):
    login = "/accounts/login/"

    pages = [
        client.post(login, {"username": name, "password": "wrong"}) for name in (hidden.bob.username, "nobody at all")
    ]

    said = [re.sub(r'value="[^"]*"', "", page.content.decode()) for page in pages]
    assert said[0] == said[1]

"""Limits and cursors: what is none of ours is refused, and nothing else is raised."""

from __future__ import annotations

import base64
import json

import pytest

from gamification.exceptions import InvalidInput
from gamification.services import leaderboards
from gamification.tests.backends.people import NOON, ids, people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_hooks(settings):
    settings.GAMIFICATION = {}


def cursor_of(*parts):
    return base64.urlsafe_b64encode(json.dumps(list(parts)).encode()).decode()


@pytest.mark.parametrize(
    "limit", [0, -1, 101, 10**20, "abc", "10", 10.0, 10.5, True, None, float("nan"), [10]], ids=repr
)
def test_a_limit_outside_1_to_100_is_refused(limit):
    with pytest.raises(InvalidInput) as refused:
        leaderboards.top("xp_all_time", limit=limit, now=NOON)

    assert (refused.value.field, refused.value.status_code) == ("limit", 400)


@pytest.mark.parametrize("limit", [1, 100])
def test_a_limit_from_1_to_100_is_taken(limit):
    people(3, 2)

    assert len(leaderboards.top("xp_all_time", limit=limit, now=NOON).entries) == min(limit, 2)


GARBAGE = {
    "letters": "abc",
    "no base64": "!!!!",
    "not ascii": "é",
    "a lone surrogate": "\ud800",
    "no JSON": base64.urlsafe_b64encode(b"\xff\xfe{").decode(),
    "null": base64.urlsafe_b64encode(b"null").decode(),
    "a number": base64.urlsafe_b64encode(b"5").decode(),
    "an object": base64.urlsafe_b64encode(b'{"a": 1, "b": 2, "c": 3}').decode(),
    "deep": base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    "a long number": base64.urlsafe_b64encode(b"9" * 10_000).decode(),
    "too few": cursor_of(NOON.isoformat(), 5),
    "too many": cursor_of(NOON.isoformat(), 5, "1", 1),
    "no date": cursor_of("yesterday", 5, "1"),
    "a naive date": cursor_of("2026-06-10T12:00:00", 5, "1"),
    "a date that is a number": cursor_of(20260610, 5, "1"),
    "a score as text": cursor_of(NOON.isoformat(), "5", "1"),
    "a score as a truth value": cursor_of(NOON.isoformat(), True, "1"),
    "a fractional score": cursor_of(NOON.isoformat(), 5.5, "1"),
    "a score that is no number": cursor_of(NOON.isoformat(), float("nan"), "1"),
    "a negative score": cursor_of(NOON.isoformat(), -5, "1"),
    "a huge score": cursor_of(NOON.isoformat(), 2**63, "1"),
    "an id that is none": cursor_of(NOON.isoformat(), 50, "abc"),
    "no id": cursor_of(NOON.isoformat(), 50, None),
    "an id that is a list": cursor_of(NOON.isoformat(), 50, [1]),
    "an id that is an object": cursor_of(NOON.isoformat(), 50, {}),
    "an infinite id": cursor_of(NOON.isoformat(), 50, float("inf")),
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("depth", [1, 1000])
def test_a_cursor_that_was_never_given_out_is_refused(name, depth, settings):
    settings.GAMIFICATION = {"LEADERBOARD_OPTIONS": {"depth": depth}}
    people(50, 50, 40)

    with pytest.raises(InvalidInput) as refused:
        leaderboards.top("xp_all_time", cursor=GARBAGE[name], now=NOON)

    assert (refused.value.field, refused.value.status_code) == ("cursor", 400)


FORGED = {
    "an id beyond every column": cursor_of(NOON.isoformat(), 50, str(10**30)),
    "a negative id": cursor_of(NOON.isoformat(), 50, "-1"),
    "a date before all others": cursor_of("0001-01-01T00:00:00+23:59", 50, "1"),
    "a date after all others": cursor_of("9999-12-31T23:59:59-23:59", 50, "1"),
    "the greatest score": cursor_of(NOON.isoformat(), 2**63 - 1, "1"),
    "a score of 0": cursor_of(NOON.isoformat(), 0, "1"),
    "an unknown id": cursor_of(NOON.isoformat(), 45, "123456"),
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("depth", [1, 1000])
def test_a_forged_cursor_is_answered_or_refused(name, depth, settings):
    settings.GAMIFICATION = {"LEADERBOARD_OPTIONS": {"depth": depth}}
    users = people(50, 50, 40)

    try:
        page = leaderboards.top("xp_all_time", cursor=FORGED[name], now=NOON)
    except InvalidInput as refused:
        assert refused.field == "cursor"
    else:
        assert set(ids(page.entries)) <= {user.pk for user in users}

"""No body, however malformed, deep or long, gets a 5xx."""

from __future__ import annotations

import json

import pytest

from gamification.models import Activity, XPTransaction
from gamification.tests.api.conftest import assert_problem, errors_of
from gamification.tests.api.table import TABLE, filled

BODIES = {
    "nothing": b"",
    "white space": b"  \n",
    "half an object": b'{"user": 1, "amount": ',
    "no JSON": b"<xml/>",
    "not UTF-8": b'{"reason": "\xff\xfe"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"reason": "x"}',
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": Infinity}',
    "minus Infinity": b'{"amount": -Infinity}',
    "1e999": b'{"amount": 1e999}',
    "an integer of 5,000 digits": b'{"amount": ' + b"9" * 5000 + b"}",
    "an array 1,000 deep": b"[" * 1000 + b"]" * 1000,
    "an object 1,000 deep": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "100,000 brackets": b"[" * 100_000,
    "metadata 1,000 deep": b'{"metadata": ' + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"}",
    "metadata 40 deep": b'{"metadata": ' + b"[" * 40 + b"]" * 40 + b"}",
    "10 MB": b'{"reason": "' + b"x" * 10_000_000 + b'"}',
    "a NUL byte": b'{"reason": "a\x00b"}',
    "an escaped NUL": b'{"reason": "a\\u0000b"}',
    "a lone surrogate": b'{"reason": "\\ud800"}',
    "a lone surrogate as a name": b'{"\\udfff": 1}',
    "a list": b"[]",
    "a list of lists": b"[[]]",
    "a text": b'"text"',
    "a number": b"7",
    "null": b"null",
    "true": b"true",
    "a list of 1,001": json.dumps([{"kind": "daily_visit", "key": "k"}] * 1001).encode(),
}
WRITES = [row for row in TABLE if row.method != "GET" and row.body is not None]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("row", WRITES, ids=str)
def test_a_malformed_body_is_refused_and_changes_nothing(row, body, trusted):
    path = filled(row.path or row.route, {"transaction": 1, "activity": 1})

    response = trusted.send(row.method, path, body, **{"Idempotency-Key": "k"})

    # Everything in the settings may be left out, also all of it.
    is_fine = row.route == "me" and body in {b"", BODIES["a lone surrogate as a name"]}
    assert 400 <= response.status_code < 500 or (is_fine and response.status_code == 200), response.content[:200]
    assert json.loads(response.content)
    assert not XPTransaction.objects.exists()
    assert not Activity.objects.exists()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["streaks/update", "achievements/check"])
def test_a_body_that_nobody_reads_does_no_harm(path, body, ada):
    assert ada.send("POST", path, body).status_code == 200


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("half an object", 400, "parse_error"),
        ("not UTF-8", 400, "parse_error"),
        ("NaN", 400, "parse_error"),
        ("an integer of 5,000 digits", 400, "parse_error"),
        ("an array 1,000 deep", 400, "parse_error"),
        ("metadata 40 deep", 400, "parse_error"),
        ("10 MB", 413, "body_too_large"),
        ("an escaped NUL", 400, "invalid"),
        ("a lone surrogate", 400, "invalid"),
        ("1e999", 400, "invalid"),
    ],
)
def test_what_is_wrong_with_a_body_is_said(name, status, code, trusted):
    assert_problem(trusted.send("POST", "xp/award", BODIES[name]), status, code)


@pytest.mark.parametrize(
    ("body", "index", "place", "code"),
    [
        (r'{"reason": "\u0000"}', None, "reason", "unstorable_character"),
        (r'{"metadata": {"words": ["a", "\ud800"]}}', None, "metadata.words[1]", "unstorable_character"),
        (r'{"metadata": {"words": {"\ud800": 1}}}', None, "metadata.words", "unstorable_character"),
        (r'{"metadata": {"score": -1e999}}', None, "metadata.score", "not_finite"),
        (r'{"\u0000": 1}', None, None, "unstorable_character"),
        (r'[{}, {"data": {"note": "\u0000"}}]', 1, "data.note", "unstorable_character"),
        (r'["\u0000"]', 0, None, "unstorable_character"),
        (r'"\u0000"', None, None, "unstorable_character"),
    ],
)
def test_the_place_of_what_cannot_be_stored_is_named(body, index, place, code, trusted):
    response = trusted.send("POST", "activities", body.encode())

    assert_problem(response, 400, "invalid")
    assert errors_of(response) == [(index, place, code)]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/json5",
        "json",
        "/",
        "application/json/x",
        "\x00",
    ],
)
def test_other_content_types_are_refused(content_type, trusted):
    response = trusted.send("POST", "xp/award", b'{"amount": 1}', content_type)

    assert_problem(response, response.status_code, response.json()["code"])
    assert response.status_code in {400, 415}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_is_read_whatever_its_parameters(content_type, trusted, bob):
    body = json.dumps({"user": bob.user.pk, "amount": 1, "reason": "é", "key": "k"}).encode()

    assert trusted.send("POST", "xp/award", body, content_type).status_code == 201


def test_the_projects_own_limit_counts(trusted, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20

    assert trusted.send("POST", "xp/award", b"[" + b" " * 18 + b"]").status_code == 400
    assert trusted.send("POST", "xp/award", b"[" + b" " * 19 + b"]").status_code == 413


def test_no_limit_is_a_limit_too(trusted, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None

    assert_problem(trusted.send("POST", "xp/award", BODIES["10 MB"]), 400, "invalid")


@pytest.mark.parametrize(
    "path",
    [
        "achievements/%00",
        "achievements/%ED%A0%80",
        "achievements/" + "x" * 5000,
        "leaderboard/%00",
        "leaderboard/%00/rank",
        "leaderboard/xp_all_time?scope=%00",
        "leaderboard/xp_all_time?scope=" + "x" * 5000,
        "leaderboard/xp_all_time?cursor=%00",
        "leaderboard/xp_all_time?cursor=%F0%9F%98%80",
        "leaderboard/xp_all_time?cursor=W10=",
        "leaderboard/xp_all_time?cursor=WzEsMiwzXQ==",
        "leaderboard/xp_all_time/rank?scope=nobody",
        "xp/history?cursor=%00",
        "xp/history?cursor=bz0x%F0",
        "xp/history?cursor=cD1ub25zZW5zZQ==",
        "xp/history?cursor=bz0tMQ==",
        "xp/history?reason=%00",
        "xp/history?created_after=0001-01-01T00:00:00%2B14:00",
        "xp/history?created_before=9999-12-31T23:59:59-14:00",
        "xp/history?created_after=yesterday",
        "xp/history?earned_after=2026-02-30",
        "xp/history?limit=0",
        "xp/history?limit=-1",
        "xp/history?limit=101",
        "xp/history?limit=abc",
        "xp/history?limit=%EF%BC%91",
        "xp/history?limit=" + "9" * 5000,
        "achievements?category=none",
        "achievements?unlocked=perhaps",
    ],
)
def test_a_malformed_address_is_refused_as_a_problem(path, ada):
    response = ada.get(path)

    assert response.status_code in {400, 404}, response.content
    assert_problem(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize("transaction_id", ["0", "-1", "x", "1.5", "%EF%BC%91", "9" * 19, "9" * 5000, "%00"])
def test_an_id_that_is_none_finds_nothing(transaction_id, trusted):
    response = trusted.post(f"xp/transactions/{transaction_id}/reverse", {"reason": "x"}, key="k")

    assert_problem(response, 404, "not_found")

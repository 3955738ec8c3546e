"""Bad lines of JSONL, and files that are none."""

from __future__ import annotations

import gzip
import json

import pytest

from gamification.tests.management.conftest import FULL_HEADER, keys, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now", "ada")]

WHEN = "2026-06-03T12:00:00Z"
FIRST = "ada,daily_visit,2026-06-01T12:00:00Z,first,,,"
GOOD = {"user": "ada", "kind": "daily_visit", "occurred_at": WHEN}


BAD_JSONL = [
    ("nonsense", "bad_json"),
    ("{", "bad_json"),
    ('{"user": "ada"} {}', "bad_json"),
    ("[" * 60_000, "bad_json"),
    ('{"quantity": %s}' % ("9" * 5000), "bad_json"),
    ('{"quantity": NaN}', "bad_json"),
    ("[]", "not_an_object"),
    ('"ada"', "not_an_object"),
    ("null", "not_an_object"),
    ("5", "not_an_object"),
    ({}, "missing_columns"),
    ({"user": "ada", "key": "k", "occurred_at": WHEN}, "missing_columns"),
    (GOOD, "key_required"),
    ({**GOOD, "key": None}, "key_required"),
    ({**GOOD, "key": 5}, "invalid"),
    ({**GOOD, "key": ["k"]}, "invalid"),
    ({**GOOD, "key": "k", "user": 5}, "invalid"),
    ({**GOOD, "key": "k", "user": None}, "invalid"),
    ({**GOOD, "key": "k", "user": {"id": 5}}, "invalid"),
    ({**GOOD, "key": "k", "user": "\ud800"}, "invalid"),
    ({**GOOD, "key": "\ud800"}, "invalid"),
    ({**GOOD, "key": "k", "kind": "\ud800"}, "unknown_kind"),
    ({**GOOD, "key": "k", "kind": ["daily_visit"]}, "unknown_kind"),
    ({**GOOD, "key": "k", "kind": None}, "unknown_kind"),
    ({**GOOD, "key": "k", "occurred_at": 1780315200}, "invalid"),
    ({**GOOD, "key": "k", "occurred_at": None}, "invalid"),
    ({**GOOD, "key": "k", "occurred_at": "\ud800"}, "invalid"),
    ({**GOOD, "key": "k", "quantity": "10"}, "invalid"),
    ({**GOOD, "key": "k", "quantity": True}, "invalid"),
    ({**GOOD, "key": "k", "quantity": 1.0}, "invalid"),
    ({**GOOD, "key": "k", "quantity": 2**63}, "invalid"),
    ({**GOOD, "key": "k", "quantity": []}, "invalid"),
    ({**GOOD, "key": "k", "timezone": "\ud800"}, "unknown_timezone"),
    ({**GOOD, "key": "k", "timezone": 2}, "unknown_timezone"),
    ({**GOOD, "key": "k", "data": "{}"}, "invalid"),
    ({**GOOD, "key": "k", "data": [1]}, "invalid"),
    ({**GOOD, "key": "k", "data": {"\ud800": 1}}, "invalid"),
    ({**GOOD, "key": "k", "data": {"x": "\x00"}}, "invalid"),
    (json.dumps({**GOOD, "key": "k", "data": {"x": "#"}}).replace('"#"', "1e999"), "invalid"),
    ({**GOOD, "key": "k", "quantiy": 3}, "unknown_column"),
    ({**GOOD, "key": "k", "\ud800": 3}, "unknown_column"),
    (b'{"user": "\xff"}', "not_utf8"),
    ({**GOOD, "key": "k", "data": {"x": "x" * 70_000}}, "too_long"),
]


@pytest.mark.parametrize(("row", "code"), BAD_JSONL)
def test_a_bad_line_of_jsonl_is_reported_too(row, code):
    line = json.dumps(row) if isinstance(row, dict) else row

    done, refusals = run(json.dumps({**GOOD, "key": "first"}), line, json.dumps({**GOOD, "key": "last"}))

    assert [(refusal.line, refusal.code) for refusal in refusals] == [(2, code)]
    assert set(keys()) == {"first", "last"}
    assert (done.rows, done.recorded, done.refused) == (3, 2, 1)
    assert refusals[0].reason.isprintable()


@pytest.mark.parametrize(
    ("raw", "code", "reason"),
    [
        (b"", "empty_file", "nothing in the file"),
        (b"user,kind,key\nada,daily_visit,k\n", "missing_columns", "lacks occurred_at"),
        (b"ada,daily_visit,2026-06-01T12:00:00Z,k\n", "missing_columns", "lacks user, kind, occurred_at, key"),
        (b"user;kind;occurred_at;key\n", "missing_columns", "lacks user, kind, occurred_at, key"),
        (b"user,kind,occurred_at,key,quantiy\n", "unknown_column", "has quantiy; known"),
        (b"user,kind,occurred_at,key,key\n", "unknown_column", "has key, key; known"),
        (b"\xff\xfeu\x00s\x00e\x00r\x00", "not_utf8", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not_utf8", "UTF-8"),
        (b"x" * 100_000, "too_long", "longer than 65,536 bytes"),
        (b'"user,kind,occurred_at,key\nada,daily_visit,2026-06-01T12:00:00Z,k', "bad_csv", "quote"),
    ],
)
def test_a_file_that_is_no_such_file_is_reported_on_its_first_line(manage, tmp_path, raw, code, reason):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)

    outcome = manage("import_activities", path)

    assert (outcome.code, keys()) == (1, [])
    assert outcome.err.startswith(f"  line 1: {code}: ")
    assert reason in outcome.err


def test_a_file_that_is_not_there_is_said_so(manage, tmp_path):
    outcome = manage("import_activities", tmp_path / "no.csv")

    assert (outcome.code, outcome.err) == (1, f"{tmp_path}/no.csv cannot be read: No such file or directory.")


def test_a_folder_is_no_file(manage, tmp_path):
    outcome = manage("import_activities", tmp_path)

    assert (outcome.code, outcome.err) == (1, f"{tmp_path} cannot be read: Is a directory.")


@pytest.mark.parametrize("damage", [lambda raw: raw[:-20], lambda raw: raw[:40] + b"\x00" * 40 + raw[80:]])
def test_of_a_damaged_archive_nothing_is_recorded(manage, tmp_path, damage):
    lines = [FIRST.replace("first", f"{number:x}" * 3) for number in range(500)]
    path = tmp_path / "a.csv.gz"
    path.write_bytes(damage(gzip.compress("\n".join([FULL_HEADER, *lines]).encode())))

    outcome = manage("import_activities", path)

    assert (outcome.code, keys()) == (1, [])
    assert "cannot be read: " in outcome.err
    assert outcome.err.endswith("Nothing was recorded.")

"""Bad rows of CSV: each is reported with its line and the reason, never with a traceback, and the good ones go in."""

from __future__ import annotations

import gzip

import pytest
from django.contrib.auth import get_user_model

from gamification.tests.factories import UserFactory
from gamification.tests.management.conftest import FULL_HEADER, keys, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now", "ada")]

WHEN = "2026-06-03T12:00:00Z"
FIRST = "ada,daily_visit,2026-06-01T12:00:00Z,first,,,"
LAST = "ada,daily_visit,2026-06-02T12:00:00Z,last,,,"


BAD_CSV = [
    # the row, its code, its field
    ("ada,nonsense,{when},k,,,", "unknown_kind", "kind"),
    ("ada,,{when},k,,,", "unknown_kind", "kind"),
    ("ada,daily_visit,yesterday,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,2026-02-30T12:00:00Z,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,2026-06-01,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,2026-06-01T12:00:00,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,1780315200,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,0001-01-01T00:00:00+14:00,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,1969-12-31T23:59:59Z,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,9999-12-31T23:59:59-14:00,k,,,", "invalid", "occurred_at"),
    ("ada,daily_visit,2026-06-20T12:05:01Z,k,,,", "future_event", "occurred_at"),
    ("ada,daily_visit,{when},,,,", "key_required", "key"),
    (f"ada,daily_visit,{{when}},{'k' * 256},,,", "invalid", "key"),
    ("ada,daily_visit,{when},käy,,,", "invalid", "key"),
    ("ada,daily_visit,{when},k\x00y,,,", "invalid", "key"),
    ("ada,daily_visit,{when},k\ty,,,", "invalid", "key"),
    ("ada,daily_visit,2026-06-01T13:00:00Z,first,,,", "idempotency_conflict", "key"),
    ("ada,words_learned,2026-06-01T12:00:00Z,first,,,", "idempotency_conflict", "key"),
    ("ada,daily_visit,2026-06-01T12:00:00Z,first,2,,", "idempotency_conflict", "key"),
    ("ada,words_learned,{when},k,0,,", "invalid", "quantity"),
    ("ada,words_learned,{when},k,-1,,", "invalid", "quantity"),
    ("ada,words_learned,{when},k,1.5,,", "invalid", "quantity"),
    ("ada,words_learned,{when},k,1e3,,", "invalid", "quantity"),
    ("ada,words_learned,{when},k,many,,", "invalid", "quantity"),
    ("ada,words_learned,{when},k,10001,,", "invalid", "quantity"),
    (f"ada,words_learned,{{when}},k,{2**63},,", "invalid", "quantity"),
    (f"ada,words_learned,{{when}},k,{'9' * 5000},,", "invalid", "quantity"),
    ("ada,words_learned,{when},k,\u0661\u0662,,", "invalid", "quantity"),
    ("ada,daily_visit,{when},k,,Mars/Olympus,", "unknown_timezone", "timezone"),
    ("ada,daily_visit,{when},k,,+02:00,", "unknown_timezone", "timezone"),
    ("ada,daily_visit,{when},k,,../etc/passwd,", "unknown_timezone", "timezone"),
    ("ada,study_session,{when},k,,,{{minutes: 5}}", "bad_json", "data"),
    ("ada,study_session,{when},k,,,nonsense", "bad_json", "data"),
    ('ada,study_session,{when},k,,,"{{""minutes"": NaN}}"', "bad_json", "data"),
    (f"ada,study_session,{{when}},k,,,{'[' * 50_000}", "bad_json", "data"),
    (f'ada,study_session,{{when}},k,,,"{{{{""minutes"": {"9" * 5000}}}}}"', "bad_json", "data"),
    ("ada,study_session,{when},k,,,5", "invalid", "data"),
    ("ada,study_session,{when},k,,,[]", "invalid", "data"),
    ('ada,study_session,{when},k,,,"{{""minutes"": 1441}}"', "invalid", "data.minutes"),
    ('ada,study_session,{when},k,,,"{{""minutes"": true}}"', "invalid", "data.minutes"),
    ('ada,study_session,{when},k,,,"{{""hours"": 1}}"', "invalid", "data"),
    ('ada,study_session,{when},k,,,"{{""x"": ""\\ud800""}}"', "invalid", "data.x"),
    ('ada,study_session,{when},k,,,"{{""\\u001b[31m"": ""\\u0000""}}"', "invalid", "data.\\x1b[31m"),
    (",daily_visit,{when},k,,,", "invalid", "user"),
    ("  ,daily_visit,{when},k,,,", "invalid", "user"),
    ("a\x00da,daily_visit,{when},k,,,", "invalid", "user"),
    (f"{'x' * 300},daily_visit,{{when}},k,,,", "invalid", "user"),
    ("nobody,daily_visit,{when},k,,,", "unknown_user", "user"),
    ("ada,daily_visit,{when}", "missing_columns", ""),
    ("ada", "missing_columns", ""),
    (",", "missing_columns", ""),
    ("ada,daily_visit,{when},k,,,,", "too_many_columns", ""),
    ("ada,daily_visit,{when},k,,,,x,y", "too_many_columns", ""),
    (b"\xff\xfe,daily_visit,{when},k,,,", "not_utf8", ""),
    (b"ada,daily_visit,{when},k\xe9y,,,", "not_utf8", ""),
    (b"ada,daily_visit,{when},\xed\xa0\x80,,,", "not_utf8", ""),
    (f"ada,study_session,{{when}},k,,,{'x' * 140_000}", "too_long", ""),
    ('"ada,daily_visit,{when},k,,,', "bad_csv", ""),
    ('ada,daily_visit,{when},"k,,,', "bad_csv", ""),
    ('ada,daily_visit,{when},k,,,"{{', "bad_csv", ""),
    ('ada,daily_visit,{when},"k"y,,,', "bad_csv", ""),
    ("ada,daily_visit,{when},k\ry,,,", "bad_csv", ""),
]


def with_moment(row: str | bytes) -> bytes:
    """Return ``row`` as bytes, with the moment in its place."""
    if isinstance(row, bytes):
        return row.replace(b"{when}", WHEN.encode())
    return row.format(when=WHEN).encode()


@pytest.mark.parametrize(("row", "code", "field"), BAD_CSV)
def test_a_bad_row_is_reported_with_line_and_reason_and_the_others_go_in(row, code, field):
    done, refusals = run(FULL_HEADER, FIRST, with_moment(row), LAST)

    assert [(refusal.line, refusal.code, refusal.field) for refusal in refusals] == [(3, code, field)]
    assert set(keys()) == {"first", "last"}
    assert (done.rows, done.recorded, done.refused) == (3, 2, 1)
    assert refusals[0].reason.isprintable()
    assert len(refusals[0].reason) < 500


def test_all_bad_rows_at_once_cost_no_good_one(manage, tmp_path):
    good = [FIRST.replace("first", f"good{number}").encode() for number in range(len(BAD_CSV))]
    lines = [line for pair in zip([with_moment(row) for row, _, _ in BAD_CSV], good, strict=True) for line in pair]
    path, report = tmp_path / "a.csv.gz", tmp_path / "report.csv"
    path.write_bytes(gzip.compress(b"\r\n".join([FULL_HEADER.encode(), FIRST.encode(), *lines, LAST.encode()])))

    outcome = manage("import_activities", path, "--report", report)

    assert outcome.code == 1
    assert set(keys()) == {"first", "last", *(f"good{number}" for number in range(len(BAD_CSV)))}
    assert report.read_text().count("\n") == len(BAD_CSV) + 1


def test_a_quote_that_is_never_closed_costs_its_own_line_alone():
    many = [FIRST.replace("first", f"k{number}") for number in range(3000)]

    done, refusals = run(FULL_HEADER, '"ada,daily_visit', *many, '"', LAST)

    assert [(refusal.line, refusal.code) for refusal in refusals] == [(2, "bad_csv"), (3003, "bad_csv")]
    assert done.recorded == 3001


def test_a_row_that_is_longer_than_anything_is_passed_over_without_being_held():
    done, refusals = run(FULL_HEADER, FIRST, b"x" * 3_000_000, LAST)

    assert [(refusal.line, refusal.code) for refusal in refusals] == [(3, "too_long")]
    assert done.recorded == 2


def test_somebody_who_is_deleted_meanwhile_costs_their_own_rows_alone():
    UserFactory(username="bo")

    def delete_bo(step: str, done: int, total: int | None) -> None:
        if step == "Recording":
            get_user_model().objects.filter(username="bo").delete()

    lines = [FIRST, FIRST.replace("ada", "bo")]
    _, refusals = run(FULL_HEADER, *lines, events_at_once=1, progress=delete_bo)

    assert [(refusal.line, refusal.code) for refusal in refusals] == [(3, "unknown_user")]
    assert set(keys()) == {"first"}

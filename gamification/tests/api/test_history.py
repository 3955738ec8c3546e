"""The ledger through the API: pages and filters."""

from __future__ import annotations

from datetime import UTC, timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from gamification.models import XPTransaction
from gamification.services import xp
from gamification.tests.api.conftest import assert_problem, errors_of


@pytest.fixture
def ledger(ada, bob) -> list[XPTransaction]:
    """Return 12 rows of ada, newest first, most of them booked at one moment; bob has one."""
    noon = timezone.now().replace(microsecond=0) - timedelta(days=3)
    moments = [noon - timedelta(days=2), noon - timedelta(days=1), *[noon] * 10]
    for number, now in enumerate(moments):
        reason = "essay" if number % 2 else "quiz"
        xp.award(ada.user, number + 1, reason=reason, key=str(number), metadata={"n": number}, now=now)
    xp.award(bob.user, 99, reason="essay", key="bob")
    return list(xp.history(ada.user))


def test_a_row_has_the_names_of_its_columns(ada, ledger):
    row = ledger[0]

    assert ada.json("xp/history")["results"][0] == {
        "id": row.pk,
        "xp_amount": 12,
        "reason": "essay",
        "reference_id": "",
        "created_at": row.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "earned_on": row.created_at.date().isoformat(),
        "reverses": None,
        "metadata": {"n": 11},
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 11, 12, 100])
def test_pages_neither_repeat_nor_drop_a_row_there_and_back(limit, ada, ledger):
    there: list[int] = []
    back: list[int] = []
    page = ada.json(f"xp/history?limit={limit}")
    while True:
        there += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        page = ada.json(urlsplit(page["next"])._replace(scheme="", netloc="").geturl().partition("gamification/")[2])
    while True:
        back = [row["id"] for row in page["results"]] + back
        if page["previous"] is None:
            break
        page = ada.json(
            urlsplit(page["previous"])._replace(scheme="", netloc="").geturl().partition("gamification/")[2]
        )

    assert there == back == [row.pk for row in ledger]


def test_a_page_is_one_query_and_is_never_counted(ada, ledger, django_assert_num_queries):
    with django_assert_num_queries(2):  # the user, the rows
        assert set(ada.json("xp/history?limit=2")) == {"next", "previous", "results"}


def test_rows_are_filtered_by_reason(ada, ledger):
    rows = ada.json("xp/history?reason=quiz")["results"]

    assert [row["id"] for row in rows] == [row.pk for row in ledger if row.reason == "quiz"]
    assert ada.json("xp/history?reason=nothing")["results"] == []


def test_rows_are_filtered_by_moment_and_by_date_with_both_ends(ada, ledger):
    oldest, second = ledger[-1], ledger[-2]

    def ids(query: str) -> list[int]:
        return [row["id"] for row in ada.json(f"xp/history?{query}")["results"]]

    assert ids(f"created_before={second.created_at:%Y-%m-%dT%H:%M:%SZ}") == [second.pk, oldest.pk]
    assert len(ids(f"created_after={second.created_at:%Y-%m-%dT%H:%M:%SZ}")) == 11
    assert ids(f"earned_before={oldest.earned_on}") == [oldest.pk]
    assert ids(f"earned_after={second.earned_on}&earned_before={second.earned_on}&reason=essay") == [second.pk]


def test_pages_keep_their_filters(ada, ledger):
    page = ada.json("xp/history?reason=quiz&limit=2")

    assert "reason=quiz" in page["next"]


@pytest.mark.parametrize(
    "query",
    [
        "created_after=x",
        "earned_after=",
        "reason=",
        "created_before=2026-13-01",
        "earned_after=1",
        "limit=0",
        "limit=x",
        "cursor=x",
    ],
)
def test_a_bad_filter_is_named(query, ada):
    response = ada.get(f"xp/history?{query}")

    assert_problem(response, 400, "invalid")
    assert [field for _, field, _ in errors_of(response)] == [query.partition("=")[0]]

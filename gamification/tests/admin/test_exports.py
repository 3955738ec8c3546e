"""The ledgers as files: what the list shows, safe in a spreadsheet, read a page at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gamification.admin import exports
from gamification.models import Activity, XPTransaction
from gamification.services import activities, xp
from gamification.tests.admin.conftest import NOON

LEDGERS = ["xptransaction", "activity"]


def export_url(model="xptransaction", query=""):
    return reverse(f"admin:gamification_{model}_export") + query


def downloaded(client, model="xptransaction", query=""):
    response = client.get(export_url(model, query))
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


@pytest.fixture
def fill(ada):
    """Return a function that adds rows to the ledger of ada."""

    def _fill(number):
        XPTransaction.objects.bulk_create(
            XPTransaction(user=ada, xp_amount=n + 1, reason="r", source="client", key=f"k{n}", created_at=NOON)
            for n in range(number)
        )

    return _fill


def test_the_ledger_is_exported_the_newest_first(award, root_client):
    rows = downloaded(root_client)

    assert [int(row["id"]) for row in rows] == list(XPTransaction.objects.order_by("-pk").values_list("pk", flat=True))
    assert rows[0] == {
        "id": str(award.pk),
        "created_at": "2026-06-01T12:00:00+00:00",
        "user_id": str(award.user_id),
        "user__username": "ada",
        "xp_amount": "10",
        "reason": "for a test",
        "source": "client",
        "actor_id": "",
        "actor__username": "",
        "reference_id": "",
        "earned_on": "2026-06-01",
        "key": "ten",
        "reverses_id": "",
    }


def test_the_log_is_exported(ada, root_client):
    (row,) = downloaded(root_client, "activity")

    assert (row["kind"], row["user__username"], row["key"]) == ("scenario_completed", "ada", "one")
    assert '"language": "es"' in row["data"]


@pytest.mark.parametrize("reason", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1"])
def test_texts_are_no_formulas_and_numbers_stay_numbers(ada, root_client, reason):
    XPTransaction.objects.create(user=ada, xp_amount=-50, reason=reason, source="client", key="k", created_at=NOON)

    row = downloaded(root_client)[0]

    assert (row["reason"], row["xp_amount"]) == (f"'{reason}", "-50")


@pytest.mark.parametrize(
    ("query", "sources"),
    [
        ("?source__exact=achievement", {"achievement"}),
        ("?source__exact=streak", {"streak"}),
        ("?q=ada", {"achievement", "activity", "streak", "client"}),
        ("?q=nobody", set()),
        ("?created_at__gte=2199-01-01+00:00:00%2B00:00", set()),
    ],
)
def test_an_export_holds_what_the_list_shows(award, root_client, query, sources):
    assert {row["source"] for row in downloaded(root_client, query=query)} == sources


def test_the_button_keeps_the_filters(award, root_client):
    content = root_client.get(reverse("admin:gamification_xptransaction_changelist") + "?source__exact=streak").content

    assert f'href="{export_url(query="?source__exact=streak")}"'.encode() in content
    assert b"up to the newest 1,000,000 rows" in content


def test_every_page_of_the_list_is_in_it_and_none_twice(fill, root_client, monkeypatch):
    monkeypatch.setattr(exports, "ROWS_READ", 7)
    fill(40)

    ids = [row["id"] for row in downloaded(root_client)]

    assert len(ids) == len(set(ids)) == XPTransaction.objects.count()


@pytest.mark.parametrize("limit", [1, 7, 13, 14])
def test_an_export_ends_at_the_limit(fill, root_client, monkeypatch, limit):
    monkeypatch.setattr(exports, "ROWS_READ", 7)
    monkeypatch.setattr(exports, "ROWS_EXPORTED", limit)
    fill(20)

    assert len(downloaded(root_client)) == limit


def test_rows_are_read_as_they_are_sent(fill, root_client, monkeypatch):
    monkeypatch.setattr(exports, "ROWS_READ", 10)
    fill(100)
    response = root_client.get(export_url())

    with CaptureQueriesContext(
        connection,
    ) as reading:
        parts = iter(response.streaming_content)
        for _ in range(5):
            next(parts)

    assert isinstance(response.streaming_content, Iterator)
    assert len(reading) == 1


def test_what_is_booked_meanwhile_moves_nothing(fill, ada, root_client, monkeypatch):
    monkeypatch.setattr(exports, "ROWS_READ", 10)
    fill(30)
    before = XPTransaction.objects.count()
    parts = iter(root_client.get(export_url()).streaming_content)
    seen = [next(parts) for _ in range(8)]

    xp.award(ada, 1, reason="late", key="late", now=NOON)

    content = b"".join([*seen, *parts]).decode("utf-8-sig")
    assert len(content.splitlines()) == before + 1
    assert "late" not in content


@pytest.mark.parametrize("model", LEDGERS)
def test_to_export_takes_the_permission_to_view(client_with, ada, model):
    assert client_with(f"view_{model}").get(export_url(model)).status_code == 200


@pytest.mark.parametrize("model", LEDGERS)
def test_nobody_else_exports(client_with, client, ada, model):
    assert client_with("view_achievement", "change_achievement").get(export_url(model)).status_code == 403
    client.force_login(ada)
    assert client.get(export_url(model)).status_code == 302


@pytest.mark.parametrize(
    ("query", "status"), [("?source__exact[]=x", 302), ("?nonsense=1", 302), ("?created_at__gte=x", 302)]
)
def test_a_filter_that_is_none_leads_back_to_the_list(award, root_client, query, status):
    assert root_client.get(export_url(query=query)).status_code == status


def test_the_name_of_the_file_says_what_and_when(award, root_client):
    today = timezone.localdate()

    disposition = root_client.get(export_url())["Content-Disposition"]

    assert disposition == f'attachment; filename="xp-transactions-{today:%Y-%m-%d}.csv"'


def test_an_empty_ledger_is_a_line_of_names(root_client):
    response = root_client.get(export_url("activity"))

    assert b"".join(response.streaming_content).decode("utf-8-sig").startswith("id,occurred_at,user_id")
    assert not Activity.objects.exists()


def test_a_key_of_a_client_is_no_formula_either(ada, root_client):
    activities.record(ada, "daily_visit", key="=cmd", now=NOON, occurred_at=NOON)

    assert downloaded(root_client, "activity")[0]["key"] == "'=cmd"

"""Every list and every page of a row: who may open it, and how many queries it takes."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gamification.admin.base import BoundedPaginator
from gamification.models import BoardExclusion, ExcusedDate, Flag, QueuedActivity, UserCounter
from gamification.services import webhooks, xp
from gamification.tests.admin.conftest import LARGE, MODELS, NOON, list_url

# Session, user, rows, their number; then what the filters list, and the definitions of the rows.
CEILINGS = {
    "achievement": 4,
    "activity": 4,
    "boardexclusion": 4,
    "excuseddate": 4,
    "flag": 4,
    "leaderboardcache": 4,
    "queuedactivity": 4,
    "userachievement": 6,
    "usercounter": 4,
    "userday": 4,
    "userstreak": 4,
    "userxp": 4,
    "webhookdelivery": 5,
    "webhookendpoint": 4,
    "xptransaction": 4,
}
READ_ONLY = [name for name in MODELS if name not in {"achievement", "webhookendpoint"}]


@pytest.fixture
def everything(award, boards, root):
    """Have at least one row in every table."""
    webhooks.add("https://[2606:4700::1111]/hooks", ["level.up"])
    ExcusedDate.objects.create(date=NOON.date(), reason="outage", excused_by=root)
    QueuedActivity.objects.create(user=root, kind="daily_visit", key="waits", at=NOON, enqueued_at=NOON)
    BoardExclusion.objects.create(user=root, reason="a script", excluded_by=root, excluded_at=NOON)
    Flag.objects.create(user=root, rule="xp_a_day", date=NOON.date(), figure=2, expected=1, found_at=NOON)
    xp.award(root, 300, reason="a start", key="start", now=NOON)


def row_url(model, page="change"):
    row = apps.get_model("gamification", model).objects.first()
    return reverse(f"admin:gamification_{model}_{page}", args=[row.pk])


# Who


@pytest.mark.parametrize("model", MODELS)
def test_a_superuser_opens_every_list_and_every_row(everything, root_client, model):
    assert root_client.get(list_url(model)).status_code == 200
    assert root_client.get(row_url(model)).status_code == 200
    assert root_client.get(row_url(model, "history")).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_the_permission_to_view_one_table_opens_it_and_no_other(everything, client_with, model):
    client = client_with(f"view_{model}")

    assert client.get(list_url(model)).status_code == 200
    assert client.get(row_url(model)).status_code == 200
    assert {client.get(list_url(other)).status_code for other in MODELS if other != model} == {403}


@pytest.mark.parametrize("model", MODELS)
def test_staff_without_a_permission_open_nothing(everything, client_with, model):
    client = client_with()

    assert client.get(list_url(model)).status_code == 403
    assert client.get(row_url(model)).status_code == 403
    assert client.post(row_url(model), {}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_others_are_sent_to_sign_in(client, db, model):
    response = client.get(list_url(model))

    assert response.status_code == 302
    assert reverse("admin:login") in response["Location"]


@pytest.mark.parametrize("model", READ_ONLY)
def test_not_even_a_superuser_adds_changes_or_deletes_what_is_read_only(everything, root_client, model):
    table = apps.get_model("gamification", model)
    before = list(table.objects.order_by("pk").values())

    answers = [
        root_client.post(reverse(f"admin:gamification_{model}_add"), {}),
        root_client.post(row_url(model), {"reason": "forged", "xp_amount": 1000}),
        root_client.post(row_url(model, "delete"), {"post": "yes"}),
    ]
    root_client.post(
        list_url(model),
        {"action": "delete_selected", "_selected_action": table.objects.first().pk, "post": "yes"},
    )

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(table.objects.order_by("pk").values()) == before


# How much


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_few_queries_however_long_it_is(everything, root_client, django_user_model, model):
    root_client.get(list_url(model))  # content types and the like
    for number in range(12):
        user = django_user_model.objects.create_user(f"user{number}")
        xp.award(user, 300, reason="a start", key="start", actor=user, now=NOON)

    with CaptureQueriesContext(connection) as queries:
        root_client.get(list_url(model))

    assert len(queries) <= CEILINGS[model], [query["sql"] for query in queries]


@pytest.mark.parametrize("model", MODELS)
def test_a_list_never_counts_a_whole_table(everything, root_client, model):
    with CaptureQueriesContext(connection) as queries:
        root_client.get(list_url(model))

    counts = [query["sql"] for query in queries if query["sql"].startswith("SELECT COUNT")]
    assert counts
    assert all("LIMIT 10001" in sql for sql in counts)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_reads_its_people_with_its_rows(model):
    listed = admin.site.get_model_admin(apps.get_model("gamification", model))
    people = {field.name for field in listed.model._meta.fields if field.is_relation} & {
        "user",
        "actor",
        "excused_by",
        "undone_by",
        "decided_by",
        "excluded_by",
        "lifted_by",
    }

    related = listed.list_select_related
    assert people <= set(related if isinstance(related, tuple) else ())


@pytest.mark.parametrize("model", LARGE)
def test_facets_that_would_count_tables_cannot_be_asked_for(everything, root_client, model):
    response = root_client.get(list_url(model), {"_facets": "True"})

    assert b"Show counts" not in response.content
    assert response.context["cl"].add_facets is False


@pytest.mark.parametrize("model", LARGE)
def test_no_list_of_all_users_is_ever_rendered(everything, root_client, django_user_model, model):
    django_user_model.objects.create_user("somebody_else_entirely")

    for url in (list_url(model), row_url(model)):
        assert b"somebody_else_entirely" not in root_client.get(url).content


def test_a_paginator_counts_to_its_end_and_says_so(db, ada, monkeypatch):
    monkeypatch.setattr("gamification.admin.base.ROWS_COUNTED", 3)
    UserCounter.objects.filter(user=ada).delete()
    UserCounter.objects.bulk_create(UserCounter(user=ada, name=f"c{number}", value=1) for number in range(5))

    few, many = (BoundedPaginator(UserCounter.objects.order_by("pk")[:end], 2) for end in (2, 5))
    whole = BoundedPaginator(UserCounter.objects.order_by("pk"), 2)

    assert (whole.count, whole.is_capped, whole.num_pages) == (3, True, 2)
    assert (few.count, few.is_capped) == (2, False)
    assert many.count == 3


def test_a_long_list_says_that_there_is_more(award, root_client, monkeypatch):
    monkeypatch.setattr("gamification.admin.base.ROWS_COUNTED", 1)

    response = root_client.get(list_url("xptransaction"))

    assert b"pages go no further" in response.content

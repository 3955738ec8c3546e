"""The backlog in the admin: to look at, to try again, to discard."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry

from gamification.models import LeaderboardCache, QueuedActivity
from gamification.tests.admin.conftest import NOON, list_url, said


@pytest.fixture
def refused(ada):
    return QueuedActivity.objects.create(
        user=ada,
        kind="daily_visit",
        key="refused",
        at=NOON,
        enqueued_at=NOON,
        refused_at=NOON,
        code="idempotency_conflict",
        reason="The key was used for something else.",
    )


@pytest.fixture
def waiting(ada):
    return QueuedActivity.objects.create(user=ada, kind="daily_visit", key="waiting", at=NOON, enqueued_at=NOON)


@pytest.fixture
def staff_client(client_with):
    return client_with("view_queuedactivity", "record_activity")


def act(client, action, *rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(list_url("queuedactivity"), data)


@pytest.mark.parametrize(
    ("state", "keys"), [("", {"refused", "waiting"}), ("waiting", {"waiting"}), ("refused", {"refused"}), ("x", None)]
)
def test_the_list_tells_what_waits_and_what_was_refused_and_why(refused, waiting, staff_client, state, keys):
    response = staff_client.get(list_url("queuedactivity"), {"state": state} if state else {})

    shown = {row.key for row in response.context["cl"].result_list}
    assert shown == (keys or {"refused", "waiting"})
    assert ("The key was used for something else." in response.content.decode()) == ("refused" in shown)


def test_refused_events_are_tried_again(refused, waiting, staff_client):
    response = act(staff_client, "retry", refused, waiting)

    refused.refresh_from_db()
    assert refused.refused_at is None
    assert said(response) == "1 event waits again."
    assert LogEntry.objects.get().change_message == "Tried again."


def test_refused_events_are_discarded_with_a_reason(refused, waiting, staff_client):
    page = act(staff_client, "discard", refused, waiting)["Location"]

    response = staff_client.post(page, {"reason": "sent twice"})

    assert set(QueuedActivity.objects.all()) == {waiting}
    assert "It is waiting to be recorded." in said(response)
    assert "1 event was discarded." in said(response)
    entry = LogEntry.objects.get()
    assert entry.change_message == "An event in the backlog was discarded: sent twice"
    assert entry.get_edited_object() == refused.user


def test_discarding_takes_a_reason(refused, staff_client):
    page = act(staff_client, "discard", refused)["Location"]

    staff_client.post(page, {"reason": ""})

    assert QueuedActivity.objects.exists()


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_it_needs_the_permission_to_record(refused, client_with, action):
    client = client_with("view_queuedactivity", "change_queuedactivity", "delete_queuedactivity")

    act(client, action, refused)

    assert client.post("/admin/gamification/queuedactivity/discard/", {"reason": "x"}).status_code == 403
    assert QueuedActivity.objects.filter(refused_at__isnull=False).exists()


def test_the_notes_of_a_backend_are_no_snapshots(boards, root_client):
    note = LeaderboardCache.objects.create(metric="~lost")

    response = root_client.get(list_url("leaderboardcache"))

    assert note not in response.context["cl"].result_list
    assert response.context["cl"].result_list

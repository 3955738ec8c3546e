"""The command that works on the backlog."""

from __future__ import annotations

import pytest

from gamification.models import Activity, QueuedActivity
from gamification.services import activities, ingestion
from gamification.services.ingestion import Event
from gamification.tests.management.conftest import HEADER, NOW, VISIT, keys

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


@pytest.fixture
def conflict(ada):
    activities.record(ada, "daily_visit", key="used")
    ingestion.enqueue([Event(ada, "words_learned", "used", 3), Event(ada, "daily_visit", "new")])


def test_it_records_what_waits(ada, manage):
    ingestion.enqueue([Event(ada, "daily_visit", "a")])

    outcome = manage("work_backlog")

    assert (outcome.code, outcome.out) == (0, "1 recorded, 0 replayed, 0 refused; 0 waiting.\n")
    assert keys() == ["a"]


def test_with_nothing_to_do_it_does_nothing(manage):
    assert manage("work_backlog").out == "0 recorded, 0 replayed, 0 refused; 0 waiting.\n"


def test_what_is_refused_is_told_and_can_be_listed(ada, manage, conflict):
    outcome = manage("work_backlog")
    listed = manage("work_backlog", "--refused", "list")

    assert (outcome.code, outcome.err) == (1, "1 event refused; --refused list says why.")
    reason = "This key was used before, for something else."
    assert listed.out == f"user {ada.pk}: words_learned used at 2026-06-20 12:00: {reason}\n"


def test_what_was_refused_can_be_tried_again(manage, conflict):
    manage("work_backlog")

    outcome = manage("work_backlog", "--refused", "retry")

    assert (outcome.code, outcome.out.splitlines()[0]) == (1, "1 event to be tried again.")
    assert ingestion.refused().count() == 1


def test_what_was_refused_can_be_dropped(manage, conflict):
    manage("work_backlog")

    assert manage("work_backlog", "--refused", "drop").out == "1 event dropped.\n"
    assert not QueuedActivity.objects.exists()


# Imports that leave the work to workers


def test_an_import_can_leave_the_recording_to_workers(ada, manage, file):
    outcome = manage("import_activities", "--enqueue", file("a.csv", HEADER, VISIT, f"{VISIT}2", "nobody,x,y,z"))
    waiting = ingestion.waiting()
    manage("work_backlog")

    assert (outcome.code, waiting, keys()) == (1, 2, ["k1", "k12"])
    assert "enqueued             2" in outcome.out
    assert "refused              1" in outcome.out


def test_an_enqueued_import_has_no_backdate_limit(ada, manage, file):
    manage("import_activities", "--enqueue", file("a.csv", HEADER, "ada,daily_visit,2020-01-01T12:00:00Z,old"))
    manage("work_backlog")

    assert [(row.is_in_streak, row.recorded_at) for row in Activity.objects.all()] == [(True, NOW)]


def test_an_import_is_enqueued_or_dry_and_not_both(manage, file):
    outcome = manage("import_activities", "--enqueue", "--dry-run", file("a.csv", HEADER))

    assert "not allowed with argument" in outcome.err


def test_tasks_of_an_enqueued_import_run_after_each_commit(ada, manage, file, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        manage("import_activities", "--enqueue", file("a.csv", HEADER, VISIT))

    assert (ingestion.waiting(), keys()) == (0, ["k1"])

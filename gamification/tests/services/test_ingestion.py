"""Ingestion: events that are taken in now come to what they would have come to by record_many."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, transaction

from gamification import tasks
from gamification.engine import backlog, recording
from gamification.exceptions import BatchRefused
from gamification.models import Activity, QueuedActivity, UserStreak
from gamification.services import activities, ingestion, integrity, privacy
from gamification.services.ingestion import Event
from gamification.tests.backends.people import person
from gamification.tests.helpers import noon, state_of

NOW = noon(10)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return person()


@pytest.fixture
def bob():
    return person()


def visit(user, key, *, days=0, **columns):
    return Event(user, "daily_visit", key, occurred_at=NOW - days * DAY, **columns)


def logged():
    return list(Activity.objects.order_by("occurred_at", "key").values_list("key", flat=True))


def reasons():
    return [(row.key, row.code) for row in ingestion.refused()]


def test_events_wait_until_a_worker_records_them(ada):
    number = ingestion.enqueue([visit(ada, "a"), visit(ada, "b", days=1)], now=NOW)

    before = (number, ingestion.waiting(), logged())
    done = ingestion.work(now=NOW)

    assert before == (2, 2, [])
    assert (done, ingestion.waiting(), logged()) == (ingestion.Worked(recorded=2), 0, ["b", "a"])
    assert UserStreak.objects.get(user=ada).current_streak == 2


def test_they_come_to_what_record_many_makes_of_them(ada, bob):
    data = {"difficulty": "advanced", "minutes": 30, "language": "es", "perfect": True}

    def events(user):
        return [
            Event(user, "scenario_completed", "s", data=data, occurred_at=NOW - DAY),
            Event(user, "words_learned", "w", 60, timezone="Asia/Tokyo"),
            *(visit(user, f"v{day}", days=day) for day in range(20)),
        ]

    ingestion.enqueue(events(ada), now=NOW)
    ingestion.work(now=NOW)
    activities.record_many(events(bob), now=NOW)

    assert state_of(ada) == state_of(bob)


def test_an_event_counts_as_of_when_it_was_taken_in_however_long_it_waits(ada):
    ingestion.enqueue([Event(ada, "daily_visit", "now"), visit(ada, "old", days=7)], now=NOW)

    ingestion.work(now=NOW + 30 * DAY)

    rows = Activity.objects.order_by("occurred_at")
    assert [(row.key, row.occurred_at, row.is_in_streak) for row in rows] == [
        ("old", NOW - 7 * DAY, True),
        ("now", NOW, True),
    ]
    assert {row.recorded_at for row in rows} == {NOW + 30 * DAY}


@pytest.mark.parametrize("number", [1e17, 0.1, 3, "ä"])
def test_a_retry_past_the_backlog_is_a_replay(ada, settings, number):
    settings.GAMIFICATION = {"ACTIVITY_TYPES": {"measured": {}}}
    event = Event(ada, "measured", "m", data={"value": number})
    ingestion.enqueue([event], now=NOW)
    ingestion.work(now=NOW + DAY)

    receipt = activities.record(ada, "measured", key="m", data={"value": number}, now=NOW + 2 * DAY)

    assert receipt.is_replay


def test_what_is_wrong_is_refused_at_once_and_nothing_is_taken_in(ada):
    events = [visit(ada, "a"), Event(ada, "nothing_known", "b"), Event(ada, "daily_visit", "c", quantity=0)]

    with pytest.raises(BatchRefused) as refused:
        ingestion.enqueue(events, now=NOW)

    assert {index: error.code for index, error in refused.value.errors.items()} == {1: "unknown_kind", 2: "invalid"}
    assert ingestion.waiting() == 0


def test_who_may_not_report_the_past_is_refused_unless_it_is_a_replay(ada):
    activities.record(ada, "daily_visit", key="known", occurred_at=NOW - DAY, now=NOW)

    number = ingestion.enqueue([visit(ada, "known", days=1)], now=NOW, trusted=False)
    with pytest.raises(BatchRefused, match="5 minutes"):
        ingestion.enqueue([visit(ada, "new", days=1)], now=NOW, trusted=False)

    assert number == 0


def test_nothing_is_taken_in_when_the_callers_transaction_fails(ada, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks, pytest.raises(ZeroDivisionError), transaction.atomic():
        ingestion.enqueue([visit(ada, "a")], now=NOW)
        raise ZeroDivisionError

    assert (ingestion.waiting(), callbacks) == (0, [])


def test_the_task_runs_after_the_commit_and_at_once_where_there_is_no_queue(ada, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ingestion.enqueue([visit(ada, "a")])
        before = logged()

    assert (before, ingestion.waiting()) == ([], 0)
    assert Activity.objects.get().user == ada


def test_a_queue_that_cannot_be_reached_loses_nothing(ada, monkeypatch, caplog, django_capture_on_commit_callbacks):
    def fail(self):
        raise ConnectionError("no queue")

    monkeypatch.setattr(type(tasks.work_backlog), "enqueue", fail)
    with django_capture_on_commit_callbacks(execute=True):
        ingestion.enqueue([visit(ada, "a")], now=NOW)

    assert "no queue" in caplog.text
    assert ingestion.work(now=NOW).recorded == 1


def test_the_same_key_is_recorded_once(ada):
    ingestion.enqueue([visit(ada, "a"), visit(ada, "a")], now=NOW)
    ingestion.enqueue([visit(ada, "a")], now=NOW)

    done = ingestion.work(now=NOW)

    assert (done, logged()) == (ingestion.Worked(recorded=1, replayed=2), ["a"])


def test_a_refused_event_is_kept_with_the_reason_and_blocks_nobody(ada, bob):
    activities.record(ada, "daily_visit", key="used", now=NOW)
    ingestion.enqueue([visit(ada, "used", days=3), visit(ada, "a"), visit(bob, "b")], now=NOW)

    done = ingestion.work(now=NOW)

    assert done == ingestion.Worked(recorded=2, refused=1)
    row = ingestion.refused().get()
    assert (row.key, row.code, row.refused_at) == ("used", "idempotency_conflict", NOW)
    assert row.reason == "This key was used before, for something else."
    assert (ingestion.waiting(), ingestion.work(now=NOW).total) == (0, 0)


def test_a_kind_that_is_gone_is_refused_and_can_be_tried_again(ada, settings):
    settings.GAMIFICATION = {"ACTIVITY_TYPES": {"commit": {}}}
    ingestion.enqueue([Event(ada, "commit", "c")], now=NOW)
    settings.GAMIFICATION = {}
    ingestion.work(now=NOW)
    refused = reasons()

    settings.GAMIFICATION = {"ACTIVITY_TYPES": {"commit": {}}}
    number = ingestion.retry_refused()
    done = ingestion.work(now=NOW)

    assert (refused, number) == ([("c", "unknown_kind")], 1)
    assert (done.recorded, reasons()) == (1, [])


def test_refused_events_can_be_dropped(ada):
    activities.record(ada, "daily_visit", key="used", now=NOW)
    ingestion.enqueue([visit(ada, "used", days=3)], now=NOW)
    ingestion.work(now=NOW)

    assert ingestion.drop_refused() == 1
    assert not QueuedActivity.objects.exists()


def test_an_event_that_fails_is_set_aside_and_the_others_go_in(ada, bob, monkeypatch, caplog):
    real = recording.record_locked

    def fail(locked, batch, now):
        if any(event.key == "bad" for event in batch):
            raise ZeroDivisionError("what nobody expected")
        return real(locked, batch, now)

    monkeypatch.setattr(recording, "record_locked", fail)
    ingestion.enqueue([visit(ada, "a1", days=2), visit(ada, "bad", days=1), visit(ada, "a2"), visit(bob, "b")], now=NOW)

    done = ingestion.work(now=NOW)

    assert done == ingestion.Worked(recorded=3, refused=1)
    assert [(row.key, row.code, row.reason) for row in ingestion.refused()] == [
        ("bad", "failed", "ZeroDivisionError: what nobody expected")
    ]
    assert "cannot be recorded" in caplog.text
    assert list(integrity.verify(now=NOW)) == []


def test_the_databases_trouble_is_no_events_fault(ada, monkeypatch):
    def fail(*args):
        raise OperationalError("the server is gone")

    monkeypatch.setattr(recording, "record_locked", fail)
    ingestion.enqueue([visit(ada, "a")], now=NOW)

    with pytest.raises(OperationalError):
        ingestion.work(now=NOW)

    assert (ingestion.waiting(), reasons()) == (1, [])


def test_more_than_fits_a_transaction_goes_in_in_order_of_time(ada, bob, monkeypatch):
    monkeypatch.setattr(backlog, "EVENTS_AT_ONCE", 3)
    monkeypatch.setattr(backlog, "USERS_AT_ONCE", 1)
    ingestion.enqueue([visit(user, f"v{day}", days=day) for user in (bob, ada) for day in range(7)], now=NOW)

    done = ingestion.work(now=NOW)

    assert (done.recorded, ingestion.waiting()) == (14, 0)
    for user in (ada, bob):
        rows = Activity.objects.filter(user=user).order_by("id")
        assert [row.key for row in rows] == [f"v{day}" for day in reversed(range(7))]


def test_taking_in_many_takes_few_statements(ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        ingestion.enqueue([visit(ada, f"v{one}") for one in range(500)], now=NOW)

    assert ingestion.waiting() == 500


def test_whoever_is_erased_has_nothing_left_in_the_backlog(ada, bob):
    ingestion.enqueue([visit(ada, "a"), visit(bob, "b")], now=NOW)

    privacy.erase(ada)

    assert [row.user for row in QueuedActivity.objects.all()] == [bob]


def test_whoever_is_deleted_leaves_nothing_in_the_backlog(ada, bob):
    ingestion.enqueue([visit(ada, "a"), visit(bob, "b")], now=NOW)

    ada.delete()

    assert ingestion.work(now=NOW).recorded == 1

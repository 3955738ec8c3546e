"""Reads of boards: counted in memory, written together, and no reader's trouble."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection

from gamification.backends import reads
from gamification.backends.reads import HIT, MISS, Tally, tally
from gamification.models import BoardReader, DailyFigure
from gamification.models.figures import Name
from gamification.services import dashboard, leaderboards, privacy, xp
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import noon

pytestmark = pytest.mark.django_db

NOW = noon(20)
SECOND = timedelta(seconds=1)


@pytest.fixture
def ada():
    user = UserFactory()
    xp.award(user, 10, reason="test", key="k", now=NOW)
    tally.drop()
    return user


def written():
    """Write what was counted and return the reads by label."""
    assert tally.flush(NOW)
    return dict(DailyFigure.objects.filter(name=Name.BOARD_READS).values_list("label", "value"))


def test_the_first_read_builds_and_the_next_are_answered_from_the_cache(ada):
    for later in range(3):
        leaderboards.top("xp_all_time", now=NOW + later * SECOND)

    assert written() == {MISS: 1, HIT: 2}


@pytest.mark.parametrize(
    "read",
    [
        lambda user: leaderboards.top("xp_all_time", viewer=user, now=NOW + SECOND),
        lambda user: leaderboards.rank(user, "xp_all_time", now=NOW + SECOND),
        lambda user: leaderboards.around(user, "xp_all_time", now=NOW + SECOND),
        lambda user: leaderboards.place(user, "xp_all_time", now=NOW + SECOND),
        lambda user: dashboard.overview(user, now=NOW + SECOND),
    ],
    ids=["top", "rank", "around", "place", "dashboard"],
)
def test_each_way_to_look_at_a_board_is_one_read_by_somebody(ada, read):
    leaderboards.refresh("xp_all_time", now=NOW)

    read(ada)

    assert written() == {HIT: 1}
    assert list(BoardReader.objects.values_list("user_id", "date")) == [(ada.pk, NOW.date())]


def test_building_without_a_reader_is_no_read(ada):
    leaderboards.refresh(now=NOW)

    assert written() == {}


def test_a_board_that_there_is_not_is_no_read(ada):
    for read in (lambda: leaderboards.top("nonsense"), lambda: leaderboards.rank(ada, "nonsense")):
        with pytest.raises(Exception, match="nonsense"):
            read()

    assert written() == {}


def test_a_person_is_noted_once_a_date_and_the_reads_add_up(ada):
    for later in (0, 1, 24 * 3600):
        leaderboards.rank(ada, "xp_all_time", now=NOW + later * SECOND)
        tally.flush(NOW)
    leaderboards.rank(ada, "xp_all_time", now=NOW + 24 * 3600 * SECOND + SECOND)
    tally.flush(NOW)

    assert sorted(on.day for on in BoardReader.objects.values_list("date", flat=True)) == [20, 21]
    totals = DailyFigure.objects.filter(name=Name.BOARD_READS).values_list("date__day", "label", "value")
    assert sorted(totals) == [(20, HIT, 1), (20, MISS, 1), (21, HIT, 1), (21, MISS, 1)]


def test_several_processes_add_to_the_same_figure():
    for number in (2, 3):
        process = Tally()
        for _ in range(number):
            process.looked(None, NOW)
        process.flush(NOW)

    assert written() == {HIT: 5}


def test_reads_of_people_who_take_no_part_count_and_their_names_are_not_kept():
    leaderboards.rank(UserFactory(), "xp_all_time", now=NOW)

    assert sum(written().values()) == 1
    assert not BoardReader.objects.exists()


def test_nobody_comes_back_who_was_erased_between_reading_and_writing(ada):
    leaderboards.rank(ada, "xp_all_time", now=NOW)
    elsewhere = Tally()
    elsewhere.looked(ada.pk, NOW)

    privacy.erase(ada)
    assert elsewhere.flush(NOW)

    assert sum(written().values()) == 2
    assert not BoardReader.objects.exists()


def test_a_reader_writes_nothing(ada, django_assert_num_queries):
    leaderboards.top("xp_all_time", now=NOW)
    leaderboards.top("xp_all_time", now=NOW)

    with django_assert_num_queries(2):
        leaderboards.top("xp_all_time", now=NOW + SECOND)

    assert not DailyFigure.objects.exists()


def test_one_thread_is_started_however_many_read_before_it_writes(ada, monkeypatch):
    started = []
    monkeypatch.setattr(reads, "later", started.append)

    for _ in range(5):
        leaderboards.rank(ada, "xp_all_time", now=NOW)
    assert len(started) == 1
    tally.flush(NOW)
    leaderboards.rank(ada, "xp_all_time", now=NOW)

    assert len(started) == 2


def test_a_database_that_cannot_be_written_to_loses_no_count(ada, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise DatabaseError("read-only")

    leaderboards.rank(ada, "xp_all_time", now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(reads, "_write", refuse)
        assert not tally.flush(NOW)
        leaderboards.rank(ada, "xp_all_time", now=NOW + SECOND)
        assert not tally.flush(NOW)

    assert "could not be written: read-only" in caplog.text
    assert written() == {MISS: 1, HIT: 1}
    assert BoardReader.objects.count() == 1


def test_those_nobody_ever_counted_are_forgotten_after_a_month(ada):
    BoardReader.objects.create(user=ada, date=NOW.date() - timedelta(days=400))
    leaderboards.rank(ada, "xp_all_time", now=NOW)

    tally.flush(NOW)

    assert BoardReader.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_keeps_no_reader_waiting(ada, settings):
    if connection.vendor != "sqlite":
        pytest.skip("Only SQLite locks the whole database.")
    leaderboards.top("xp_all_time", now=NOW)
    held, free = threading.Event(), threading.Event()

    def hold():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            held.set()
            free.wait(10)
            cursor.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
        board = leaderboards.top("xp_all_time", viewer=ada, now=NOW + SECOND)
        is_written = tally.flush(NOW)
    finally:
        free.set()
        thread.join()

    assert (board.total, is_written) == (1, False)
    assert written() == {MISS: 1, HIT: 1}


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_and_closes_its_connection(ada, monkeypatch):
    threads = []

    def at_once(work):
        threads.append(threading.Thread(target=work))

    monkeypatch.setattr(reads, "later", at_once)
    monkeypatch.setattr(reads, "FORGOTTEN_AFTER", timedelta(days=36500))
    leaderboards.rank(ada, "xp_all_time", now=NOW)

    threads[0].start()
    threads[0].join(20)

    assert written() == {MISS: 1}
    assert BoardReader.objects.get().user_id == ada.pk

"""Throttles count exactly, with and without a cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import caches
from django.db import connections

from gamification.api import throttles
from gamification.models import RequestCount
from gamification.tests.api.caches import BROKEN, DUMMY, FILES, FORGETFUL, LOCMEM, SHARED, BrokenCache

NOON = datetime(2026, 6, 1, 12, 0, 10, tzinfo=UTC)


@pytest.fixture
def use_cache(settings, tmp_path):
    """Return a function that puts another cache in the place of the default one."""

    def _use_cache(backend: str) -> None:
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}

    yield _use_cache
    if not isinstance(caches["default"], BrokenCache):
        caches["default"].clear()


def waits(scope: str, number: int, *, ident: str = "user:1", now: datetime = NOON) -> list[int | None]:
    return [throttles.seconds_to_wait(scope, ident, now=now) for _ in range(number)]


def short(path: str) -> str:
    return path.rpartition(".")[2]


@pytest.mark.django_db
@pytest.mark.parametrize("scope", sorted(throttles.STRICT))
@pytest.mark.parametrize("backend", [LOCMEM, SHARED, BROKEN, FORGETFUL, DUMMY, FILES], ids=short)
def test_a_strict_scope_lets_exactly_its_rate_through_whatever_the_cache(backend, scope, use_cache, rates):
    use_cache(backend)
    rates(**{scope: "3/min"})

    assert waits(scope, 5) == [None, None, None, 50, 50]


@pytest.mark.django_db
@pytest.mark.parametrize("backend", [LOCMEM, SHARED], ids=short)
def test_other_scopes_are_counted_in_the_cache(backend, use_cache, rates, django_assert_num_queries):
    use_cache(backend)
    rates(gamification_read="3/min")

    with django_assert_num_queries(0):
        assert waits(throttles.READ, 5) == [None, None, None, 50, 50]


def test_other_scopes_stay_open_when_the_cache_is_down(use_cache, rates, caplog):
    use_cache(BROKEN)
    rates(gamification_read="3/min")

    assert waits(throttles.READ, 5) == [None] * 5
    assert "cannot count requests of the scope gamification_read" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("backend", [LOCMEM, FILES, DUMMY], ids=short)
def test_a_cache_that_cannot_count_for_all_processes_does_not_count_what_is_strict(backend, use_cache):
    use_cache(backend)

    waits(throttles.AWARDS, 2)

    assert [count.requests for count in RequestCount.objects.all()] == [2]


@pytest.mark.django_db
def test_a_cache_that_answers_now_and_then_lets_no_more_through(use_cache, rates):
    rates(gamification_awards="3/min")
    answers: list[int | None] = []

    for backend in (SHARED, BROKEN) * 3:
        use_cache(backend)
        answers += waits(throttles.AWARDS, 1)

    assert answers == [None, None, None, 50, 50, 50]


@pytest.mark.django_db
def test_the_database_counts_in_one_statement(use_cache, django_assert_num_queries):
    use_cache(BROKEN)
    waits(throttles.AWARDS, 1)

    with django_assert_num_queries(1):
        waits(throttles.AWARDS, 1)


@pytest.mark.django_db(transaction=True)
def test_the_database_counts_exactly_under_parallel_requests(use_cache, rates):
    use_cache(BROKEN)
    rates(gamification_awards="25/min")

    def work(_: int) -> list[int | None]:
        try:
            return waits(throttles.AWARDS, 10)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = [wait for part in pool.map(work, range(4)) for wait in part]

    assert answers.count(None) == 25


@pytest.mark.django_db
@pytest.mark.parametrize("backend", [SHARED, BROKEN], ids=short)
def test_the_next_window_begins_at_nought(backend, use_cache, rates):
    use_cache(backend)
    rates(gamification_awards="1/min")
    waits(throttles.AWARDS, 2)

    assert waits(throttles.AWARDS, 2, now=NOON + timedelta(seconds=49)) == [1, 1]
    assert waits(throttles.AWARDS, 2, now=NOON + timedelta(seconds=50)) == [None, 60]


@pytest.mark.django_db
@pytest.mark.parametrize("backend", [SHARED, BROKEN], ids=short)
def test_callers_and_scopes_do_not_count_for_each_other(backend, use_cache, rates):
    use_cache(backend)
    rates(gamification_awards="1/min", gamification_activities="1/min")

    assert waits(throttles.AWARDS, 1, ident="user:1") == [None]
    assert waits(throttles.AWARDS, 1, ident="user:11") == [None]
    assert waits(throttles.ACTIVITIES, 1, ident="user:1") == [None]


@pytest.mark.django_db
def test_counts_long_past_are_removed(use_cache):
    use_cache(BROKEN)
    waits(throttles.AWARDS, 1, now=NOON - timedelta(days=2))
    waits(throttles.AWARDS, 1, now=NOON - timedelta(hours=1))

    waits(throttles.AWARDS, 1)

    assert [count.ends_at for count in RequestCount.objects.order_by("ends_at")] == [
        NOON.replace(second=0) - timedelta(minutes=59),
        NOON.replace(second=0) + timedelta(minutes=1),
    ]


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/s", throttles.Rate(5, 1)),
        ("600/min", throttles.Rate(600, 60)),
        ("7/hour", throttles.Rate(7, 3600)),
        ("1/day", throttles.Rate(1, 86_400)),
        (None, None),
    ],
)
def test_rates_are_read_as_the_frameworks_are(text, rate, rates):
    rates(gamification_read=text)

    assert throttles.rate_of(throttles.READ) == rate


def test_the_project_overrides_only_what_it_names(rates):
    rates(gamification_read="1/s", anon="5/day")

    assert throttles.rate_of(throttles.READ) == throttles.Rate(1, 1)
    assert throttles.rate_of(throttles.WRITE) == throttles.Rate(60, 60)


def test_a_scope_without_a_rate_is_not_counted(rates):
    rates(gamification_login=None)

    assert waits(throttles.LOGIN, 100) == [None] * 100

"""Totals under many writers: nothing lost, nothing twice, nobody waiting for each other."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db.models import Sum

from gamification.models import Activity, UserCounter, UserXP, XPTransaction
from gamification.services import xp
from gamification.tests.backends.people import people, person
from gamification.tests.races import processes, workers

pytestmark = pytest.mark.slow


START = 10


def gained():
    """Return by how much the totals have grown since the start."""
    return {str(row.user_id): row.total_xp - START for row in UserXP.objects.all()}


def added(outcomes):
    """Add up what the workers say that they did, by user."""
    sums = Counter()
    for outcome in outcomes:
        sums.update(outcome["sums"])
    return sums


def test_eight_processes_that_add_250_times_10_xp_lose_nothing(race):
    user = person()

    errors = race(workers.add)

    assert errors == [[]] * 8
    assert UserXP.objects.get(user=user).total_xp == 20_000
    assert XPTransaction.objects.filter(user=user).aggregate(Sum("xp_amount")) == {"xp_amount__sum": 20_000}
    assert race.drifts() == []


def test_a_days_limits_are_exact_whoever_reports_at_once(race):
    user = person()

    errors = race(workers.record_past_the_limits)

    assert errors == [[]] * 8
    assert UserXP.objects.get(user=user).total_xp == 555
    assert UserCounter.objects.get(user=user, name="commits").value == 70
    assert Activity.objects.filter(user=user).count() == 8 * workers.TURNS
    assert race.drifts() == []


def test_without_the_lock_updates_are_lost(postgres_race):
    user = person()
    xp.initialize(user)

    errors = postgres_race(workers.add_without_the_lock)

    booked = XPTransaction.objects.filter(user=user).count()
    assert (errors, booked) == ([[]] * 8, 8 * workers.TURNS)
    assert UserXP.objects.get(user=user).total_xp < 10 * booked
    assert postgres_race.drifts() != []


def test_without_immediate_transactions_sqlite_is_locked(sqlite_race):
    person()

    outcomes = processes.race(workers.add_a_little, f"{sqlite_race.url}?transaction_mode=DEFERRED")

    errors = {error for outcome in outcomes for error in outcome.value}
    assert errors == {"OperationalError: database is locked"}
    assert sqlite_race.drifts() == []


def test_the_same_100_keys_from_everybody_are_booked_once(race):
    user = person()

    answers = race(workers.send_the_same_keys)

    assert sum(map(Counter, answers), Counter()) == {"new": 100, "replayed": 700}
    assert XPTransaction.objects.filter(user=user).count() == 100
    assert UserXP.objects.get(user=user).total_xp == 1000
    assert race.drifts() == []


def test_without_the_lock_the_constraint_still_books_a_key_once(postgres_race):
    user = person()

    answers = postgres_race(workers.send_the_same_keys_without_the_lock)

    counted = sum(map(Counter, answers), Counter())
    assert counted["new"] == XPTransaction.objects.filter(user=user).count() == 100
    assert counted["IntegrityError"] > 0


def test_several_users_in_one_transaction_who_were_locked_first(race):
    people(*[START] * 5)

    outcomes = race(workers.award_to_several)

    assert [outcome["errors"] for outcome in outcomes] == [[]] * 8
    assert gained() == added(outcomes)
    assert race.drifts() == []


def test_batches_beside_single_activities(race):
    users = people(*[START] * 5)

    outcomes = race(workers.record_one_or_several)

    assert [outcome["errors"] for outcome in outcomes] == [[]] * 8
    recorded = Counter(map(str, Activity.objects.values_list("user_id", flat=True)))
    assert recorded == added(outcomes)
    assert gained() == {str(user.pk): 50 * recorded[str(user.pk)] + 5 for user in users}
    assert race.drifts() == []


def test_batches_that_hold_the_same_users_in_another_order(race):
    users = people(*[START] * 4)

    outcomes = race(workers.record_for_several)

    assert [outcome["errors"] for outcome in outcomes] == [[]] * 8
    assert gained() == {pk: 50 * number + 5 for pk, number in added(outcomes).items()}
    assert len(gained()) == len(users)
    assert race.drifts() == []

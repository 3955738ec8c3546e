"""Computing the figures from the command line."""

from __future__ import annotations

import pytest
import time_machine

from gamification.models import DailyFigure
from gamification.services import figures, xp
from gamification.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon():
    """In the first hours of a date the one before is not closed yet."""
    with time_machine.travel("2026-06-10T12:00Z", tick=True):
        yield


def test_what_is_due_is_computed_and_said(manage):
    xp.award(UserFactory(), 10, reason="test", key="k")

    first, second = manage("refresh_figures"), manage("refresh_figures")

    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith("96 dates computed, ")
    assert second.out.startswith("1 date computed, ")
    assert figures.read(90).missing == 0
    assert figures.read(7).days[-1].xp == {"client": 10}


def test_fewer_days_can_be_asked_for_and_closed_ones_again(manage):
    assert manage("refresh_figures", "--days", 20).out.startswith("20 dates")
    assert manage("refresh_figures", "--days", 20).out.startswith("1 date ")
    assert manage("refresh_figures", "--days", 20, "--again").out.startswith("20 dates")


@pytest.mark.parametrize("days", ["0", "-1", "99999"])
def test_a_number_of_days_that_is_none_computes_nothing(manage, days):
    outcome = manage("refresh_figures", "--days", days)

    assert (outcome.code, DailyFigure.objects.count()) == (1, 0)
    assert outcome.err == "--days: days must be a whole number from 1 to 3,660."


def test_a_number_of_days_that_is_no_number_computes_nothing(manage):
    outcome = manage("refresh_figures", "--days", "many")

    assert outcome.code == 1
    assert "invalid int value" in outcome.err

"""When the demo runs, and when it refuses to; what it makes is tested beside this."""

from __future__ import annotations

from itertools import islice

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.validators import UnicodeUsernameValidator

from gamification.management.demo import people
from gamification.models import Activity, XPTransaction
from gamification.services import streaks
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _debug(settings):
    settings.DEBUG = True


def test_it_needs_debug(manage, settings):
    settings.DEBUG = False

    outcome = manage("gamification_demo")

    assert (outcome.code, outcome.err) == (1, "The demo is for development: it runs only with DEBUG on.")
    assert not get_user_model().objects.exists()


def test_it_needs_a_database_without_users(manage):
    UserFactory()

    outcome = manage("gamification_demo")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "There are users already: the demo runs only in a database without any."
    assert not Activity.objects.exists()


@pytest.mark.parametrize("number", ["19", "5001", "x", "-1"])
def test_too_few_or_too_many_people_are_refused(manage, number):
    assert manage("gamification_demo", "--people", number).code == 1


def test_nothing_is_left_of_a_demo_that_fails(manage, monkeypatch):
    monkeypatch.setattr(streaks, "freeze", None)

    with pytest.raises(TypeError):
        manage("gamification_demo", "--people", 20)

    assert (get_user_model().objects.count(), Activity.objects.count()) == (0, 0)


@pytest.mark.parametrize("clock", ["00:04", "23:58"])
@pytest.mark.slow
def test_the_same_day_makes_the_same_people_at_any_time_of_it(manage, clock):
    with time_machine.travel(at(f"2026-03-29T{clock}"), tick=False):
        first = manage("gamification_demo", "--people", 20)
        told = told_of_everybody()
        for person in get_user_model().objects.all():
            Activity.objects.filter(user=person).erase()
            XPTransaction.objects.filter(user=person).erase()
        get_user_model().objects.all().delete()
        second = manage("gamification_demo", "--people", 20)

    assert (first.code, second.code) == (0, 0)
    assert first.out.splitlines()[3:7] != second.out.splitlines()[3:7]
    assert told_of_everybody() == told


def told_of_everybody():
    return {person.username: without_actors(state_of(person)) for person in get_user_model().objects.all()}


def without_actors(state):
    """Leave out which row was reversed, and the numbers of those who decided something."""
    for row in state["XPTransaction"]:
        for name in ("actor", "reverses", "reference_id", "key"):
            row.pop(name)
    for row in state["UserAchievement"]:
        row["unlock_metadata"].pop("actor", None)
    return state


def test_names_are_names_and_never_run_out():
    found = list(islice(people.names(), 2000))

    assert len(set(found)) == len(found)
    assert not {people.ADMIN, people.STAFF, people.LEARNER, people.NEWCOMER} & set(found)
    for name in found:
        UnicodeUsernameValidator()(name)

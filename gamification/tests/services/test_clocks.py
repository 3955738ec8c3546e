"""Clocks that jump, dates that never were, people who travel: the services against a naive telling of the rules."""

from __future__ import annotations

import random

import pytest

from gamification.tests.services.wanderers import PLACES, Crowd

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("place", PLACES)
def test_a_life_in_which_clocks_jump_is_what_a_naive_telling_makes_of_it(place):
    crowd = Crowd(place, number=3, dice=random.Random(place))

    crowd.live(rounds=12)

    assert +crowd.problems == {}
    assert crowd.acts > 50

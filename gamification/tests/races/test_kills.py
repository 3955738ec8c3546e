"""Writers that are killed in the middle of whatever they do: what they had acknowledged is kept, and all adds up."""

from __future__ import annotations

import random

import pytest

from gamification.models import XPTransaction
from gamification.tests.races import acts

pytestmark = pytest.mark.slow


def test_killed_writers_lose_nothing_that_they_acknowledged(race, tmp_path):
    acts.people()
    killed = acts.Killed()

    for number in range(2):
        killed.look(acts.round_of_kills(race.url, tmp_path, random.Random(number)))

    assert killed.acknowledged.total() > 0
    assert (killed.lost, killed.drifts) == ([], [])


def test_what_is_lost_is_seen(sqlite_race, tmp_path):
    acts.people()
    claims = acts.round_of_kills(sqlite_race.url, tmp_path, random.Random(1))
    XPTransaction.objects.all()._raw_delete("default")
    killed = acts.Killed()

    killed.look([claim for claim in claims if claim[0] == "award"] + [("award", 1, "never"), ("erase", 1, "")])

    assert ("award", 1, "never") in killed.lost
    assert len(killed.drifts) > 0

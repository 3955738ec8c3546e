"""A repair of everybody that is killed over and over, while others go on recording: nothing is lost, all is mended."""

from __future__ import annotations

import signal
from functools import partial

import pytest
from django.db.models import Count, Sum

from gamification.models import Activity, UserCounter, UserDay, UserStreak, UserXP, XPTransaction
from gamification.services import activities
from gamification.services.activities import Event
from gamification.tests.backends.people import person
from gamification.tests.races import repairers
from gamification.tests.races.workers import NOW

pytestmark = pytest.mark.slow

USERS, WRITERS, KILLS = 60, 2, 3


def spoil():
    """Give everybody the same history, and let nothing that is derived from it be right."""
    users = [person(f"user{number}", pk=1000 + number) for number in range(USERS)]
    activities.record_many([Event(user, "scenario_completed", "before") for user in users], now=NOW)
    UserXP.objects.update(total_xp=1, title="Mythic")
    UserCounter.objects.update(value=99)
    UserDay.objects.update(xp=7, activities=7)
    UserStreak.objects.update(longest_streak=50, total_active_days=50)


def repair(race, folder):
    """Let repairers be killed one after the other, each further on, and one come to the end; return the positions."""
    positions = []
    for _ in range(KILLS):
        process = race.start(partial(repairers.repair_and_be_killed, folder))
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
        positions.append(int((folder / "position").read_text()))
    process = race.start(partial(repairers.repair, folder))
    process.join(120)
    assert process.exitcode == 0
    return positions


def test_a_repair_that_is_killed_goes_on_where_it_was_while_people_write(race, tmp_path):
    spoil()
    assert len(race.drifts()) > 5 * USERS
    writers = [race.start(partial(repairers.record, tmp_path)) for _ in range(WRITERS)]

    positions = repair(race, tmp_path)

    for writer in writers:
        writer.join(60)
    acknowledged = [line.split() for path in tmp_path.glob("acknowledged-*") for line in path.read_text().splitlines()]
    kept = set(Activity.objects.exclude(key="before").values_list("user_id", "key"))
    totals = dict(XPTransaction.objects.values_list("user_id").annotate(Sum("xp_amount")))
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert positions == sorted(set(positions))
    assert not (tmp_path / "position").exists()
    assert kept == {(int(pk), key) for pk, key in acknowledged} != set()
    assert dict(UserXP.objects.values_list("user_id", "total_xp")) == totals
    assert UserXP.objects.aggregate(people=Count("pk")) == {"people": USERS}
    assert race.drifts() == []

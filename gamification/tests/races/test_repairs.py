"""A repair of everybody that is killed over and over, while others go on recording: nothing is lost, all is mended."""

from __future__ import annotations

import random
import time

import pytest
from django.db.models import Count, Sum

from gamification.models import Activity, UserCounter, UserDay, UserStreak, UserXP, XPTransaction
from gamification.services import activities
from gamification.services.activities import Event
from gamification.tests.backends.people import person
from gamification.tests.races import repairers
from gamification.tests.races.workers import NOW

pytestmark = pytest.mark.slow

USERS, WRITERS, KILLS = 120, 2, 4


def spoil():
    """Give everybody the same history, and let nothing that is derived from it be right."""
    users = [person(f"user{number}", pk=1000 + number) for number in range(USERS)]
    activities.record_many([Event(user, "scenario_completed", "before") for user in users], now=NOW)
    UserXP.objects.update(total_xp=1, title="Mythic")
    UserCounter.objects.update(value=99)
    UserDay.objects.update(xp=7, activities=7)
    UserStreak.objects.update(longest_streak=50, total_active_days=50)


def repaired(race, folder):
    """Start repairers, each killed once it has come further, save for the last; return how many were killed."""
    chance, killed, deadline, reached = random.Random(5), 0, time.monotonic() + 120, ""
    process = race.start(repairers.repair)
    while process.is_alive():
        assert time.monotonic() < deadline
        time.sleep(chance.uniform(0.01, 0.05))
        position = (folder / "position").read_text() if (folder / "position").exists() else ""
        if killed < KILLS and position not in {"", reached}:
            process.kill()
            process.join()
            killed, reached = killed + 1, position
            process = race.start(repairers.repair)
    assert process.exitcode == 0
    return killed


def test_a_repair_that_is_killed_goes_on_where_it_was_while_people_write(race, tmp_path, monkeypatch):
    monkeypatch.setenv(repairers.FOLDER, str(tmp_path))
    spoil()
    assert len(race.drifts()) > 5 * USERS
    writers = [race.start(repairers.record) for _ in range(WRITERS)]

    killed = repaired(race, tmp_path)

    for writer in writers:
        writer.join(60)
    acknowledged = [line.split() for path in tmp_path.glob("acknowledged-*") for line in path.read_text().splitlines()]
    kept = set(Activity.objects.exclude(key="before").values_list("user_id", "key"))
    totals = dict(XPTransaction.objects.values_list("user_id").annotate(Sum("xp_amount")))
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert killed == KILLS
    assert not (tmp_path / "position").exists()
    assert kept == {(int(pk), key) for pk, key in acknowledged} != set()
    assert dict(UserXP.objects.values_list("user_id", "total_xp")) == totals
    assert UserXP.objects.aggregate(people=Count("pk")) == {"people": USERS}
    assert race.drifts() == []

"""What processes do that race over a back-fill, and beside one."""

from __future__ import annotations

import random
import time
from contextlib import suppress

from gamification.engine import backfilling
from gamification.exceptions import InsufficientXP
from gamification.models import BackfillRun
from gamification.services import activities, backfills, privacy, xp
from gamification.tests.races.workers import NOW, racers


def go_on() -> None:
    """Work on the newest run, a few people at a time."""
    backfilling.PEOPLE_AT_ONCE = 4
    backfills.go_on(BackfillRun.objects.latest("pk"), now=NOW)


def record() -> None:
    """Record for random people until the run has ended: words enough for some to unlock it themselves."""
    dice, users = random.Random(time.time_ns()), racers()
    while BackfillRun.objects.latest("pk").is_open:
        key, kind = str(dice.random()), dice.choice(["words_learned", "scenario_completed"])
        activities.record_many([activities.Event(user, kind, key) for user in dice.sample(users, 3)], now=NOW)


def spend() -> None:
    """Take from random people all that they have, until the run has ended."""
    dice, users = random.Random(time.time_ns()), racers()
    while BackfillRun.objects.latest("pk").is_open:
        user = dice.choice(users)
        with suppress(InsufficientXP):
            xp.award(user, -60, reason="spent", key=str(dice.random()), now=NOW)


def forget() -> None:
    """Erase random people, and delete every second of them, until the run has ended."""
    dice, users = random.Random(time.time_ns()), racers()
    dice.shuffle(users)
    while users and BackfillRun.objects.latest("pk").is_open:
        user = users.pop()
        privacy.erase(user)
        if dice.random() < 0.5:
            user.delete()

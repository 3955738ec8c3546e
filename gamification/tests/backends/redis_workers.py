"""What runs in processes of their own while the sorted sets are built."""

from __future__ import annotations

import random
import time
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model

from gamification.backends import get_backend
from gamification.services import activities, privacy, xp
from gamification.tests.backends.people import DAY, NOON
from gamification.tests.backends.sorted_sets import options

SECONDS = 4


def work(url: str, number: int) -> Any:
    """Process 0 builds again and again and returns how often; the others write meanwhile and return how much."""
    settings.GAMIFICATION = options(url)
    return _rebuild() if number == 0 else _write(random.Random(number))


def _rebuild() -> int:
    ends, times = time.monotonic() + SECONDS, 0
    while time.monotonic() < ends:
        get_backend().rebuild(NOON, lambda number: None)
        times += 1
    return times


def _write(dice: random.Random) -> int:
    model = get_user_model()
    ends, times = time.monotonic() + SECONDS + 1, 0
    users = list(model._default_manager.order_by("pk"))
    while time.monotonic() < ends:
        user, what, now = dice.choice(users), dice.random(), NOON - dice.randrange(35) * DAY
        if what < 0.5:
            xp.award(user, dice.choice([5, 30]), reason="gift", key=uuid4().hex, now=now)
        elif what < 0.8:
            activities.record(user, "scenario_completed", key=uuid4().hex, now=now)
        elif what < 0.9:
            privacy.set_visibility(user, visible=dice.random() < 0.7)
        elif what < 0.95:
            privacy.erase(user)
        else:
            users.append(model._default_manager.create(username=uuid4().hex))
        times += 1
    return times

"""What writers do until they are killed. An act is acknowledged in a file once it has returned, and not before."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model

from gamification import tasks
from gamification.engine import backlog
from gamification.models import Activity, QueuedActivity, UserAchievement, UserDay, UserStreak, XPTransaction
from gamification.services import achievements, activities, ingestion, integrity, privacy, streaks, xp
from gamification.services.activities import Event
from gamification.tests.races import processes
from gamification.tests.races.workers import NOW, racers

#: What is claimed: the kind of act, the user, the key.
Claim = tuple[str, int, str]
WORKERS, VETERANS, PRIZE = 3, 12, "polyglot"
START_SECONDS = 30


@dataclass
class Killed:
    """How rounds of killed writers went: acts acknowledged by kind, those of them that are lost, and drifts."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: list[Claim] = field(default_factory=list)
    drifts: list[str] = field(default_factory=list)

    def look(self, claims: Iterable[Claim]) -> None:
        """Hold the database of this process against what was acknowledged, and verify everybody."""
        for claim in claims:
            self.acknowledged[claim[0]] += 1
            if not is_kept(*claim):
                self.lost.append(claim)
        self.drifts += [str(drift) for drift in integrity.verify(now=NOW)]


def people() -> None:
    """Make those whom everybody writes for, and the achievements."""
    achievements.initialize()
    for number in range(VETERANS):
        get_user_model()._default_manager.create(username=f"veteran-{number}")


def round_of_kills(url: str, folder: Path, chance: random.Random) -> list[Claim]:
    """Let writers work on ``url``, kill each at some moment, and return what they had acknowledged."""
    files = [folder / uuid4().hex for _ in range(WORKERS)]
    crew = [processes.start(partial(write, str(file), chance.random()), url) for file in files]
    ends = time.monotonic() + START_SECONDS
    while not all(file.exists() and file.stat().st_size for file in files):
        if time.monotonic() > ends or not all(process.is_alive() for process in crew):
            raise RuntimeError("The writers do not write.")
        time.sleep(0.005)
    for process in crew:
        time.sleep(chance.uniform(0.0, 0.3))
        process.kill()
    for process in crew:
        process.join()
    return [claim for file in files for claim in acknowledged(file)]


def acknowledged(file: Path) -> list[Claim]:
    """Return what a file holds; of a line that was cut off nothing is known."""
    whole = file.read_text().rpartition("\n")[0]
    return [tuple(claim) for line in whole.splitlines() for claim in json.loads(line)]


def write(path: str, seed: float) -> None:
    """Do one thing after the other, each kind in turn, and acknowledge each."""
    tasks.work_after_commit = lambda: None  # who works on the backlog is among the acts
    backlog.EVENTS_AT_ONCE = 10
    dice, veterans = random.Random(seed), racers()[:VETERANS]
    acts = list(ACTS)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        dice.shuffle(acts)
        for act in acts:
            claims = act(dice.sample(veterans, 3), uuid4().hex)
            os.write(file, json.dumps(claims).encode() + b"\n")
            os.fsync(file)


def is_kept(kind: str, pk: int, key: str) -> bool:
    """Tell whether the database holds what was acknowledged."""
    return KEPT[kind](pk, key)


def _newcomer(key: str) -> Any:
    return get_user_model()._default_manager.create(username=key)


def award(users: list[Any], key: str) -> list[Claim]:
    xp.award(users[0], 10, reason="race", key=key, now=NOW)
    return [("award", users[0].pk, key)]


def record(users: list[Any], key: str) -> list[Claim]:
    activities.record(users[0], "scenario_completed", key=key, now=NOW)
    return [("record", users[0].pk, key)]


def record_many(users: list[Any], key: str) -> list[Claim]:
    activities.record_many([Event(user, "words_learned", key, 5) for user in users], now=NOW)
    return [("record_many", user.pk, key) for user in users]


def enqueue(users: list[Any], key: str) -> list[Claim]:
    ingestion.enqueue([Event(user, "study_session", key, data={"minutes": 5}) for user in users], now=NOW)
    return [("enqueue", user.pk, key) for user in users]


def work(users: list[Any], key: str) -> list[Claim]:
    ingestion.work(now=NOW)
    return []


def reverse(users: list[Any], key: str) -> list[Claim]:
    paid = xp.award(users[0], 10, reason="race", key=f"{key}:paid", now=NOW)
    xp.reverse(paid.transaction, reason="a mistake", now=NOW)
    return [("reverse", users[0].pk, f"{key}:paid")]


def freeze(users: list[Any], key: str) -> list[Claim]:
    user = _newcomer(key)
    streaks.touch(user, now=NOW - timedelta(days=1))
    streaks.freeze(user, now=NOW)
    return [("freeze", user.pk, "")]


def unlock(users: list[Any], key: str) -> list[Claim]:
    user = _newcomer(key)
    achievements.unlock(user, PRIZE, now=NOW)
    return [("unlock", user.pk, "")]


def revoke(users: list[Any], key: str) -> list[Claim]:
    user = _newcomer(key)
    achievements.unlock(user, PRIZE, now=NOW)
    achievements.revoke(user, PRIZE, now=NOW)
    return [("revoke", user.pk, "")]


def erase(users: list[Any], key: str) -> list[Claim]:
    user = _newcomer(key)
    activities.record(user, "scenario_completed", key=key, now=NOW)
    privacy.erase(user)
    return [("erase", user.pk, "")]


ACTS = (award, record, record_many, enqueue, work, reverse, freeze, unlock, revoke, erase)


def _is_recorded(pk: int, key: str) -> bool:
    return Activity.objects.filter(user_id=pk, key=key).count() == 1


def _is_taken_in(pk: int, key: str) -> bool:
    waits = QueuedActivity.objects.waiting().filter(user_id=pk, key=key).count()
    return waits + Activity.objects.filter(user_id=pk, key=key).count() == 1


def _is_frozen(pk: int, key: str) -> bool:
    is_used = UserStreak.objects.filter(user_id=pk, streak_freezes_available=2).exists()
    return is_used and UserDay.objects.filter(user_id=pk, status="frozen", freezes_used=1).count() == 1


KEPT: dict[str, Callable[[int, str], bool]] = {
    "award": lambda pk, key: XPTransaction.objects.filter(user_id=pk, source="client", key=key).count() == 1,
    "record": _is_recorded,
    "record_many": _is_recorded,
    "enqueue": _is_taken_in,
    "reverse": lambda pk, key: XPTransaction.objects.filter(reverses__user_id=pk, reverses__key=key).count() == 1,
    "freeze": _is_frozen,
    "unlock": lambda pk, key: UserAchievement.objects.unlocked().filter(user_id=pk, achievement_id=PRIZE).exists(),
    "revoke": lambda pk, key: UserAchievement.objects.filter(user_id=pk, revoked_at__isnull=False).exists(),
    "erase": lambda pk, key: not Activity.objects.filter(user_id=pk).exists(),
}

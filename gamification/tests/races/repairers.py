"""What processes do of which one repairs while the others write."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from django.core.management import call_command

from gamification.services import activities, integrity
from gamification.tests.races.workers import NOW, racers

FOLDER = "GAMIFICATION_REPAIR_FOLDER"


def folder() -> Path:
    """Return where the processes of one test leave notes for each other."""
    return Path(os.environ[FOLDER])


def repair() -> None:
    """Repair everybody, a few people at a time, behind the position that an earlier process has noted."""
    integrity.USERS_AT_ONCE, integrity.MENDED_AT_ONCE = 6, 3
    with (folder() / f"said-{os.getpid()}").open("w") as said:
        call_command("gamification_verify", "--repair", "--position", folder() / "position", stdout=said)
    (folder() / "repaired").touch()


def record() -> None:
    """Record for random people until everybody is repaired, and note each key once it is acknowledged."""
    dice, users = random.Random(time.time_ns()), racers()
    with (folder() / f"acknowledged-{os.getpid()}").open("w") as acknowledged:
        while not (folder() / "repaired").exists():
            user, key = dice.choice(users), str(dice.random())
            activities.record(user, dice.choice(["words_learned", "scenario_completed"]), key=key, now=NOW)
            acknowledged.write(f"{user.pk} {key}\n")
            acknowledged.flush()

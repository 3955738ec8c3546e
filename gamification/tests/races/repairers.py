"""What processes do of which one repairs while the others write; ``folder`` is where they leave notes."""

from __future__ import annotations

import os
import random
import signal
import time
from itertools import count
from pathlib import Path
from typing import Any

from django.core.management import call_command

from gamification.engine import saving
from gamification.services import activities, integrity
from gamification.tests.races.workers import NOW, racers


def repair(folder: Path) -> None:
    """Repair everybody, a few people at a time, behind the position that an earlier process has noted."""
    integrity.USERS_AT_ONCE, integrity.MENDED_AT_ONCE = 6, 3
    with (folder / f"said-{os.getpid()}").open("w") as said:
        call_command("gamification_verify", "--repair", "--position", folder / "position", stdout=said)
    (folder / "repaired").touch()


def repair_and_be_killed(folder: Path) -> None:
    """Repair, and be killed in the middle of the fourth transaction, with some of it written."""
    saved, save = count(1), saving.save

    def save_and_die(changed: Any) -> None:
        save(changed)
        if next(saved) == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    saving.save = save_and_die
    repair(folder)


def record(folder: Path) -> None:
    """Record for random people until everybody is repaired, and note each key once it is acknowledged."""
    dice, users = random.Random(time.time_ns()), racers()
    with (folder / f"acknowledged-{os.getpid()}").open("w") as acknowledged:
        while not (folder / "repaired").exists():
            user, key = dice.choice(users), str(dice.random())
            activities.record(user, dice.choice(["words_learned", "scenario_completed"]), key=key, now=NOW)
            acknowledged.write(f"{user.pk} {key}\n")
            acknowledged.flush()

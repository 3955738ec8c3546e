"""Writers that are killed with SIGKILL, whatever they are at: what they had acknowledged must be there."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.faults.copies import PLACES, Fresh
from benchmarks.faults.outcomes import Outcome
from gamification.tests.races import acts

#: Rounds on one database: verifying grows with what is in it.
ROUNDS_EACH = 10


def run(*, is_quick: bool) -> Iterator[Outcome]:
    rounds = 4 if is_quick else 100
    for where, place in PLACES.items():
        with place() as fresh:
            yield _kills(where, fresh, rounds)


def _kills(where: str, fresh: Fresh, rounds: int) -> Outcome:
    killed, chance = acts.Killed(), random.Random(rounds)
    for start in range(0, rounds, ROUNDS_EACH):
        with fresh() as url, tempfile.TemporaryDirectory(prefix="gamification-kills-") as folder:
            acts.people()
            for _ in range(min(ROUNDS_EACH, rounds - start)):
                killed.look(acts.round_of_kills(url, Path(folder), chance))
    figures = {
        "rounds": rounds,
        "killed": rounds * acts.WORKERS,
        "drifts": len(killed.drifts),
        "by kind": ", ".join(f"{kind} {number:,}" for kind, number in sorted(killed.acknowledged.items())),
    }
    lost = len(killed.lost) + len(killed.drifts)
    return Outcome("kill -9 of writers", where, killed.acknowledged.total(), lost, figures)

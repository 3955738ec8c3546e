"""Clocks back and forward, daylight saving, the date line, people who travel: the services against a naive telling."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from benchmarks.faults import served
from benchmarks.faults.outcomes import Outcome
from gamification.tests.races import processes
from gamification.tests.services.wanderers import PLACES, Crowd

#: People in each place and how often time goes by for them: nearly three acts each time.
PEOPLE, ROUNDS = 45, 70
PEOPLE_QUICK, ROUNDS_QUICK = 4, 15
SHOWN = ("negative length", "double day")


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield one outcome: tried are the acts, lost is in what the services and the naive telling differ."""
    people, rounds = (PEOPLE_QUICK, ROUNDS_QUICK) if is_quick else (PEOPLE, ROUNDS)
    acts, problems = 0, Counter[str]()
    with served.database("SQLite") as url, processes.database(url):
        for place in PLACES:
            crowd = Crowd(place, people, random.Random(place))
            crowd.live(rounds)
            acts += crowd.acts
            problems += crowd.problems
    figures = {"zones": len(PLACES), **{name: problems.pop(name, 0) for name in SHOWN}, **problems}
    yield Outcome("clocks", "SQLite", acts, sum(problems.values()) + sum(figures[name] for name in SHOWN), figures)

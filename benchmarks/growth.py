"""What the same work costs among 10,000 people and among more, up to a million."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model

from benchmarks.harness import Measurement, median_of
from benchmarks.people import Crowd, empty, populate
from benchmarks.record import DATA, NOON
from gamification.services import achievements, activities, dashboard, leaderboards

DATABASES = ("sqlite", "postgresql")
SIZES = (10_000, 100_000, 1_000_000)
OPERATIONS = 100
ROUNDS = 5


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    first: dict[str, float] = {}
    for size in (1000, 5000) if is_quick else SIZES:
        empty()
        populate(Crowd(users=size, days=10))
        achievements.initialize()
        leaderboards.refresh(now=NOON)
        for work, once in _works(size).items():
            taken = median_of(partial(_repeat, once), ROUNDS) / OPERATIONS
            first.setdefault(work, taken)
            ratio = round(taken / first[work], 3)
            times: dict[str, Any] = {"floor_us": round(first[work] * 1e6, 1), "product_us": round(taken * 1e6, 1)}
            yield Measurement(
                f"{work}, {size:,} people", database, ratio, ratio, ratio, against="the fewest", rounds=ROUNDS, **times
            )


def _works(size: int) -> dict[str, Callable[[], object]]:
    people = get_user_model()._default_manager
    users: list[Any] = list(people.filter(pk__in=range(1, size, size // 500)))
    numbers = count()

    def somebody() -> Any:
        return users[next(numbers) * 7919 % len(users)]

    def record() -> None:
        activities.record(somebody(), "scenario_completed", key=f"growth-{next(numbers)}", data=DATA, now=NOON)

    return {
        "record": record,
        "rank": lambda: leaderboards.rank(somebody(), "xp_all_time", now=NOON),
        "top 10 and around me": lambda: leaderboards.top("xp_all_time", viewer=somebody(), now=NOON),
        "dashboard": lambda: dashboard.overview(somebody(), now=NOON),
    }


def _repeat(once: Callable[[], object]) -> None:
    for _ in range(OPERATIONS):
        once()

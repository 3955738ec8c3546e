"""Eight processes on the same rows: lost updates, keys that count twice, transactions that wait in a circle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.faults.copies import PLACES, Fresh
from benchmarks.faults.outcomes import Outcome
from gamification.models import UserXP, XPTransaction
from gamification.services import integrity, xp
from gamification.tests.backends.people import people, person
from gamification.tests.races import processes, workers

PROCESSES, USERS, START = 8, 5, 10
AWARDS, KEYS = 250, 100  # of each process


def run(*, is_quick: bool) -> Iterator[Outcome]:
    turns = 6 if is_quick else 60
    for where, place in PLACES.items():
        with place() as fresh:
            yield _lost_updates(where, fresh)
            if where == "PostgreSQL":
                yield _without_the_lock(where, fresh)
            yield _same_keys(where, fresh)
            yield _deadlocks(where, fresh, "awards to 3 in one transaction", workers.award_to_several, turns)
            yield _deadlocks(where, fresh, "record_many beside record", workers.record_one_or_several, turns)


def _race(work: Callable[[int], Any], url: str) -> list[Any]:
    outcomes = processes.race(work, url, PROCESSES)
    if wrong := [outcome.error or outcome.logged for outcome in outcomes if outcome.error or outcome.logged]:
        raise SystemExit(f"A process failed:\n{wrong[0]}")
    return [outcome.value for outcome in outcomes]


def _drifts() -> int:
    return sum(1 for _ in integrity.verify(now=workers.NOW))


def _lost_updates(where: str, fresh: Fresh) -> Outcome:
    with fresh() as url:
        user = person()
        errors = sum(map(len, _race(workers.add, url)))
        kept = UserXP.objects.get(user=user).total_xp // 10
        tried = PROCESSES * AWARDS
        return Outcome("lost updates", where, tried, tried - kept, {"errors": errors, "drifts": _drifts()})


def _without_the_lock(where: str, fresh: Fresh) -> Outcome:
    """Try a copy that reads without locking, which has to lose: or the other figure says nothing."""
    with fresh() as url:
        user = person()
        xp.initialize(user)
        _race(workers.add_without_the_lock, url)
        tried = XPTransaction.objects.filter(user=user).count()
        lost = tried - UserXP.objects.get(user=user).total_xp // 10
        figures = {"updates that the copy lost": lost}
        return Outcome("lost updates, seen on a copy without the lock", where, tried, int(not lost), figures)


def _same_keys(where: str, fresh: Fresh) -> Outcome:
    with fresh() as url:
        user = person()
        answers: Counter[str] = sum(map(Counter, _race(workers.send_the_same_keys, url)), Counter())
        rows = XPTransaction.objects.filter(user=user).count()
        errors = answers.total() - answers["new"] - answers["replayed"]
        figures = {"rows": rows, "errors": errors, "drifts": _drifts()}
        return Outcome("the same key at once", where, PROCESSES * KEYS, abs(rows - KEYS) + errors, figures)


def _deadlocks(where: str, fresh: Fresh, how: str, work: Callable[..., Any], turns: int) -> Outcome:
    with fresh() as url:
        people(*[START] * USERS)
        outcomes = _race(partial(work, turns=turns), url)
        errors = [error for outcome in outcomes for error in outcome["errors"]]
        figures = {"errors": "; ".join(sorted(set(errors))) or 0, "drifts": (drifts := _drifts())}
        return Outcome(f"deadlock: {how}", where, PROCESSES * turns, len(errors) + drifts, figures)

"""What the racing processes do. Each function is called with the worker's number and returns what JSON can carry."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import override_settings

from gamification.domain import webhooks as rules
from gamification.engine import backlog, delivering, players
from gamification.exceptions import AlreadyReversed
from gamification.models import UserStreak, XPTransaction
from gamification.services import (
    achievements,
    activities,
    ingestion,
    integrity,
    leaderboards,
    privacy,
    streaks,
    webhooks,
    xp,
)
from gamification.services.activities import Event

TURNS = 20
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def racers() -> list[Any]:
    return list(get_user_model()._default_manager.order_by("pk"))


def errors_of(step: Any, turns: int = TURNS) -> list[str]:
    """Take a step ``turns`` times and return what went wrong."""
    errors = []
    for turn in range(turns):
        try:
            step(turn)
        except Exception as error:  # noqa: BLE001 -- whatever goes wrong is what the test asks for
            errors.append(f"{type(error).__name__}: {error}"[:200])
    return errors


def add(number: int) -> list[str]:
    """Give one user 10 XP, 250 times."""
    (user, *_) = racers()
    return errors_of(lambda turn: xp.award(user, 10, reason="race", key=f"{number}:{turn}", now=NOW), 250)


def add_a_little(number: int) -> list[str]:
    """Give one user 10 XP, a few times."""
    (user, *_) = racers()
    return errors_of(lambda turn: xp.award(user, 10, reason="race", key=f"{number}:{turn}", now=NOW))


def add_without_the_lock(number: int) -> list[str]:
    """Give one user 10 XP, with rows that were read but not locked."""
    _disable_the_lock()
    (user, *_) = racers()
    return errors_of(lambda turn: xp.award(user, 10, reason="race", key=f"{number}:{turn}", now=NOW))


#: A kind with limits of which no few events come to the same.
LIMITED = {"xp": 10, "counters": {"commits": 1}, "max_xp_per_day": 555, "max_events_per_day": 70}


def record_past_the_limits(number: int) -> list[str]:
    """Record what pays at most 555 XP a day and counts 70 times."""
    (user, *_) = racers()

    def record(turn: int) -> None:
        activities.record(user, "commit", key=f"{number}:{turn}", now=NOW)

    with override_settings(GAMIFICATION={"ACTIVITY_TYPES": {"commit": LIMITED}, "STREAK_BONUS_PER_DAY": 0}):
        return errors_of(record)


def send_the_same_keys(number: int) -> dict[str, int]:
    """Send 100 keys that everybody sends, in an order of one's own; return how often each answer came."""
    (user, *_) = racers()
    keys = [f"key-{turn}" for turn in range(100)]
    random.Random(number).shuffle(keys)
    answers: Counter[str] = Counter()

    def send(turn: int) -> None:
        award = xp.award(user, 10, reason="race", key=keys[turn], now=NOW)
        answers["replayed" if award.is_replay else "new"] += 1

    answers.update(error.partition(":")[0] for error in errors_of(send, len(keys)))
    return dict(answers)


def send_the_same_keys_without_the_lock(number: int) -> dict[str, int]:
    """Send them with rows that were read but not locked."""
    _disable_the_lock()
    return send_the_same_keys(number)


def award_to_several(number: int, turns: int = 12) -> dict[str, Any]:
    """Give three random users something in one transaction, locked first; return the sums and the errors."""
    dice, users = random.Random(number), racers()
    sums: Counter[str] = Counter()

    def step(turn: int) -> None:
        chosen, amount = dice.sample(users, 3), dice.randrange(1, 50)
        with transaction.atomic():
            xp.lock(*chosen)
            for user in chosen:
                xp.award(user, amount, reason="race", key=f"{number}:{turn}", now=NOW)
        sums.update({str(user.pk): amount for user in chosen})

    return {"errors": errors_of(step, turns), "sums": dict(sums)}


def record_for_several(number: int, turns: int = TURNS) -> dict[str, Any]:
    """Record something for three random users at once, in no order; return how often, by user, and the errors."""
    dice, users = random.Random(number), racers()
    done: Counter[str] = Counter()

    def step(turn: int) -> None:
        chosen = dice.sample(users, 3)
        batch = [Event(user, "scenario_completed", f"{number}:{turn}", occurred_at=NOW) for user in chosen]
        activities.record_many(batch, now=NOW)
        done.update(str(user.pk) for user in chosen)

    return {"errors": errors_of(step, turns), "sums": dict(done)}


def record_one_or_several(number: int, turns: int = TURNS) -> dict[str, Any]:
    """Record for one user after the other, or, as every second worker, for several at once."""
    if number % 2:
        return record_for_several(number, turns)
    dice, users = random.Random(number), racers()
    done: Counter[str] = Counter()

    def step(turn: int) -> None:
        user = dice.choice(users)
        activities.record(user, "scenario_completed", key=f"{number}:{turn}", now=NOW)
        done[str(user.pk)] += 1

    return {"errors": errors_of(step, turns), "sums": dict(done)}


def record_the_fifth_scenario(number: int) -> Any:
    """Record one scenario, which is the fifth; return what it unlocked."""
    (user, *_) = racers()
    receipt = activities.record(user, "scenario_completed", key=f"fifth-{number}", now=NOW)
    return receipt.achievements_unlocked


def record_the_same_fifth_scenario(number: int) -> Any:
    """Record the fifth scenario with the key that everybody has; return is_replay, what was unlocked and the XP."""
    (user, *_) = racers()
    receipt = activities.record(user, "scenario_completed", key="fifth", now=NOW)
    return [receipt.is_replay, receipt.achievements_unlocked, receipt.xp_awarded]


def write_first(number: int) -> list[str]:
    """Write for users who have no rows yet, as everybody does at the same time."""
    return errors_of(lambda turn: xp.award(racers()[turn], 10, reason="race", key=f"{number}", now=NOW), len(racers()))


def write_first_for_several(number: int) -> list[str]:
    """Write for some of a few users who have no rows yet, one set of users after the other, in step."""
    dice, users = random.Random(number), racers()
    sets = [users[start : start + 6] for start in range(0, len(users), 6)]
    began = time.monotonic()

    def step(turn: int) -> None:
        chosen = dice.sample(sets[turn], dice.choice([1, 2, 4]))
        time.sleep(max(0, began + turn * 0.1 - time.monotonic()))
        activities.record_many([Event(user, "daily_visit", f"{number}") for user in chosen], now=NOW)

    return errors_of(step, len(sets))


def meet_in_order_of_id(number: int) -> list[str]:
    """Award to a new user and then to an old one, in order of id, while the other worker records for both at once."""
    users = racers()
    pairs = list(zip(users[::2], users[1::2], strict=True))

    def step(turn: int) -> None:
        new, old = pairs[turn]
        if number:
            time.sleep(0.02)
            activities.record_many([Event(user, "daily_visit", "both") for user in (new, old)], now=NOW)
            return
        with transaction.atomic():
            xp.award(new, 5, reason="race", key="first", now=NOW)
            time.sleep(0.06)
            xp.award(old, 5, reason="race", key="second", now=NOW)

    return errors_of(step, len(pairs))


def do_what_can_be_done_once(number: int) -> dict[str, bool]:
    """Do what everybody does, and return what was new."""
    (user, *_) = racers()
    prize = XPTransaction.objects.get(key="prize")
    told = {"reversed": False}
    with suppress(AlreadyReversed):
        told["reversed"] = not xp.reverse(prize, reason="a mistake", key=f"by-{number}", now=NOW).is_replay
    told["touched"] = not streaks.touch(user, now=NOW).is_replay
    told["frozen"] = not streaks.freeze(user, now=NOW + timedelta(days=1)).is_replay
    told["granted"] = achievements.unlock(user, "polyglot", now=NOW)
    return told


def award_or_erase(number: int) -> list[str]:
    """Give XP, or, as every fourth worker, erase whom it was given to."""
    dice, users = random.Random(number), racers()

    def give(turn: int) -> None:
        activities.record(dice.choice(users), "scenario_completed", key=f"{number}:{turn}", now=NOW)

    return errors_of(give if number % 4 else lambda turn: privacy.erase(dice.choice(users)))


def award_or_look(number: int) -> list[str]:
    """Give XP, or, as every second worker, read all boards; nothing is old enough to be kept."""
    dice, users = random.Random(number), racers()

    def look(turn: int) -> None:
        viewer = dice.choice(users)
        for metric in leaderboards.metrics():
            board = leaderboards.top(metric, viewer=viewer)
            scores = [row.score for row in board.entries if not row.is_me]
            assert scores == sorted(scores, reverse=True)

    def give(turn: int) -> None:
        activities.record(dice.choice(users), "scenario_completed", key=f"{number}:{turn}")

    return errors_of(look, 6) if number % 2 else errors_of(give)


def award_while_somebody_verifies(number: int) -> list[str]:
    """Give XP; the first worker verifies meanwhile and returns the drifts that it saw."""
    if number == 0:
        drifts: list[str] = []
        until = time.monotonic() + 4
        while time.monotonic() < until:
            drifts += [str(drift) for drift in integrity.verify(now=NOW)]
        return drifts
    dice, users = random.Random(number), racers()

    def step(turn: int) -> None:
        activities.record(dice.choice(users), "scenario_completed", key=f"{number}:{turn}", now=NOW)

    return errors_of(step)


def rebuild(number: int) -> int:
    """Read a board that has expired; return how many statements that were needed to build one were sent."""
    seen: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "total_xp" in sql and "ORDER BY" in sql and "LIMIT" in sql:
            seen.append(sql)
            time.sleep(0.3)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        board = leaderboards.top("xp_all_time", now=NOW)
    assert [row.score for row in board.entries] == [30, 20, 10]
    return len(seen)


def read_beside_a_long_transaction(number: int) -> float:
    """Read a board that has expired; the first worker does so in a transaction that goes on. Return the seconds."""
    if number:
        time.sleep(0.5)
    began = time.monotonic()
    with transaction.atomic() if not number else nullcontext():
        leaderboards.top("xp_all_time", now=NOW)
        took = time.monotonic() - began
        time.sleep(0 if number else 8)
    return took


def die_while_rebuilding(number: int) -> None:
    """Take the claim and be gone."""

    def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "total_xp" in sql and "ORDER BY" in sql:
            os._exit(9)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(die), suppress(SystemExit):
        leaderboards.refresh("xp_all_time", now=NOW)


def work_on_the_backlog() -> None:
    """Record what waits, a little at a time."""
    backlog.EVENTS_AT_ONCE, backlog.USERS_AT_ONCE = 40, 5
    ingestion.work(now=NOW)


def take_from_the_backlog(number: int) -> int:
    """Record what waits, a little at a time, and return how much it was."""
    backlog.EVENTS_AT_ONCE, backlog.USERS_AT_ONCE = 200, 5
    return ingestion.work(now=NOW).total


def _disable_the_lock() -> None:
    def read_only(ids: Any) -> Any:
        rows = UserStreak.objects.in_bulk(list(ids))
        return lambda: set(rows)

    players.hold = read_only


def begin(number: int) -> None:
    """Give one user the rows of a beginner."""
    (user, *_) = racers()
    xp.initialize(user)


def can_lock(number: int) -> bool:
    """Tell whether nobody holds the one user there is."""
    with transaction.atomic():
        return UserStreak.objects.select_for_update(skip_locked=True).exists()


def deliver_webhooks(number: int = 0) -> dict[str, int]:
    """Send what is due until nothing waits, with leases of about two seconds; return how the sendings ended."""
    delivering.MARGIN = 1
    with override_settings(GAMIFICATION={"WEBHOOKS_ALLOW_PRIVATE": True, "WEBHOOKS_TIMEOUT": 1}):
        done, until = webhooks.deliver(), time.monotonic() + 60
        while webhooks.waiting() and time.monotonic() < until:
            time.sleep(0.02)
            done += webhooks.deliver()
    return asdict(done)


def deliver_with_quick_retries() -> None:
    """Send what is due, and what failed again after a moment."""
    rules.WAITS, rules.PAUSE_MAX = (0.05,) * 9, timedelta(seconds=0.05)
    deliver_webhooks()

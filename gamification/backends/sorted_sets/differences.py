"""What the sorted sets say otherwise than the database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from gamification.backends import scores
from gamification.backends.sorted_sets import people, renewal
from gamification.backends.sorted_sets.copies import Copy
from gamification.backends.sorted_sets.people import Person

SECOND_LOOK_SECONDS = 0.5
Facts = dict[str, str]


def differences(copy: Copy, now: datetime) -> Iterator[str]:
    """Yield a line for each fact in which the copy differs from the database; who is just being written is given time.

    Raises:
        Unavailable: Redis cannot tell.
    """
    memory = copy.store.run(lambda client: client.info("memory"))
    if memory.get("maxmemory") and str(memory.get("maxmemory_policy")).startswith("allkeys"):
        yield f"Redis may throw boards away when it is full: its maxmemory-policy is {memory['maxmemory_policy']}"
    kept = copy.store.run(lambda client: client.hgetall(copy.state))
    if kept.get("boards") != "\n".join(copy.boards):
        yield "the sorted sets are not in use: they are missing, being built, or were built for other boards"
        return
    while not renewal.tidy_up(copy, now):
        pass
    for versions in renewal.versions():
        if found := _of_users(copy, list(versions), now):
            time.sleep(SECOND_LOOK_SECONDS)
            for pk, lines in _of_users(copy, list(found), now).items():
                yield from (f"user {pk}: {line}" for line in lines)
    for ids in copy.everywhere():
        known = set(people.known().filter(user_id__in=ids).values_list("user_id", flat=True))
        yield from (f"user {pk}: is in Redis and not in the database" for pk in ids if pk not in known)


def _of_users(copy: Copy, ids: list[Any], now: datetime) -> dict[Any, list[str]]:
    """Return what differs about these users, by id."""
    stored = dict(zip(ids, _stored(copy, ids), strict=True))
    derived = {pk: _derived(copy, person, now) for pk, person in people.read(ids, people.today(now)).items()}
    lines = {pk: list(_compared(stored[pk], facts)) for pk, facts in derived.items()}
    return {pk: found for pk, found in lines.items() if found}


def _compared(stored: Facts, derived: Facts) -> Iterator[str]:
    for name in sorted(stored.keys() | derived.keys()):
        if stored.get(name) != derived.get(name):
            yield f"{name} is {stored.get(name, 'missing')} in Redis and {derived.get(name, 'missing')} in the database"


def _derived(copy: Copy, person: Person, now: datetime) -> Facts:
    """Return by name what the copy should hold of somebody."""
    found = person.scores
    facts = {"version": str(found.version)}
    if person.hidden:
        return {**facts, "hidden": person.hidden}
    today = people.today(now)
    days = {people.day_number(on): xp for on, xp in found.xp_by_day.items() if xp}
    sums = {name: sum(xp for on, xp in days.items() if on > today - length) for name, length in scores.WINDOWS.items()}
    is_running = found.expires_at is not None and found.expires_at > now
    values = {
        "xp_all_time": found.total_xp,
        scores.STREAK_CURRENT: found.current_streak if is_running else 0,
        "streak_longest": found.longest_streak,
        **sums,
        **found.counters,
    }
    facts |= {board: str(values[board]) for board in copy.boards if values.get(board, 0) > 0}
    if found.expires_at is not None and facts.get(scores.STREAK_CURRENT):
        facts["expiry"] = str(people.micros(found.expires_at))
    return facts | {f"XP of day {on}": str(xp) for on, xp in days.items()}


def _stored(copy: Copy, ids: Iterable[Any]) -> list[Facts]:
    """Return by name what the copy holds of each of these users."""
    members = [people.member_of(pk) for pk in ids]

    def ask(client: Any) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for board in copy.boards:
            pipeline.zmscore(copy.board(board), members)
        pipeline.zmscore(copy.expiry, members)
        for member in members:
            pipeline.hgetall(copy.user(member))
        return list(pipeline.execute())

    *by_board, expiries = (replies := copy.store.run(ask))[: len(copy.boards) + 1]
    told: list[Facts] = []
    for at, kept in enumerate(replies[len(copy.boards) + 1 :]):
        facts = {board: f"{-column[at]:.0f}" for board, column in zip(copy.boards, by_board, strict=True) if column[at]}
        facts |= {"expiry": f"{expiries[at]:.0f}"} if expiries[at] else {}
        named = {"v": "version", "h": "hidden"}
        told.append(facts | {named.get(field, f"XP of day {field}"): value for field, value in kept.items()})
    return told

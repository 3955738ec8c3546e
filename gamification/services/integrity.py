"""Integrity: what is stored, held against what the log, the ledger and the freezes say."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import models, transaction

from gamification.engine import announcing, board_facts, days, deriving, players, saving
from gamification.engine.clock import moment
from gamification.engine.records import Records, read_records
from gamification.engine.rules import rulebook
from gamification.engine.sql import reading
from gamification.exceptions import InsufficientXP
from gamification.models import UserStreak

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player

USERS_AT_ONCE = 200
#: Others who write for these people wait meanwhile.
MENDED_AT_ONCE = 20
#: How often a sample may meet somebody who is in it already.
TRIES_FOR_EACH = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """A stored fact that is not what the records say; of nobody (``user_id`` None) when it is about a leaderboard."""

    user_id: Any
    fact: str
    stored: Any
    derived: Any

    def __str__(self) -> str:
        return f"{self.subject}{self.fact} is {self.stored}, the records say {self.derived}"

    @property
    def subject(self) -> str:
        return "" if self.user_id is None else f"user {self.user_id}: "


def verify(*, users: Iterable[AbstractBaseUser] | None = None, now: datetime | None = None) -> Iterator[Drift]:
    """Yield every drift of ``users``, or of everybody; nothing is written."""
    at = moment(now)
    for part in parts(users):
        if suspects := {drift.user_id for drift in _drifts(part, at)}:
            with transaction.atomic():
                reading.hold(list(suspects))()  # once more, with nobody writing in between
                confirmed = _drifts([user for user in part if user.pk in suspects], at)
            yield from confirmed


def repair(*, users: Iterable[AbstractBaseUser] | None = None, now: datetime | None = None) -> Iterator[Drift]:
    """Mend every drift of ``users``, or of everybody, a few users to a transaction, and yield what was mended.

    Others go on writing meanwhile. What contradicts itself in the log or the ledger stays, and ``verify`` goes on
    telling.
    """
    at = moment(now)
    for part in parts(users, MENDED_AT_ONCE):
        with transaction.atomic():
            mended = _mend(part, at)
        yield from mended


def parts(
    users: Iterable[AbstractBaseUser] | None = None, size: int | None = None, *, after: Any = None
) -> Iterator[list[AbstractBaseUser]]:
    """Yield ``users``, or everybody in order of id (behind the id ``after``), a few at a time.

    Of everybody each part is read when it is asked for, so that a long run meets those who came meanwhile.
    """
    remaining, size = iter(users or ()), size or USERS_AT_ONCE
    everybody = get_user_model()._default_manager.order_by("pk")
    while True:
        if users is not None:
            part = list(islice(remaining, size))
        else:
            part = list(everybody[:size] if after is None else everybody.filter(pk__gt=after)[:size])
        if not part:
            return
        yield part
        after = part[-1].pk


def sample(number: int) -> list[AbstractBaseUser]:
    """Return up to ``number`` random people who take part: a look into an index for each, however many there are.

    Who comes behind a gap in the ids is a little more likely. Keys that are neither numbers nor UUIDs cost a scan.
    """
    rows, pk = UserStreak.objects.order_by("user_id").values_list("user_id", flat=True), get_user_model()._meta.pk
    found = set(rows[: number + 1])
    if len(found) > number:
        chosen: set[Any] = set()
        if isinstance(pk, models.IntegerField | models.UUIDField):
            first, last = rows[0], rows.reverse()[0]
            tries = (_between(first, last) for _ in range(TRIES_FOR_EACH * number))
            while len(chosen) < number and (beyond := next(tries, None)) is not None:
                chosen.update(rows.filter(user_id__gte=beyond)[:1])
        found = chosen or set(rows.order_by("?")[:number])
    return [user for part in _by_ids(sorted(found)) for user in part]


def _between(first: Any, last: Any) -> Any:
    """Return a random key from ``first`` to ``last``."""
    if isinstance(first, UUID):
        return UUID(int=random.randint(first.int, last.int))  # noqa: S311 -- nothing secret
    return random.randint(first, last)  # noqa: S311


def _by_ids(ids: list[Any]) -> Iterator[list[AbstractBaseUser]]:
    people = get_user_model()._default_manager.order_by("pk")
    for start in range(0, len(ids), USERS_AT_ONCE):
        yield list(people.filter(pk__in=ids[start : start + USERS_AT_ONCE]))


def verify_boards(*, now: datetime | None = None) -> Iterator[Drift]:
    """Yield the leaderboards whose kept snapshot is not what it should be, though nothing has changed since."""
    for board in board_facts.differing(moment(now)):
        yield Drift(None, f"leaderboard {board}", "another", "as in the tables")


def repair_boards(*, now: datetime | None = None) -> Iterator[Drift]:
    """Build those leaderboards anew and yield which they were."""
    for drift in list(verify_boards(now=now)):
        board_facts.rebuild(drift.fact.removeprefix("leaderboard "), moment(now))
        yield drift


def _mend(part: list[AbstractBaseUser], now: datetime) -> list[Drift]:
    """Mend the drifts of some users, who are locked here, and return them."""
    reading.hold([user.pk for user in part])()
    # Of those who were erased or deleted before nothing is left that could have drifted, and nothing must come back.
    there = get_user_model()._default_manager.filter(pk__in=[user.pk for user in part])
    suspects = {drift.user_id for drift in _drifts(list(there), now)}
    locked = players.lock(user for user in part if user.pk in suspects)
    _read_all(locked)
    records, policy, rules = read_records(locked), days.policy(), rulebook()
    mended: list[Drift] = []
    changed: dict[Any, Player] = {}
    for pk, player in locked.items():
        known = records.get(pk, Records())
        if known.total_xp < 0:
            continue  # no total can say that: it takes a correction in the ledger, and verify goes on telling
        for fact in deriving.drifted(player, known, policy, rules, now):
            if fact.mend is not None:
                try:
                    fact.mend()
                except InsufficientXP:
                    continue  # what was paid too much is spent: that takes a correction too
                changed[pk] = player
                mended.append(Drift(pk, fact.name, fact.stored, fact.derived))
    saving.save(changed)
    announcing.after_commit(changed.values())
    return mended


def _drifts(part: list[AbstractBaseUser], now: datetime) -> list[Drift]:
    policy, rules = days.policy(), rulebook()
    seen = players.glance(part)
    _read_all(seen)
    records = read_records(seen)
    return [
        Drift(pk, fact.name, fact.stored, fact.derived)
        for pk, player in seen.items()
        for fact in deriving.drifted(player, records.get(pk, Records()), policy, rules, now)
    ]


def _read_all(seen: Mapping[Any, Player]) -> None:
    players.load_all_days(seen.values())
    players.load_unlocks(seen.values())

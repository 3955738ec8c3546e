"""Integrity: what is stored, held against what the log, the ledger and the freezes say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q

from gamification.engine import announcing, days, deriving, players, saving
from gamification.engine.clock import moment
from gamification.engine.records import Records, read_records
from gamification.models import Activity, UserAchievement, UserCounter, UserDay, UserStreak, UserXP, XPTransaction

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player

USERS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Drift:
    """A stored fact that is not what the records say."""

    user_id: Any
    fact: str
    stored: Any
    derived: Any

    def __str__(self) -> str:
        return f"user {self.user_id}: {self.fact} is {self.stored}, the records say {self.derived}"


def verify(*, users: Iterable[AbstractBaseUser] | None = None, now: datetime | None = None) -> Iterator[Drift]:
    """Yield every drift of ``users``, or of everybody; nothing is written."""
    at = moment(now)
    for part in _parts(users):
        if suspects := {drift.user_id for drift in _drifts(part, at)}:
            with transaction.atomic():
                players.hold(suspects)()  # once more, with nobody writing in between
                confirmed = _drifts([user for user in part if user.pk in suspects], at)
            yield from confirmed


def repair(*, users: Iterable[AbstractBaseUser] | None = None, now: datetime | None = None) -> Iterator[Drift]:
    """Mend every drift of ``users``, or of everybody, a few users to a transaction, and yield what was mended.

    What contradicts itself in the log or the ledger stays, and ``verify`` goes on telling.
    """
    policy, at = days.policy(), moment(now)
    for part in _parts(users):
        mended: list[Drift] = []
        with transaction.atomic():
            locked = players.lock(part)
            _read_all(locked)
            records = read_records(locked)
            changed: dict[Any, Player] = {}
            for pk, player in locked.items():
                known = records.get(pk, Records())
                if known.total_xp < 0:
                    continue  # no total can say that: it takes a correction in the ledger, and verify goes on telling
                for fact in deriving.drifted(player, known, policy, at):
                    if fact.mend is not None:
                        fact.mend()
                        changed[pk] = player
                        mended.append(Drift(pk, fact.name, fact.stored, fact.derived))
            saving.save(changed)
            announcing.after_commit(changed.values())
        yield from mended


def _drifts(part: list[AbstractBaseUser], now: datetime) -> list[Drift]:
    policy = days.policy()
    seen = players.glance(part)
    _read_all(seen)
    records = read_records(seen)
    return [
        Drift(pk, fact.name, fact.stored, fact.derived)
        for pk, player in seen.items()
        for fact in deriving.drifted(player, records.get(pk, Records()), policy, now)
    ]


def _read_all(seen: Mapping[Any, Player]) -> None:
    players.load_all_days(seen.values())
    players.load_unlocks(seen.values())


def _parts(users: Iterable[AbstractBaseUser] | None) -> Iterator[list[AbstractBaseUser]]:
    """Yield those who have rows, a few at a time, in order of id."""
    if users is None:
        have_rows = Q(pk__in=UserStreak.objects.values("user_id"))
        for model in (Activity, XPTransaction, UserCounter, UserAchievement, UserDay, UserXP):
            have_rows |= Q(pk__in=model._default_manager.values("user_id"))
        users = get_user_model()._default_manager.filter(have_rows).order_by("pk").iterator(chunk_size=2000)
    remaining = iter(users)
    while part := list(islice(remaining, USERS_AT_ONCE)):
        yield part

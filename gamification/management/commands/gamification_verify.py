"""Hold what is stored against what the log, the ledger and the freezes say."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from gamification.management.bars import Bars
from gamification.services import integrity

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

IDS_AT_ONCE = 500


class Command(BaseCommand):
    help = (
        "Check that totals, levels, counters, days, streaks and rewards are what the records say; a line for each "
        "drift. Exit code 0: there is none, or --repair has mended all; 1: there is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="mend what has drifted, and check it again")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        everybody = get_user_model()._default_manager.order_by("pk")
        number = everybody.count()
        drifts = 0
        people: list[Any] = []
        with Bars(" people") as bars:
            users = _counted(everybody.iterator(chunk_size=2000), "Verifying", number, bars)
            for drift in integrity.verify(users=users):
                drifts += 1
                if drift.user_id not in people[-1:]:
                    people.append(drift.user_id)
                if not repair:
                    bars.write(self.stdout, str(drift))
            mended = self._repair(people, bars) if repair and people else 0
        if drifts and not repair:
            raise CommandError(f"Found {_counted_drifts(drifts)} of {len(people):,} people. --repair mends them.")
        found = f"Mended {_counted_drifts(mended)}. " if mended else ""
        self.stdout.write(f"{found}Everything is as the records say, for all {number:,} people.")

    def _repair(self, people: list[Any], bars: Bars) -> int:
        """Mend what has drifted and return how much it was.

        Raises:
            CommandError: something has drifted all the same.
        """
        mended = 0
        for drift in integrity.repair(users=_counted(_users(people), "Repairing", len(people), bars)):
            mended += 1
            was = f"user {drift.user_id}: {drift.fact} was {drift.stored}, is {drift.derived} again"
            bars.write(self.stdout, was)
        left = list(integrity.verify(users=_users(people)))
        for drift in left:
            bars.write(self.stdout, str(drift))
        if left:
            raise CommandError(f"Mended {_counted_drifts(mended)}, but {_counted_drifts(len(left))} cannot be mended.")
        return mended


def _users(ids: list[Any]) -> Iterator[AbstractBaseUser]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield from get_user_model()._default_manager.filter(pk__in=ids[start : start + IDS_AT_ONCE]).order_by("pk")


def _counted(users: Iterable[AbstractBaseUser], step: str, total: int, bars: Bars) -> Iterator[AbstractBaseUser]:
    """Yield ``users``, and show how many have been."""
    for number, user in enumerate(users):
        bars(step, number, total)
        yield user


def _counted_drifts(number: int) -> str:
    return f"{number:,} {'drift' if number == 1 else 'drifts'}"

"""Build the leaderboards that are kept outside of the database anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gamification.management.bars import Bars
from gamification.management.copies import copied
from gamification.models import UserXP


class Command(BaseCommand):
    help = (
        "Build the leaderboards in Redis from the database, while the site goes on; until it is done, the database "
        "answers. Needed after LEADERBOARD_COUNTERS changed, or when check_leaderboards finds a difference."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        backend, done = copied(), 0
        total = UserXP.objects.count()
        with Bars(" people") as bars:

            def report(number: int) -> None:
                nonlocal done
                done = number
                bars("Rebuilding", number, max(number, total))

            try:
                backend.rebuild(timezone.now(), report)
            except OSError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"The leaderboards of {done:,} people are built.")

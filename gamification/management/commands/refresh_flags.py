"""Flag improbable gains for staff."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gamification.exceptions import InvalidInput
from gamification.services import flags


class Command(BaseCommand):
    help = "Flag improbable gains of recent dates for staff; for cron, every ten minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=flags.DAYS, help="how many dates back from today (%(default)s)")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        try:
            done = flags.refresh(days=days)
        except InvalidInput as error:
            raise CommandError(f"--days: {error.message}") from error
        self.stdout.write(f"Days of people looked at: {done.looked_at:,}; new flags: {done.found:,}.")

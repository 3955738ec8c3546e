"""Compute the figures of the monitoring page."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gamification.engine.figures import DAYS
from gamification.exceptions import InvalidInput
from gamification.services import figures


class Command(BaseCommand):
    help = "Compute the figures of the monitoring page as far as they are due; for cron, every ten minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help="how many dates back from today (%(default)s)")
        parser.add_argument(
            "--again", action="store_true", help="compute closed dates again, as after an import of old activities"
        )

    def handle(self, *args: Any, days: int, again: bool, **options: Any) -> None:
        begun = time.monotonic()
        try:
            dates = figures.refresh(days=days, is_again=again).dates
        except InvalidInput as error:
            raise CommandError(f"--days: {error.message}") from error
        seconds = time.monotonic() - begun
        if not dates:
            self.stdout.write("Every date is closed.")
            return
        self.stdout.write(
            f"{len(dates):,} {'date' if len(dates) == 1 else 'dates'} computed, {dates[-1]} to {dates[0]}, "
            f"in {seconds:.1f} s."
        )

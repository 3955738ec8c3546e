"""Hold the leaderboards that are kept outside of the database against it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gamification.management.copies import copied


class Command(BaseCommand):
    help = (
        "Compare the leaderboards in Redis with the database; a line for each difference. Exit code 0: there is none; "
        "1: there is."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        number = 0
        try:
            for line in copied().differences(timezone.now()):
                number += 1
                self.stdout.write(line)
        except OSError as error:
            raise CommandError(str(error)) from error
        if number:
            raise CommandError(
                f"Found {number:,} {'difference' if number == 1 else 'differences'}. rebuild_leaderboards mends them."
            )
        self.stdout.write("The leaderboards are as the database says.")

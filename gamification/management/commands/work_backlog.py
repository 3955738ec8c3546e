"""Record what waits in the backlog, without a task worker."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gamification.services import ingestion


class Command(BaseCommand):
    help = (
        "Record the events that wait in the backlog; for cron, or beside other workers: any number may run at once. "
        "Exit code 0: all went in; 1: some were refused, and are kept with the reason."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--refused",
            choices=("list", "retry", "drop"),
            help="list the events that were refused, let them be tried again, or delete them",
        )

    def handle(self, *args: Any, refused: str | None, **options: Any) -> None:
        if refused == "list":
            self._list()
            return
        if refused == "drop":
            self.stdout.write(f"{_events(ingestion.drop_refused())} dropped.")
            return
        if refused == "retry":
            self.stdout.write(f"{_events(ingestion.retry_refused())} to be tried again.")
        done = ingestion.work()
        self.stdout.write(
            f"{done.recorded:,} recorded, {done.replayed:,} replayed, {done.refused:,} refused; "
            f"{ingestion.waiting():,} waiting."
        )
        if done.refused:
            raise CommandError(f"{_events(done.refused)} refused; --refused list says why.")

    def _list(self) -> None:
        for row in ingestion.refused().iterator():
            self.stdout.write(f"user {row.user_id}: {row.kind} {row.key} at {row.at:%Y-%m-%d %H:%M}: {row.reason}")


def _events(number: int) -> str:
    return f"{number:,} {'event' if number == 1 else 'events'}"

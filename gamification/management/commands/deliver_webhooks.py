"""Send the webhooks that are due, without a task worker."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gamification.engine.posting import HAS_URLLIB3
from gamification.services import webhooks
from gamification.services.webhooks import Delivered

#: Seconds between two looks, where it goes on for a while.
PAUSE = 1.0


class Command(BaseCommand):
    help = (
        "Send the webhooks that are due; for cron, every minute, or beside other workers: any number may run at once. "
        "Exit code 0: all went well; 1: some events were given up."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds", type=float, default=0, help="go on for so long, looking every second; 55 suits cron"
        )
        parser.add_argument(
            "--forget-after", type=int, metavar="DAYS", help="delete what was delivered or given up, and is older"
        )

    def handle(self, *args: Any, seconds: float, forget_after: int | None, **options: Any) -> None:
        if not HAS_URLLIB3:
            raise CommandError("Webhooks need urllib3: pip install django-gamification-practice[webhooks]")
        until = time.monotonic() + seconds
        done = webhooks.deliver(seconds=seconds or None)
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(PAUSE, left))
            done += webhooks.deliver(seconds=max(left, PAUSE))
        self._tell(done)
        if forget_after is not None:
            self.stdout.write(f"{webhooks.forget(forget_after):,} forgotten.")
        if done.failed:
            raise CommandError(f"{done.failed:,} given up; the admin can send them again.")

    def _tell(self, done: Delivered) -> None:
        self.stdout.write(
            f"{done.delivered:,} delivered, {done.delayed:,} to be tried again, {done.failed:,} given up; "
            f"{webhooks.waiting():,} waiting."
        )

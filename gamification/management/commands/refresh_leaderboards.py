"""Rebuild the snapshots of leaderboards, so that the next reader need not wait."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gamification.services import leaderboards


class Command(BaseCommand):
    help = "Rebuild leaderboards now: those that are named, or all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("metrics", nargs="*", metavar="METRIC", help="for example xp_weekly; left out: all boards")

    def handle(self, *args: Any, metrics: list[str], **options: Any) -> None:
        if unknown := [metric for metric in metrics if metric not in leaderboards.metrics()]:
            raise CommandError(
                f"{', '.join(map(ascii, unknown))}: no such board; there are {', '.join(leaderboards.metrics())}."
            )
        chosen = tuple(dict.fromkeys(metrics)) or leaderboards.metrics()
        for metric in chosen:
            started = time.monotonic()
            leaderboards.refresh(metric)
            seconds = time.monotonic() - started
            players = leaderboards.top(metric, limit=1).total
            self.stdout.write(f"{metric:<24}{players:>10,} {'person' if players == 1 else 'people'}{seconds:>9.2f} s")
        self.stdout.write(f"{len(chosen)} {'board' if len(chosen) == 1 else 'boards'} rebuilt.")

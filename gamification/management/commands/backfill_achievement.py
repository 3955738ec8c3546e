"""Unlock an achievement for those who met its condition before it said so, or undo that."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gamification.exceptions import GamificationError
from gamification.management.bars import Bars
from gamification.models import Achievement, BackfillRun
from gamification.models.backfills import RunStatus
from gamification.services import backfills

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Unlock an active achievement for those who meet its condition already: silently, in batches, and undoable as "
        "one. A run that was cut off goes on where it ended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the achievement's id")
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument("--dry-run", action="store_true", help="say for how many it would unlock, and change nothing")
        ways.add_argument("--undo", type=int, metavar="RUN", help="take back what the run of this number unlocked")

    def handle(self, *args: Any, id: str, dry_run: bool, undo: int | None, **options: Any) -> None:  # noqa: A002
        try:
            if dry_run:
                self._preview(id)
            elif undo is not None:
                self._undo(id, undo)
            else:
                self._run(id)
        except GamificationError as error:
            raise CommandError(error.message) from error

    def _preview(self, achievement_id: str) -> None:
        definition = Achievement.objects.filter(achievement_id=achievement_id).first()
        if definition is None:
            raise CommandError(f"There is no achievement {achievement_id!r}.")
        told = backfills.preview(definition)
        most = "" if told.is_exact else "at most "
        self.stdout.write(
            f"{definition.name} would unlock for {most}{_people(told.people)}, and pay {most}{told.xp:,} XP."
        )
        for user in told.sample:
            self.stdout.write(f"  {user.get_username()}")
        if told.people > len(told.sample):
            self.stdout.write(f"  and {told.people - len(told.sample):,} more")

    def _run(self, achievement_id: str) -> None:
        run = backfills.unfinished(achievement_id) or backfills.start(achievement_id, in_background=False)
        if run.status == RunStatus.UNDOING:
            raise CommandError(f"Back-fill {run.pk} is being undone: --undo {run.pk} goes on with that.")
        run = _shown(run, "Unlocking")
        if run.status == RunStatus.ENDED_EARLY:
            raise CommandError(f"Back-fill {run.pk} ended early: the achievement was changed meanwhile.")
        self.stdout.write(f"Back-fill {run.pk}: unlocked for {_people(run.unlocked)}, {run.xp:,} XP paid.")

    def _undo(self, achievement_id: str, number: int) -> None:
        run = BackfillRun.objects.filter(pk=number, achievement_id=achievement_id).first()
        if run is None:
            raise CommandError(f"{achievement_id!r} has no back-fill {number}.")
        if run.status != RunStatus.UNDOING:
            run = backfills.undo(run, in_background=False)
        run = _shown(run, "Undoing")
        self.stdout.write(f"Back-fill {run.pk}: undone for {_people(run.undone_for)}.")
        if kept := backfills.passed_over(run):
            self.stdout.write(f"{_people(len(kept))} passed over, because their total would fall below 0:")
        for user in kept[:SHOWN]:
            self.stdout.write(f"  {user.get_username()}")
        if len(kept) > SHOWN:
            self.stdout.write(f"  and {len(kept) - SHOWN:,} more")


def _shown(run: BackfillRun, step: str) -> BackfillRun:
    """Work on ``run`` to its end, behind a bar, and return it."""
    with Bars(" people") as bars:
        return backfills.go_on(run, progress=lambda run: bars(step, *_progress(run)))


def _progress(run: BackfillRun) -> tuple[int, int]:
    return (run.undone_for, run.unlocked) if run.status == RunStatus.UNDOING else (run.unlocked, run.expected)


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"

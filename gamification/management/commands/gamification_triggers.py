"""Let the database refuse changes of the log and the ledger too."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections

from gamification.engine.sql import triggers


class Command(BaseCommand):
    help = (
        "Install, check or remove the triggers by which the database itself keeps the log and the ledger append-only. "
        "Exit code of check: 0 when all are as they should be, 1 otherwise."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("install", "check", "remove"))
        parser.add_argument(
            "--database", default=DEFAULT_DB_ALIAS, choices=tuple(connections), help="of which database"
        )

    def handle(self, *args: Any, what: str, database: str, **options: Any) -> None:
        tables = ", ".join(model._meta.db_table for model in triggers.guarded(database))
        if not tables:
            raise CommandError(f"The database {database!r} has no log and no ledger: migrate it first.")
        if what == "remove":
            triggers.remove(database)
            self.stdout.write(f"Removed. The database lets rows be changed and deleted in: {tables}.")
            return
        if what == "install":
            triggers.install(database)
        if problems := triggers.problems(database):
            for problem in problems:
                self.stdout.write(problem)
            raise CommandError("`gamification_triggers install` puts that right.")
        self.stdout.write(f"The database refuses to change or delete rows, save for an erasure, in: {tables}.")

"""Record what people did, from a file."""

from __future__ import annotations

import csv
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from gamification.management.bars import Bars
from gamification.services import imports
from gamification.services.imports import Imported, Refusal

SHOWN = 20
SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Command(BaseCommand):
    help = (
        "Record the activities of a CSV or JSONL file: user, kind, occurred_at, key and, if wanted, quantity, timezone "
        "and data (JSON). The user is named as at sign-in. Bad rows are reported with line and reason, the rest goes "
        "in; a file can be imported again. Exit code 0: all rows went in; 1: some were refused, or the file could not "
        "be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the file, gzipped or not; - reads the standard input")
        parser.add_argument("--format", choices=imports.FORMS, default="", help="left out: told by name or content")
        parser.add_argument("--create-users", action="store_true", help="make users that are missing, without password")
        parser.add_argument(
            "--report", metavar="FILE", help="write the refused rows to FILE (CSV) instead of showing them"
        )
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument("--dry-run", action="store_true", help="say what would happen and keep nothing")
        ways.add_argument(
            "--enqueue", action="store_true", help="leave the recording to the workers of the backlog, all at once"
        )
        parser.add_argument(
            "--batch-size", type=_size, default=imports.EVENTS_AT_ONCE, metavar="N", help="events per transaction"
        )

    def handle(self, *args: Any, file: str, report: str | None, **options: Any) -> None:
        started = time.monotonic()
        with ExitStack() as stack:
            stream = stack.enter_context(_opened(file))
            tell = stack.enter_context(self._reporting(report, file))
            bars = stack.enter_context(Bars(" rows"))
            try:
                done = imports.run(
                    stream,
                    form=options["format"] or _form_of(file),
                    create_users=options["create_users"],
                    dry_run=options["dry_run"],
                    enqueue=options["enqueue"],
                    report=tell,
                    progress=bars,
                    events_at_once=options["batch_size"],
                )
            except imports.BrokenFileError as error:
                raise CommandError(f"{file} cannot be read: {error}. Nothing was recorded.") from error
        self._summarize(file, done, time.monotonic() - started, is_dry=options["dry_run"])
        if done.refused:
            raise CommandError(_refused_sentence(done.refused, report))

    @contextmanager
    def _reporting(self, path: str | None, file: str) -> Iterator[Callable[[Refusal], None]]:
        """Yield what takes the refusals: a file, or the first of them on stderr."""
        if path is None:
            shown = iter(range(SHOWN))
            yield lambda refusal: self._show(refusal) if next(shown, None) is not None else None
            return
        if file != "-" and Path(path).resolve() == Path(file).resolve():
            raise CommandError("The report would overwrite the file that is to be imported.")
        try:
            target = Path(path).open("w", newline="", encoding="utf-8")  # noqa: SIM115 -- closed below
        except OSError as error:
            raise CommandError(f"The report cannot be written: {error}") from error
        with target:
            writer = csv.writer(target)
            writer.writerow(["line", "code", "field", "reason"])
            yield lambda refusal: writer.writerow([refusal.line, refusal.code, refusal.field, refusal.reason])

    def _show(self, refusal: Refusal) -> None:
        self.stderr.write(f"  line {refusal.line:,}: {refusal.code}: {refusal.reason}")

    def _summarize(self, file: str, done: Imported, seconds: float, *, is_dry: bool) -> None:
        counted = f"{done.rows:,} rows of {done.people:,} people in {seconds:.1f} s"
        self.stdout.write(f"{file}: {counted} ({done.rows / max(seconds, 0.001):,.0f} rows/s)")
        for name, number in (
            ("recorded", done.recorded),
            ("replayed", done.replayed),
            ("enqueued", done.enqueued),
            ("refused", done.refused),
            ("new users", done.people_made),
        ):
            if name == "enqueued" and not number:
                continue
            self.stdout.write(f"  {name:<10}{number:>12,}")
        if is_dry:
            self.stdout.write("This was a dry run: nothing was kept.")


def _refused_sentence(refused: int, report: str | None) -> str:
    if report is not None:
        where = f"; {report} says why"
    else:
        where = f"; the first {SHOWN} are above, --report FILE lists all" if refused > SHOWN else ""
    return f"{refused:,} {'row was' if refused == 1 else 'rows were'} refused{where}."


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 -- closed below
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    with stream:
        yield stream


def _form_of(file: str) -> str:
    name = file.lower().removesuffix(".gz")
    return SUFFIXES.get(Path(name).suffix, "")


def _size(text: str) -> int:
    number = int(text)
    if not 1 <= number <= imports.EVENTS_AT_ONCE_MAX:
        raise ArgumentTypeError(f"{number} is not from 1 to {imports.EVENTS_AT_ONCE_MAX:,}")
    return number

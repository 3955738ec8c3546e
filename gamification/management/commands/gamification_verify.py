"""Hold what is stored against what the log, the ledger and the freezes say."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from gamification.management.bars import Bars
from gamification.services import integrity
from gamification.services.integrity import Drift

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

SAMPLE_MAX = 1_000_000


@dataclass(slots=True)
class _Tally:
    """What a run has come to so far; ``left`` are drifts after a repair."""

    people: int = 0
    drifts: int = 0
    mended: int = 0
    left: int = 0
    drifted: set[Any] = field(default_factory=set)
    position: str = ""


class Command(BaseCommand):
    help = (
        "Check that totals, levels, counters, days, streaks, achievements and rewards are what the records say; a line "
        "for each drift. Exit code 0: there is none, or --repair has mended all; 1: there is; 2: wrong use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="mend what has drifted, and check it again")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="json: an object on each line")
        whom = parser.add_mutually_exclusive_group()
        whom.add_argument("--user", action="append", default=[], help="only this one, by key or login; repeatable")
        whom.add_argument("--sample", type=_number, metavar="N", help="only N people, drawn at random")
        whom.add_argument("--after", metavar="ID", help="only people behind this key, in order of keys")
        whom.add_argument(
            "--position",
            type=Path,
            metavar="FILE",
            help="note in FILE how far the run is, begin behind what it says, and remove it at the end",
        )

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        self._is_json = options["format"] == "json"
        self._tally = tally = _Tally()
        noted: Path | None = options["position"]
        after = options["after"] or (_read(noted) if noted else "")
        is_whole = not (options["user"] or options["sample"])
        with Bars(" people") as bars:
            self._bars = bars
            try:
                for part in self._parts(options, _key(after) if after else None):
                    self._people(part, repair=repair)
                    tally.position = str(part[-1].pk)
                    if noted:
                        _note(noted, tally.position)
                if is_whole:
                    self._boards(repair=repair)
            except KeyboardInterrupt:
                where = f" --after {tally.position} goes on there." if is_whole and tally.position else ""
                raise CommandError(f"Stopped after {tally.people:,} people.{where}", returncode=130) from None
        if noted:
            noted.unlink(missing_ok=True)
        self._conclude(repair=repair)

    def _parts(self, options: dict[str, Any], after: Any) -> Iterator[list[AbstractBaseUser]]:
        """Yield whom to look at, a few at a time, behind a bar."""
        everybody = get_user_model()._default_manager
        chosen: list[AbstractBaseUser] | None = None
        if options["user"]:
            chosen = list({user.pk: user for user in map(_user, options["user"])}.values())
        elif options["sample"]:
            chosen = integrity.sample(options["sample"])
        rest = everybody.filter(pk__gt=after) if after is not None else everybody
        number = len(chosen) if chosen is not None else rest.count()
        for part in integrity.parts(chosen, after=after):
            self._bars("Verifying", self._tally.people, number)
            yield part
            self._tally.people += len(part)

    def _people(self, part: list[AbstractBaseUser], *, repair: bool) -> None:
        drifts = list(integrity.verify(users=part))
        pks = {drift.user_id for drift in drifts}
        self._tally.drifted |= pks
        suspects = [user for user in part if user.pk in pks]
        self._found(
            drifts,
            list(integrity.repair(users=suspects)) if repair and suspects else [],
            list(integrity.verify(users=suspects)) if repair and suspects else [],
            repair=repair,
        )

    def _boards(self, *, repair: bool) -> None:
        drifts = list(integrity.verify_boards())
        mended = list(integrity.repair_boards()) if repair and drifts else []
        self._found(drifts, mended, list(integrity.verify_boards()) if mended else [], repair=repair)

    def _found(self, drifts: list[Drift], mended: list[Drift], left: list[Drift], *, repair: bool) -> None:
        """Tell and count what was found, and what a repair made of it."""
        self._tally.drifts += len(drifts)
        self._tally.mended += len(mended)
        self._tally.left += len(left)
        for drift in [] if repair else drifts:
            self._tell(drift, "found", str(drift))
        for drift in mended:
            was = f"{drift.subject}{drift.fact} was {drift.stored}, is {drift.derived} again"
            self._tell(drift, "mended", was)
        for drift in left:
            self._tell(drift, "left", str(drift))

    def _tell(self, drift: Drift, what: str, line: str) -> None:
        if self._is_json:
            told = {"user": drift.user_id, "fact": drift.fact, "stored": drift.stored, "derived": drift.derived}
            line = json.dumps({what: told}, cls=_Encoder)
        self._bars.write(self.stdout, line)

    def _conclude(self, *, repair: bool) -> None:
        """Write the last line.

        Raises:
            CommandError: something has drifted, and is not mended.
        """
        tally = self._tally
        if self._is_json:
            counted = {"people": tally.people, "drifts": tally.drifts, "mended": tally.mended, "left": tally.left}
            self.stdout.write(json.dumps({"end": {**counted, "position": tally.position}}))
        if tally.drifts and not repair:
            whom = f"{len(tally.drifted):,} people"
            raise CommandError(f"Found {_counted(tally.drifts)} of {whom}. --repair mends them.")
        if tally.left:
            raise CommandError(f"Mended {_counted(tally.mended)}, but {_counted(tally.left)} cannot be mended.")
        if not self._is_json:
            found = f"Mended {_counted(tally.mended)}. " if tally.mended else ""
            self.stdout.write(f"{found}Everything is as the records say, for all {tally.people:,} people.")


class _Encoder(DjangoJSONEncoder):
    """JSON of whatever can be stored; what has no form in it is told as text."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= SAMPLE_MAX:
        raise ArgumentTypeError(f"a whole number from 1 to {SAMPLE_MAX:,}")
    return int(text)


def _user(text: str) -> AbstractBaseUser:
    """Return the user with this key, or with this login.

    Raises:
        CommandError: there is none, or one of each.
    """
    model = get_user_model()
    people = model._default_manager
    try:
        by_key = people.filter(pk=_key(text)).first()
    except CommandError:
        by_key = None
    by_login = people.filter(**{model.USERNAME_FIELD: text}).first()
    if by_key and by_login and by_key != by_login:
        raise CommandError(f"{text!r} is the key of one user and the login of another, {by_login.pk}.", returncode=2)
    if found := by_key or by_login:
        return found
    raise CommandError(f"There is no user {text!r}.", returncode=2)


def _key(text: str) -> Any:
    """Return a primary key of users.

    Raises:
        CommandError: it is none.
    """
    try:
        return get_user_model()._meta.pk.to_python(text)
    except ValidationError as error:
        raise CommandError(f"{text!r} is no key of a user.", returncode=2) from error


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}", returncode=2) from error


def _note(path: Path, position: str) -> None:
    """Write the position so that a kill at any moment leaves this one or the one before."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.write_text(f"{position}\n")
        beside.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}", returncode=2) from error


def _counted(number: int) -> str:
    return f"{number:,} {'drift' if number == 1 else 'drifts'}"

"""Imports: files of what people did, of any age and in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeVar

from django.contrib.auth import get_user_model
from django.db import transaction

from gamification.domain import calendar
from gamification.engine import accounts, announcing, events, inputs, players, recording, rows
from gamification.engine.clock import moment
from gamification.engine.events import Event, Rules
from gamification.engine.lines import BrokenFileError, Lines
from gamification.engine.rows import Refusal, Row
from gamification.engine.staging import StagedRow, Staging
from gamification.exceptions import GamificationError, InvalidInput
from gamification.models import UserStreak

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ["FORMS", "BrokenFileError", "Imported", "Progress", "Refusal", "run"]

FORMS = (rows.CSV, rows.JSONL)
EVENTS_AT_ONCE = 2000
EVENTS_AT_ONCE_MAX = 10_000
NAMES_AT_ONCE = 400
NAME_MAX_LENGTH = 255
ROWS_PER_TICK = 500

ItemT = TypeVar("ItemT")


class Progress(Protocol):
    """Told how far a step is; ``total`` is None where nobody knows."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


@dataclass(slots=True)
class Imported:
    """What an import came to: ``rows`` is the sum of those recorded, replayed and refused."""

    rows: int = 0
    recorded: int = 0
    replayed: int = 0
    refused: int = 0
    people: int = 0
    people_made: int = 0


def run(
    stream: BinaryIO,
    *,
    form: str = "",
    create_users: bool = False,
    dry_run: bool = False,
    now: datetime | None = None,
    report: Callable[[Refusal], None] = lambda _: None,
    progress: Progress = lambda step, done, total: None,
    events_at_once: int = EVENTS_AT_ONCE,
) -> Imported:
    """Record the activities of a file, and hand those that are refused to ``report`` in order of lines.

    The rows are staged first and then recorded user by user in order of time, so that neither the order of the file
    nor ``events_at_once`` (the events of one transaction) changes the outcome. A row that was recorded before is
    counted as a replay. ``form`` is one of ``FORMS``, or told by the content; with ``dry_run`` nothing is kept.

    Raises:
        BrokenFileError: the file cannot be read to its end; nothing was recorded.
    """
    rules = Rules(moment(now), backdate_limit=False)
    done = Imported()
    with Staging() as staging, transaction.atomic() if dry_run else nullcontext():
        _stage(rows.read(Lines(stream), form), staging, rules, progress)
        done.people_made = _identify(staging, create_users=create_users)
        _record(staging, rules, done, progress, events_at_once)
        _, done.people, done.refused = staging.counts()
        done.rows = done.recorded + done.replayed + done.refused
        for refusal in staging.refusals():
            report(refusal)
        if dry_run:
            transaction.set_rollback(True)
    return done


def _stage(read: Iterable[Row | Refusal], staging: Staging, rules: Rules, progress: Progress) -> None:
    """Keep the rows that can be recorded, and refuse the others."""
    anybody = get_user_model()()
    for number, row in enumerate(read):
        if isinstance(row, Row):
            try:
                staging.add(_checked(row, anybody, rules))
            except GamificationError as error:
                staging.refuse(Refusal(row.line, error.code, error.message, error.field))
        else:
            staging.refuse(row)
        if number % ROWS_PER_TICK == 0:
            progress("Reading", number, None)


def _checked(row: Row, anybody: AbstractBaseUser, rules: Rules) -> StagedRow:
    """Return ``row`` when it can be recorded, whoever the user may be."""
    values = row.values
    event = Event(
        user=anybody,
        kind=values.get("kind", ""),
        key=values.get("key", ""),
        quantity=values.get("quantity", 1),
        data=values.get("data"),
        occurred_at=_moment(values.get("occurred_at")),
        timezone=values.get("timezone"),
    )
    checked = events.check(event, rules)
    if checked.refusal:
        raise checked.refusal
    name = inputs.clean_text(values.get("user", ""), "user", max_length=NAME_MAX_LENGTH)
    zone = checked.zone.key if checked.zone else None
    at = inputs.clean_moment(event.occurred_at) or rules.now
    return StagedRow(row.line, name, checked.kind.name, checked.key, at, checked.quantity, zone, checked.data)


def _moment(text: object) -> datetime:
    try:
        return datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise InvalidInput("occurred_at must be a date and time with an offset.", field="occurred_at") from None


def _identify(staging: Staging, *, create_users: bool) -> int:
    """Find the users that the rows name, make those that are missing if asked to, and return how many were made."""
    made = 0
    for names in _parts(staging.names(), NAMES_AT_ONCE):
        found = accounts.find(names)
        missing = [name for name in names if name not in found]
        if create_users and missing:
            new, refused = accounts.make(missing)
            made += len(set(new.values()))
            found |= new
            for name, error in refused.items():
                staging.refuse_person(name, "invalid_user", error.message)
        elif missing:
            for name in missing:
                staging.refuse_person(name, "unknown_user", "There is no such user.")
        staging.identify(found.items())
    return made


def _record(staging: Staging, rules: Rules, done: Imported, progress: Progress, events_at_once: int) -> None:
    """Record what was staged; what comes under a key for the second time follows when all else is in."""
    total = staging.counts()[0]
    for again in (False, True):
        for part in _parts(staging.in_order(again=again), events_at_once):
            _record_part(part, staging, rules, done)
            progress("Recording", done.recorded + done.replayed, total)


def _record_part(part: list[StagedRow], staging: Staging, rules: Rules, done: Imported) -> None:
    users = _users_of(part)
    for row in part:
        if row.user_id not in users:
            staging.refuse(Refusal(row.line, "unknown_user", "The user is gone.", "user"))
    part = [row for row in part if row.user_id in users]
    if not part:
        return
    checked = [events.check(_event(row, users[row.user_id]), rules) for row in part]
    _begin(users.values())
    with transaction.atomic():
        locked = players.lock(users.values(), calendar.earliest_date(min(event.at for event in checked)))
        answers = recording.record_locked(locked, checked, rules.now)
        announcing.after_commit(locked.values())
    for row, answer in zip(part, answers, strict=True):
        if isinstance(answer, GamificationError):
            staging.refuse(Refusal(row.line, answer.code, answer.message, answer.field))
        elif answer.is_replay:
            done.replayed += 1
        else:
            done.recorded += 1


def _users_of(part: list[StagedRow]) -> dict[Any, AbstractBaseUser]:
    """Return the users of the rows by their staged key."""
    to_key = get_user_model()._meta.pk.to_python
    keys = {row.user_id: to_key(row.user_id) for row in part}
    found = get_user_model()._default_manager.in_bulk(list(keys.values()))
    return {staged: found[key] for staged, key in keys.items() if key in found}


def _begin(users: Iterable[AbstractBaseUser]) -> None:
    """Give new users their streak, in order of id and before anything is locked.

    Locking makes the rows of new users one by one, so that it cannot wait in a circle; here nothing is held meanwhile.
    """
    by_id = {user.pk: user for user in users}
    begun = UserStreak.objects.filter(user_id__in=by_id).values_list("user_id", flat=True)
    missing = sorted(by_id.keys() - set(begun))
    UserStreak.objects.bulk_create([players.new_streak(by_id[pk]) for pk in missing], ignore_conflicts=True)


def _event(row: StagedRow, user: AbstractBaseUser) -> Event:
    return Event(user, row.kind, row.key, row.quantity, row.data, row.at, row.timezone)


def _parts(items: Iterator[ItemT], size: int) -> Iterator[list[ItemT]]:
    while part := list(islice(items, size)):
        yield part

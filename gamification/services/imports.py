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

from gamification import tasks
from gamification.domain import calendar
from gamification.engine import accounts, announcing, backlog, events, inputs, players, recording, rows
from gamification.engine.clock import moment
from gamification.engine.events import Event, Rules
from gamification.engine.lines import BrokenFileError, Lines
from gamification.engine.rows import Refusal, Row
from gamification.engine.staging import StagedRow, Staging
from gamification.exceptions import GamificationError, InvalidInput

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
TakeIn = Callable[[list[tuple[StagedRow, Event]], Staging, Rules, "Imported"], None]


class Progress(Protocol):
    """Told how far a step is; ``total`` is None where nobody knows."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


@dataclass(slots=True)
class Imported:
    """What an import came to: ``rows`` is the sum of those recorded, replayed, enqueued and refused."""

    rows: int = 0
    recorded: int = 0
    replayed: int = 0
    enqueued: int = 0
    refused: int = 0
    people: int = 0
    people_made: int = 0


def run(  # noqa: PLR0913 -- the public signature
    stream: BinaryIO,
    *,
    form: str = "",
    create_users: bool = False,
    dry_run: bool = False,
    enqueue: bool = False,
    now: datetime | None = None,
    report: Callable[[Refusal], None] = lambda _: None,
    progress: Progress = lambda step, done, total: None,
    events_at_once: int = EVENTS_AT_ONCE,
) -> Imported:
    """Record the activities of a file, and hand those that are refused to ``report`` in order of lines.

    The rows are staged first and then recorded user by user in order of time, so that neither the order of the file
    nor ``events_at_once`` (the events of one transaction) changes the outcome. A row that was recorded before is
    counted as a replay. ``form`` is one of ``FORMS``, or told by the content; with ``dry_run`` nothing is kept.
    With ``enqueue`` the rows go to the backlog instead, for as many workers as there are; of several rows with one
    key the earliest then counts, where it is the first of the file otherwise.

    Nobody is shown toasts for what is more than a week old.

    Raises:
        BrokenFileError: the file cannot be read to its end; nothing was recorded.
    """
    rules = Rules(moment(now), backdate_limit=False)
    done = Imported()
    with Staging() as staging, transaction.atomic() if dry_run else nullcontext():
        _stage(rows.read(Lines(stream), form), staging, rules, progress)
        done.people_made = _identify(staging, create_users=create_users)
        take_in = _enqueue_part if enqueue else _record_part
        _take_in(take_in, staging, rules, done, progress, events_at_once)
        _, done.people, done.refused = staging.counts()
        done.rows = done.recorded + done.replayed + done.enqueued + done.refused
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


def _take_in(
    take_in: TakeIn, staging: Staging, rules: Rules, done: Imported, progress: Progress, events_at_once: int
) -> None:
    """Take in what was staged; what comes under a key for the second time follows when all else is in."""
    total = staging.counts()[0]
    for again in (False, True):
        for part in _parts(staging.in_order(again=again), events_at_once):
            users = _users_of(part)
            for row in part:
                if row.user_id not in users:
                    staging.refuse(Refusal(row.line, "unknown_user", "The user is gone.", "user"))
            known = [(row, _event(row, users[row.user_id])) for row in part if row.user_id in users]
            take_in(known, staging, rules, done)
            progress("Recording", done.recorded + done.replayed + done.enqueued, total)


def _record_part(part: list[tuple[StagedRow, Event]], staging: Staging, rules: Rules, done: Imported) -> None:
    if not part:
        return
    users = {event.user.pk: event.user for _, event in part}
    checked = [events.check(event, rules) for _, event in part]
    accounts.begin(users.values())
    with transaction.atomic():
        locked = players.lock(users.values(), calendar.earliest_date(min(event.at for event in checked)))
        answers = recording.record_locked(locked, checked, rules.now)
        announcing.after_commit(locked.values())
    for (row, _), answer in zip(part, answers, strict=True):
        if isinstance(answer, GamificationError):
            staging.refuse(Refusal(row.line, answer.code, answer.message, answer.field))
        elif answer.is_replay:
            done.replayed += 1
        else:
            done.recorded += 1


def _enqueue_part(part: list[tuple[StagedRow, Event]], staging: Staging, rules: Rules, done: Imported) -> None:
    with transaction.atomic():
        done.enqueued += backlog.put([(event, events.check(event, rules)) for _, event in part], rules)
        tasks.work_after_commit()


def _users_of(part: list[StagedRow]) -> dict[Any, AbstractBaseUser]:
    """Return the users of the rows by their staged key."""
    to_key = get_user_model()._meta.pk.to_python
    keys = {row.user_id: to_key(row.user_id) for row in part}
    found = get_user_model()._default_manager.in_bulk(list(keys.values()))
    return {staged: found[key] for staged, key in keys.items() if key in found}


def _event(row: StagedRow, user: AbstractBaseUser) -> Event:
    return Event(user, row.kind, row.key, row.quantity, row.data, row.at, row.timezone)


def _parts(items: Iterator[ItemT], size: int) -> Iterator[list[ItemT]]:
    while part := list(islice(items, size)):
        yield part

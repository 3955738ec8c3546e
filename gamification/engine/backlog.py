"""The backlog: events taken in now and recorded by workers, user by user in order of time.

Whoever works on it holds the users' own locks, so that any number of workers share it: each takes the users that nobody
else is busy with, and records and removes their events in one transaction.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, connection, transaction

from gamification.domain import calendar
from gamification.engine import accounts, announcing, events, players, recording
from gamification.engine.clock import moment
from gamification.engine.events import CheckedEvent, Event, Rules
from gamification.engine.recording import Answer
from gamification.exceptions import GamificationError
from gamification.models import QueuedActivity, UserStreak

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

EVENTS_AT_ONCE = 2000
USERS_AT_ONCE = 50
WRITE_AT_ONCE = 5000

logger = logging.getLogger(__name__)


class FailedEvent(GamificationError):
    """Recording an event raised what nobody expected; the log has the traceback."""

    code = "failed"


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of events of the backlog; those refused are kept there, with the reason."""

    recorded: int = 0
    replayed: int = 0
    refused: int = 0

    def __add__(self, other: Worked) -> Worked:
        return Worked(self.recorded + other.recorded, self.replayed + other.replayed, self.refused + other.refused)

    @property
    def total(self) -> int:
        return self.recorded + self.replayed + self.refused


def put(batch: Iterable[tuple[Event, CheckedEvent]], rules: Rules) -> int:
    """Append events that were checked by ``rules`` and return how many: one insert for each 5,000."""
    rows = [
        QueuedActivity(
            user_id=event.user.pk,
            kind=checked.kind.name,
            key=checked.key,
            quantity=checked.quantity,
            data=json.dumps(checked.data),
            occurred_at=event.occurred_at,
            timezone=event.timezone or "",
            at=checked.at,
            has_backdate_limit=rules.backdate_limit,
            enqueued_at=rules.now,
        )
        for event, checked in batch
    ]
    QueuedActivity.objects.bulk_create(rows, batch_size=WRITE_AT_ONCE)
    return len(rows)


def work(now: datetime | None = None) -> Worked:
    """Record what waits, a few users to a transaction, and return what became of what this worker took.

    At first it passes over users that somebody else is busy with, then it waits for them: so what waited when it was
    called is recorded when it returns, also where another worker is killed over it.
    """
    done = Worked()
    for is_patient in (False, True):
        last = None
        while users := _next_users(last):
            part = _work_on(users, EVENTS_AT_ONCE, is_patient=is_patient, now=now)
            done += part
            if not part.total:
                last = max(users)
    return done


def _next_users(last: Any) -> dict[Any, AbstractBaseUser]:
    """Return the first few users behind the id ``last`` who have events waiting, by id."""
    waiting = QueuedActivity.objects.waiting()
    if last is not None:
        waiting = waiting.filter(user_id__gt=last)
    ids = waiting.order_by("user_id").values_list("user_id", flat=True).distinct()[:USERS_AT_ONCE]
    return dict(get_user_model()._base_manager.in_bulk(list(ids)))


def _work_on(users: dict[Any, AbstractBaseUser], limit: int, *, is_patient: bool, now: datetime | None) -> Worked:
    """Record up to ``limit`` events of those of ``users`` whom nobody else is busy with.

    Where something unexpected is raised, each user is tried alone, and then one event alone: one bad event stops
    neither the other users nor, once it was set aside, its own.
    """
    accounts.begin(users.values())
    try:
        with transaction.atomic():
            return _work_locked(_claim(users, is_patient=is_patient), limit, moment(now))
    except (OperationalError, InterfaceError):
        raise  # the database's trouble, and not that of an event
    except Exception:
        if len(users) == 1 and limit == 1:
            raise
        limit = limit if len(users) > 1 else 1
        alone = ({pk: user} for pk, user in users.items())
        return sum((_work_on(one, limit, is_patient=is_patient, now=now) for one in alone), Worked())


def _claim(users: dict[Any, AbstractBaseUser], *, is_patient: bool) -> dict[Any, AbstractBaseUser]:
    """Lock those of ``users`` who can be locked, all of them where there is time to wait."""
    skips = not is_patient and connection.features.has_select_for_update_skip_locked
    rows = UserStreak.objects.select_for_update(skip_locked=skips).filter(user_id__in=users).order_by("user_id")
    return {pk: users[pk] for pk in rows.values_list("user_id", flat=True)}


def _work_locked(users: dict[Any, AbstractBaseUser], limit: int, now: datetime) -> Worked:
    """Record the first events of locked users, remove them, and keep the refused ones with the reason."""
    rows = list(QueuedActivity.objects.waiting().filter(user_id__in=users).in_order()[:limit])
    refused: list[QueuedActivity] = []
    recorded: list[QueuedActivity] = []
    replayed: list[QueuedActivity] = []
    for row, answer in zip(rows, _answers(rows, users, now), strict=True):
        if isinstance(answer, GamificationError):
            row.refused_at, row.code, row.reason = now, answer.code, answer.message
            refused.append(row)
        else:
            (replayed if answer.is_replay else recorded).append(row)
    if done := [row.pk for row in (*recorded, *replayed)]:
        QueuedActivity.objects.filter(pk__in=done).delete()
    if refused:
        QueuedActivity.objects.bulk_update(refused, ["refused_at", "code", "reason"])
    return Worked(len(recorded), len(replayed), len(refused))


def _answers(rows: Sequence[QueuedActivity], users: dict[Any, AbstractBaseUser], now: datetime) -> list[Answer]:
    """Record ``rows`` of locked users; a single one that fails unexpectedly is answered with that."""
    try:
        with transaction.atomic():
            return _record(rows, users, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(rows) != 1:
            raise
        logger.exception("An event of the backlog cannot be recorded: number %s", rows[0].pk)
        return [FailedEvent(f"{type(error).__name__}: {error}")]


def _record(rows: Sequence[QueuedActivity], users: dict[Any, AbstractBaseUser], now: datetime) -> list[Answer]:
    answers: dict[int, Answer] = {}
    checked: list[tuple[int, CheckedEvent]] = []
    for index, row in enumerate(rows):
        try:
            checked.append((index, _checked(row, users[row.user_id])))
        except GamificationError as error:
            answers[index] = error
    if not checked:
        return [answers[index] for index in range(len(rows))]
    first = calendar.earliest_date(min(event.at for _, event in checked))
    locked = players.lock({event.user.pk: event.user for _, event in checked}.values(), first)
    answered = recording.record_locked(locked, [event for _, event in checked], now)
    answers |= {index: answer for (index, _), answer in zip(checked, answered, strict=True)}
    announcing.after_commit(locked.values())
    return [answers[index] for index in range(len(rows))]


def _checked(row: QueuedActivity, user: AbstractBaseUser) -> CheckedEvent:
    """Check an event once more, by the kinds of today and the clock of when it was taken in."""
    event = Event(user, row.kind, row.key, row.quantity, json.loads(row.data), row.occurred_at, row.timezone or None)
    checked = events.check(event, Rules(row.enqueued_at, backdate_limit=row.has_backdate_limit))
    if checked.refusal:
        raise checked.refusal
    return checked

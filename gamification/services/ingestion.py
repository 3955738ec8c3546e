"""Ingestion: taking in events now, and recording them by workers in the background."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from gamification import tasks
from gamification.engine import backlog, events, recording
from gamification.engine.backlog import Worked
from gamification.engine.clock import moment
from gamification.engine.events import CheckedEvent, Event, Rules
from gamification.exceptions import BatchRefused, GamificationError
from gamification.models import QueuedActivity
from gamification.models.backlog import QueuedActivityQuerySet

__all__ = ["Event", "Worked", "drop_refused", "enqueue", "refused", "retry_refused", "waiting", "work"]


def enqueue(
    batch: Iterable[Event], *, now: datetime | None = None, trusted: bool = True, backdate_limit: bool = True
) -> int:
    """Take in events, to be recorded by a worker after the commit, and return how many were put into the backlog.

    They are checked as ``activities.record_many`` checks them, and count as of this call however long they wait.
    Inside a transaction they are taken in when that commits. An event comes to what it would have come to by
    ``record_many``; one that is refused only then, because its key was used for something else, is kept for staff.

    Raises:
        BatchRefused: some events were refused, and none was taken in; ``errors`` maps their index to the reason.
    """
    rules = Rules(moment(now), trusted, backdate_limit)
    checked: list[tuple[Event, CheckedEvent]] = []
    errors: dict[int, GamificationError] = {}
    late: list[tuple[int, CheckedEvent]] = []
    for index, event in enumerate(batch):
        try:
            found = events.check(event, rules)
        except GamificationError as error:
            errors[index] = error
            continue
        if found.refusal:
            late.append((index, found))
        else:
            checked.append((event, found))
    told = zip(late, recording.replays([event for _, event in late]), strict=True) if late else ()
    errors |= {index: answer for (index, _), answer in told if isinstance(answer, GamificationError)}
    if errors:
        raise BatchRefused(errors)
    with transaction.atomic():
        number = backlog.put(checked, rules)
        if number:
            tasks.work_after_commit()
    return number


def work(*, now: datetime | None = None) -> Worked:
    """Record what waits in the backlog, and return what became of what was taken; any number may do so at once."""
    return backlog.work(now)


def waiting() -> int:
    """Return how many events wait to be recorded."""
    return QueuedActivity.objects.waiting().count()


def refused() -> QueuedActivityQuerySet:
    """Return the events that were refused when they were to be recorded, user by user."""
    return QueuedActivity.objects.refused().in_order()


def retry_refused(ids: Collection[int] | None = None) -> int:
    """Let refused events, or those of them with ``ids``, wait again, because what stood against them is gone.

    Return how many.
    """
    with transaction.atomic():
        number = _refused(ids).update(refused_at=None, code="", reason="")
        if number:
            tasks.work_after_commit()
    return number


def drop_refused(ids: Collection[int] | None = None) -> int:
    """Delete the refused events, or those of them with ``ids``, and return how many."""
    return _refused(ids).delete()[0]


def _refused(ids: Collection[int] | None) -> QueuedActivityQuerySet:
    return refused() if ids is None else refused().filter(pk__in=ids)

"""Work for the background: Django's own tasks from 6 on, the package of the same interface before."""

from __future__ import annotations

from django.db import transaction

from gamification.engine import backlog, excusing

try:
    from django.tasks import task
except ImportError:
    from django_tasks import task  # type: ignore[no-redef]


@task()
def work_backlog() -> int:
    """Record what waits in the backlog and return how many events this worker took; any number may run at once."""
    return backlog.work().total


def work_after_commit() -> None:
    """Enqueue :func:`work_backlog` once the transaction has committed.

    Where the queue cannot be reached that is logged; the events are safe, and the next worker takes them.
    """
    transaction.on_commit(work_backlog.enqueue, robust=True)


@task()
def follow_excused_date(pk: int) -> None:
    """Let everybody's streaks follow an excused date, or one that is no longer so; cut off, it goes on where it was."""
    excusing.follow(pk)


def follow_excused_date_after_commit(pk: int) -> None:
    """Enqueue :func:`follow_excused_date` once the transaction has committed.

    Where the queue cannot be reached that is logged, and staff start it again.
    """
    transaction.on_commit(lambda: follow_excused_date.enqueue(pk), robust=True)

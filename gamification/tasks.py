"""Work for the background: Django's own tasks from 6 on, the package of the same interface before."""

from __future__ import annotations

from django.db import transaction

from gamification.engine import backlog, figures

try:
    from django.tasks import task
except ImportError:
    from django_tasks import task  # type: ignore[no-redef]

#: It may run within a request, whose patience ends sooner than a command's.
FIGURES_SECONDS = 15


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
def refresh_figures() -> int:
    """Compute figures of dates that are due for some seconds and return how many; what is left waits for the next."""
    return len(figures.refresh(seconds=FIGURES_SECONDS).dates)

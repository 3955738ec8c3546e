"""Work for the background: Django's own tasks from 6 on, the package of the same interface before."""

from __future__ import annotations

from django.db import transaction

from gamification.engine import backfilling, backlog, delivering, excusing, figures, outbox

try:
    from django.tasks import task
    from django.tasks.backends.immediate import ImmediateBackend
except ImportError:
    from django_tasks import task  # type: ignore[no-redef]
    from django_tasks.backends.immediate import ImmediateBackend  # type: ignore[assignment]

#: How long a task goes on in the process that asks for it, where there are no workers.
SECONDS_AT_ONCE = 2.0

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
def work_backfill(run_id: int) -> str:
    """Go on with a back-fill, or with its undoing, and return its status; without workers only for a moment."""
    return backfilling.work(run_id, seconds=None if has_workers() else SECONDS_AT_ONCE).status


@task()
def refresh_figures() -> int:
    """Compute figures of dates that are due for some seconds and return how many; what is left waits for the next."""
    return len(figures.refresh(seconds=FIGURES_SECONDS).dates)


@task()
def follow_excused_date(pk: int) -> None:
    """Let everybody's streaks follow an excused date, or one that is no longer so; without workers for a moment.

    Cut off, it goes on where it was.
    """
    excusing.follow(pk, seconds=None if has_workers() else SECONDS_AT_ONCE)


def follow_excused_date_after_commit(pk: int) -> None:
    """Enqueue :func:`follow_excused_date` once the transaction has committed.

    Where the queue cannot be reached that is logged, and staff start it again.
    """
    transaction.on_commit(lambda: follow_excused_date.enqueue(pk), robust=True)


@task()
def deliver_webhooks() -> int:
    """Send the webhooks that are due and return how many sendings that took; any number may run at once."""
    return delivering.deliver().total


def deliver_when_filled() -> None:
    """Let workers deliver what a commit has left in the outbox.

    Without workers nobody's request waits for somebody else's server: the command ``deliver_webhooks`` does it.
    """
    if has_workers():
        deliver_webhooks.enqueue()


outbox.on_filled.append(deliver_when_filled)


def has_workers() -> bool:
    """Tell whether tasks run elsewhere than in the process that enqueues them."""
    return not isinstance(work_backfill.get_backend(), ImmediateBackend)

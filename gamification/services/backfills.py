"""Back-fills: a definition for those who met its condition before it said so; previewed, run, and undone as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from gamification import tasks
from gamification.conf import get_settings
from gamification.domain.conditions import compile_condition
from gamification.engine import backfilling, eligibility, inputs
from gamification.engine.clock import moment
from gamification.exceptions import BackfillOpen, BackfillUndone, RuleInForce, RuleNotActive, UnknownAchievement
from gamification.models import Achievement, BackfillRun
from gamification.models.backfills import OPEN, RunStatus

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ["Preview", "go_on", "is_in_force", "passed_over", "preview", "start", "undo", "unfinished"]

SAMPLE_SIZE = 10
is_in_force = backfilling.is_in_force


@dataclass(frozen=True, slots=True)
class Preview:
    """For how many ``people`` a definition would unlock, the ``xp`` that it pays them in all, and a few of them.

    What levels and further achievements that XP brings comes on top. With ``is_exact`` False the condition asks for
    a metric that the project computes: then these are all who can meet it.
    """

    people: int
    xp: int
    sample: tuple[AbstractBaseUser, ...]
    is_exact: bool


def preview(definition: Achievement, *, now: datetime | None = None) -> Preview:
    """Return for whom ``definition``, saved or not, would unlock; counted by the database, and nothing is written.

    Raises:
        InvalidCondition: its condition cannot be evaluated.
    """
    condition = compile_condition(definition.conditions, is_known=get_settings().is_known_metric)
    can = eligibility.without(eligibility.meeting(condition, moment(now)), definition.achievement_id)
    number = can.count()
    ids = list(can.order_by("user_id").values_list("user_id", flat=True)[:SAMPLE_SIZE]) if number else []
    sample = get_user_model()._base_manager.filter(pk__in=ids).order_by("pk")
    return Preview(number, number * definition.xp_reward, tuple(sample), eligibility.is_exact(condition))


def start(
    achievement_id: str,
    *,
    actor: AbstractBaseUser | None = None,
    in_background: bool = True,
    now: datetime | None = None,
) -> BackfillRun:
    """Begin a back-fill of an active definition and return the run, which a task works on once this is committed.

    Without ``in_background`` nothing does: :func:`go_on` works on it here.

    Unlocks count as of now and their XP in no window; nobody is told. Who has the achievement, or lost it by
    revocation, is passed over.

    Raises:
        UnknownAchievement: there is no such definition.
        RuleNotActive: it is not active.
        BackfillOpen: a back-fill of it, or its undoing, has not ended yet.
    """
    at = moment(now)
    rows = Achievement.objects.filter(achievement_id=achievement_id)
    definition = rows.first() if inputs.is_storable(achievement_id) else None
    if definition is None:
        raise UnknownAchievement("There is no such achievement.", field="achievement_id")
    if not definition.is_active:
        raise RuleNotActive(field="achievement_id")
    run = BackfillRun(
        achievement=definition,
        conditions=definition.conditions,
        xp_reward=definition.xp_reward,
        expected=preview(definition, now=at).people,
        started_by_id=actor.pk if actor else None,
        started_at=at,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        raise BackfillOpen(_still_open(achievement_id), field="achievement_id") from None
    if in_background:
        _work_after_commit(run)
    return run


def undo(
    run: BackfillRun,
    *,
    actor: AbstractBaseUser | None = None,
    in_background: bool = True,
    now: datetime | None = None,
) -> BackfillRun:
    """Begin to take back all that ``run`` unlocked, with the XP that it paid, and return the run.

    It is worked on as :func:`start` says.

    What people have earned since on their own stays, or is unlocked anew. Those whose total would fall below 0 are
    passed over, see :func:`passed_over`.

    Raises:
        RuleInForce: the definition is active and unchanged, so that all would be unlocked again.
        BackfillUndone: the run was undone before.
        BackfillOpen: another run of the definition has not ended yet.
    """
    if run.status in {RunStatus.UNDOING, RunStatus.UNDONE}:
        raise BackfillUndone
    if is_in_force(run):
        raise RuleInForce
    begun = {"status": RunStatus.UNDOING, "position": "", "undone_by_id": actor.pk if actor else None}
    try:
        with transaction.atomic():
            found = BackfillRun.objects.filter(pk=run.pk).exclude(status__in=[RunStatus.UNDOING, RunStatus.UNDONE])
            if not found.update(finished_at=run.finished_at or moment(now), **begun):
                raise BackfillUndone
    except IntegrityError:
        raise BackfillOpen(_still_open(run.achievement_id)) from None
    run.refresh_from_db()
    if in_background:
        _work_after_commit(run)
    return run


def go_on(
    run: BackfillRun,
    *,
    seconds: float | None = None,
    now: datetime | None = None,
    progress: Callable[[BackfillRun], None] = lambda run: None,
) -> BackfillRun:
    """Work on an open run here, to the end or for about ``seconds``, and return it; of one that has ended, nothing.

    It goes on where it was cut off. ``progress`` is called with the run after each part.
    """
    return backfilling.work(run.pk, seconds=seconds, now=now, progress=progress)


def unfinished(achievement_id: str) -> BackfillRun | None:
    """Return the open run of a definition, if there is one."""
    return BackfillRun.objects.filter(achievement_id=achievement_id, status__in=OPEN).first()


def passed_over(run: BackfillRun) -> list[AbstractBaseUser]:
    """Return those from whom an undone run could not take the achievement back, because they have spent the XP."""
    if run.status != RunStatus.UNDONE:
        return []
    return list(get_user_model()._base_manager.filter(pk__in=backfilling.of_run(run)).order_by("pk"))


def _still_open(achievement_id: str) -> str:
    run = unfinished(achievement_id)
    number = run.pk if run else "?"
    return f"Back-fill {number} of this achievement has not ended yet: let it go on first."


def _work_after_commit(run: BackfillRun) -> None:
    transaction.on_commit(lambda: tasks.work_backfill.enqueue(run.pk), robust=True)

"""Back-fills, part by part: each part is a transaction that also moves the run's position, so that any can be the last.

Parts are ranges of people in order of id. Whoever works on a run moves its position from where it was found; of two at
once one comes too late, and leaves no trace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from gamification.conf import get_settings
from gamification.domain import calendar
from gamification.domain.activity_types import ACHIEVEMENTS_UNLOCKED
from gamification.domain.conditions import Group, compile_condition
from gamification.engine import announcing, eligibility, ledger, players, saving, unlocking
from gamification.engine.clock import moment
from gamification.engine.rules import Rulebook, rulebook
from gamification.exceptions import InvalidCondition
from gamification.models import BackfillRun, UserAchievement, UserStreak, XPTransaction
from gamification.models.backfills import RunStatus
from gamification.models.xp import Source

if TYPE_CHECKING:
    from gamification.engine.players import Player, Players

PEOPLE_AT_ONCE = 1000
CHANGED = frozenset({ACHIEVEMENTS_UNLOCKED, *ledger.XP_METRICS})


class _OvertakenError(Exception):
    """Somebody else has worked on the same part."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What a part came to."""

    people: int = 0
    xp: int = 0


def work(
    run_id: int,
    *,
    seconds: float | None = None,
    now: datetime | None = None,
    progress: Callable[[BackfillRun], None] = lambda run: None,
) -> BackfillRun:
    """Go on with a run or with its undoing to the end, or for about ``seconds``, and return it as it is then."""
    until = None if seconds is None else time.monotonic() + seconds
    run = BackfillRun.objects.get(pk=run_id)
    while run.is_open:
        try:
            with transaction.atomic():
                _advance(run, moment(now))
        except _OvertakenError:
            pass
        found = BackfillRun.objects.filter(pk=run_id).first()
        if found is None:
            run.status = RunStatus.ENDED_EARLY  # the definition was deleted, and its runs with it
            return run
        run = found
        progress(run)
        if until is not None and time.monotonic() >= until:
            break
    return run


def is_in_force(run: BackfillRun) -> bool:
    """Tell whether the definition is active with the rule that the run went by."""
    definition = run.achievement
    rule = (definition.conditions, definition.xp_reward)
    return definition.is_active and rule == (run.conditions, run.xp_reward)


def _advance(run: BackfillRun, now: datetime) -> None:
    """Work on the next part of ``run``, or end it.

    Raises:
        _OvertakenError: the run was moved meanwhile.
    """
    found = (run.status, run.position)
    people = _next_people(run)
    if run.status == RunStatus.UNDOING:
        done = _undo_for(run, people, now) if people else _Done()
        run.undone_for += done.people
        ended = None if people else RunStatus.UNDONE
    elif (condition := _condition(run)) is None:
        ended = RunStatus.ENDED_EARLY
    else:
        done = _unlock_for(run, condition, people, now) if people else _Done()
        run.unlocked, run.xp = run.unlocked + done.people, run.xp + done.xp
        ended = None if people else RunStatus.FINISHED
    if ended is None:
        run.position = str(people[-1])
    else:
        run.status = ended
        run.undone_at, run.finished_at = (now, run.finished_at) if ended == RunStatus.UNDONE else (None, now)
    names = ("status", "position", "unlocked", "xp", "undone_for", "finished_at", "undone_at")
    moved = BackfillRun.objects.filter(pk=run.pk, status=found[0], position=found[1])
    if not moved.update(**{name: getattr(run, name) for name in names}):
        raise _OvertakenError


def _next_people(run: BackfillRun) -> list[Any]:
    """Return the ids of the next people in order."""
    people = UserStreak.objects.order_by("user_id")
    if run.position:
        people = people.filter(user_id__gt=get_user_model()._meta.pk.to_python(run.position))
    return list(people.values_list("user_id", flat=True)[:PEOPLE_AT_ONCE])


def _locked(ids: Collection[Any]) -> Players:
    return players.lock_known(get_user_model()._base_manager.filter(pk__in=ids))


def _save_silently(changed: Sequence[Player]) -> None:
    """Save, and tell the boards alone: nobody did anything that there is to announce or to celebrate."""
    for player in changed:
        player.announcements.clear()
        player.notices.clear()
    saving.save({player.user.pk: player for player in changed})
    announcing.after_commit(changed)


# Unlocking


def _condition(run: BackfillRun) -> Group | None:
    """Return the condition to go by; None when the definition goes by it no longer."""
    if not is_in_force(run):
        return None
    try:
        return compile_condition(run.conditions, is_known=get_settings().is_known_metric)
    except InvalidCondition:
        return None


def _unlock_for(run: BackfillRun, condition: Group, people: Sequence[Any], now: datetime) -> _Done:
    """Unlock for those of ``people`` who meet the rule; ``people`` are all there are between two ids."""
    part = UserStreak.objects.filter(user_id__gte=people[0], user_id__lte=people[-1])
    can = eligibility.without(eligibility.among(part, condition, now), run.achievement_id)
    locked = _locked(list(can.values_list("user_id", flat=True)))
    if not locked:
        return _Done()
    rules = rulebook(locked.site.rules_stamp)
    via = {"by": "backfill", "run": run.pk}
    changed: list[Player] = []
    granted = 0
    for player in locked.values():
        values = _values_at(player, condition.metrics(), now)
        if run.achievement_id in player.closed or not condition.is_met(values):
            continue
        at = run.started_at
        granted += unlocking.grant(player, run.achievement_id, run.xp_reward, at=at, now=now, earned_on=None, via=via)
        unlocking.unlock_met(player, rules, CHANGED, at=at, now=now, earned_on=None, via=via)
        changed.append(player)
    xp = sum(row.xp_amount for player in changed for row, _ in player.transactions)
    _save_silently(changed)
    return _Done(granted, xp)


def _values_at(player: Player, metrics: frozenset[str], now: datetime) -> dict[str, int]:
    values = unlocking.values_for(player, metrics)
    expires_at = player.streak.expires_at
    if expires_at is None or expires_at <= now:
        values["current_streak"] = 0
    return values


# Undoing


def of_run(run: BackfillRun) -> list[Any]:
    """Return the ids of those who have the achievement by ``run``, in order; after an undo, of those it passed over."""
    rows = UserAchievement.objects.unlocked().filter(achievement_id=run.achievement_id, unlocked_at=run.started_at)
    found = rows.order_by("user_id").values_list("user_id", "unlock_metadata")
    return [user_id for user_id, via in found.iterator() if via.get("run") == run.pk]


def _undo_for(run: BackfillRun, people: Sequence[Any], now: datetime) -> _Done:
    """Take back what ``run`` unlocked for ``people``, save from those whose total would fall below 0."""
    between = {"user_id__gte": people[0], "user_id__lte": people[-1], "unlocked_at": run.started_at}
    rows = UserAchievement.objects.unlocked().filter(**between).values_list("user_id", "unlock_metadata")
    locked = _locked({user_id for user_id, via in rows if via.get("run") == run.pk})
    if not locked:
        return _Done()
    players.load_unlocks(locked.values())
    rules = rulebook(locked.site.rules_stamp)
    paid = _paid_for(run, locked)
    changed = [
        player
        for player in locked.values()
        if sum(row.xp_amount for row in paid.get(player.user.pk, ())) <= player.xp.total_xp
    ]
    for player in changed:
        _undo(player, run, paid.get(player.user.pk, []), rules, now)
    _save_silently(changed)
    return _Done(len(changed))


def _names(player: Player, run: BackfillRun) -> list[str]:
    """Return what ``player`` has by ``run``: its achievement, and those that its XP unlocked."""
    rows = player.unlocks.values()
    return [row.achievement_id for row in rows if row.is_unlocked and row.unlock_metadata.get("run") == run.pk]


def _paid_for(run: BackfillRun, locked: Players) -> dict[Any, list[XPTransaction]]:
    """Return what ``run`` has paid and nobody has taken back, by user."""
    keys = {
        (pk, f"{name}:{player.unlocks[name].grants}") for pk, player in locked.items() for name in _names(player, run)
    }
    rows = XPTransaction.objects.filter(user_id__in=locked, source=Source.ACHIEVEMENT, key__in={key for _, key in keys})
    paid: dict[Any, list[XPTransaction]] = {}
    for row in rows.filter(reversed_by__isnull=True):
        if (row.user_id, row.key) in keys:
            paid.setdefault(row.user_id, []).append(row)
    return paid


def _undo(player: Player, run: BackfillRun, paid: list[XPTransaction], rules: Rulebook, now: datetime) -> None:
    """Leave ``player`` as if the run had not been; what is met all the same is unlocked anew, as earned."""
    names = _names(player, run)
    for row in paid:
        ledger.book(player, ledger.opposite(row, "backfill_undone"), now)
    for name in names:
        player.reopen(name)
    player.raise_counter(ACHIEVEMENTS_UNLOCKED, -len(names))
    metrics = CHANGED
    for rule in (rules.rules[rules.positions[name]] for name in names if name in rules.positions):
        player.unlocks[rule.achievement_id].progress = rule.condition.percent(
            unlocking.values_for(player, rule.metrics)
        )
        metrics |= rule.metrics
    today = calendar.local_date(now, player.zone)
    unlocking.unlock_met(player, rules, metrics, at=now, now=now, earned_on=today, via={"by": "check"})

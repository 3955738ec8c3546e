"""Recording what people do: once per key, with all that follows from it; and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from gamification import signals
from gamification.conf import VOID_POLICIES, get_settings
from gamification.domain import calendar
from gamification.engine import announcing, days, events, inputs, ledger, players, recording, saving, voiding
from gamification.engine.clock import moment
from gamification.engine.events import CheckedEvent, Event, Rules
from gamification.engine.recording import Answer
from gamification.engine.results import Receipt, Voided
from gamification.engine.rules import rulebook
from gamification.exceptions import AlreadyVoided, BatchRefused, GamificationError, InvalidInput, UnknownActivity
from gamification.models import Activity, VoidedActivity

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ["Event", "import_events", "record", "record_many", "void"]

EVENTS_AT_ONCE = 2000


def record(  # noqa: PLR0913 -- the public signature
    user: AbstractBaseUser,
    kind: str,
    *,
    key: str,
    quantity: int = 1,
    data: dict[str, Any] | None = None,
    occurred_at: datetime | None = None,
    timezone: str | None = None,
    now: datetime | None = None,
    trusted: bool = True,
) -> Receipt:
    """Record one activity of ``user`` with all that follows: counters, streak, XP, achievements, boards, signals.

    The same ``key`` counts once: a second call returns the first receipt, marked as replayed. An untrusted caller may
    not report what happened more than 5 minutes ago. ``timezone`` overrides the user's zone for this activity.

    Raises:
        GamificationError: the event was refused, as ``engine.events.check`` lists; nothing was changed.
        IdempotencyConflict: ``key`` was used for something else.
    """
    event = Event(user, kind, key, quantity, data, occurred_at, timezone)
    with transaction.atomic():
        (answer,) = _record([event], Rules(moment(now), trusted))
    if isinstance(answer, GamificationError):
        raise answer
    return answer


def record_many(
    batch: Iterable[Event], *, now: datetime | None = None, trusted: bool = True, backdate_limit: bool = True
) -> list[Receipt]:
    """Record many activities in one transaction and return their receipts in the order of ``batch``.

    Each user's events are taken in order of time; the end state is that of recording them one by one in that order.

    Raises:
        BatchRefused: some events were refused, and nothing was written; ``errors`` maps their index to the reason.
    """
    with transaction.atomic():
        answers = _record(list(batch), Rules(moment(now), trusted, backdate_limit))
        errors = {index: answer for index, answer in enumerate(answers) if isinstance(answer, GamificationError)}
        if errors:
            raise BatchRefused(errors)
    return [answer for answer in answers if isinstance(answer, Receipt)]


def import_events(batch: Iterable[Event], *, now: datetime | None = None) -> list[Answer]:
    """Record what happened at any time in the past, and return a receipt or the reason of refusal for each event."""
    with transaction.atomic():
        return _record(list(batch), Rules(moment(now), backdate_limit=False))


def void(
    activity: Activity,
    *,
    reason: str,
    actor: AbstractBaseUser | None = None,
    achievements: str | None = None,
    now: datetime | None = None,
) -> Voided:
    """Take back all that ``activity`` has brought, as if it had not been: XP, counters, its day, streak, boards.

    The activity stays in the log, and what says that it is void stands beside it; its key stays used. ``achievements``
    is "keep" or "revoke" for those that stood on it; left out, ``VOID_ACHIEVEMENTS`` decides. Levels ever reached stay,
    and so do freezes that were used. ``actor`` is who decided it.

    Raises:
        AlreadyVoided: it was voided before.
        InsufficientXP: the total would fall below 0; nothing is changed.
        InvalidInput, UnknownActivity: the error names the field and the rule.
    """
    at, reason = moment(now), inputs.clean_text(reason, "reason")
    kept_or_not = get_settings().VOID_ACHIEVEMENTS if achievements is None else achievements
    if kept_or_not not in VOID_POLICIES:
        raise InvalidInput(f"achievements must be one of {', '.join(VOID_POLICIES)}.", field="achievements")
    with transaction.atomic():
        locked = players.lock([activity.user], activity.local_date - calendar.DAY)
        player = locked[activity.user_id]
        _check_voidable(activity)
        policy, rules = days.policy(locked.site.excused), rulebook(locked.site.rules_stamp)
        stood = voiding.standing(player, rules) if kept_or_not == "revoke" else []
        percents = voiding.percents(player, rules)
        decision: dict[str, Any] = {"reason": reason, "actor": actor}
        voiding.take_back(player, activity, policy, now=at, **decision)
        revoked = voiding.revoke_fallen(player, stood, rules, now=at, **decision) if stood else []
        voiding.follow_progress(player, rules, percents)
        told = Voided(
            void=VoidedActivity.objects.create(
                user_id=activity.user_id, activity=activity, voided_at=at, achievements=revoked, **decision
            ),
            xp_taken_back=-sum(row.xp_amount for row, _ in player.transactions),
            streak=days.status(player.streak, at, policy),
            level=ledger.level_of(player.xp),
            achievements_revoked=tuple(revoked),
        )
        saving.save(locked)
        player.announce(signals.activity_voided, activity=activity, voided=told)
        announcing.after_commit([player])
    return told


def _check_voidable(activity: Activity) -> None:
    """Make sure that an activity is there and counts; its user must be locked."""
    if not Activity.objects.filter(pk=activity.pk).exists():
        raise UnknownActivity(field="activity")
    if VoidedActivity.objects.filter(activity_id=activity.pk).exists():
        raise AlreadyVoided(field="activity")


def _record(batch: Sequence[Event], rules: Rules) -> list[Answer]:
    """Record what is in order, users in order of id and each user's events in order of time."""
    answers: dict[int, Answer] = {}
    checked: list[tuple[int, CheckedEvent]] = []
    refused: list[tuple[int, CheckedEvent]] = []
    for index, event in enumerate(batch):
        try:
            found = events.check(event, rules)
        except GamificationError as error:
            answers[index] = error
            continue
        (refused if found.refusal else checked).append((index, found))
    if refused:
        told = recording.replays([event for _, event in refused])
        answers |= {index: answer for (index, _), answer in zip(refused, told, strict=True)}
    checked.sort(key=lambda pair: (pair[1].user.pk, pair[1].at))
    for start in range(0, len(checked), EVENTS_AT_ONCE):
        part = checked[start : start + EVENTS_AT_ONCE]
        first = calendar.earliest_date(min(event.at for _, event in part))
        locked = players.lock((event.user for _, event in part), first, key=part[0][1].key)
        answered = recording.record_locked(locked, [event for _, event in part], rules.now)
        answers |= {index: answer for (index, _), answer in zip(part, answered, strict=True)}
        announcing.after_commit(locked.values())
    return [answers[index] for index in range(len(batch))]

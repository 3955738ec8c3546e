"""The outbox: what players announce, as events for the webhooks that ask for them, in the same transaction.

Where no endpoint listens there is nothing to do, and nothing is asked: the reading of the players told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from gamification import signals
from gamification.domain.streaks import MAINTAINED
from gamification.engine.clock import moment
from gamification.engine.sql import writing
from gamification.engine.sql.cursors import cursor
from gamification.models import WebhookDelivery
from gamification.models.webhooks import DeliveryStatus
from gamification.models.xp import Source

if TYPE_CHECKING:
    from django.dispatch import Signal

    from gamification.engine.players import Player
    from gamification.engine.results import LevelInfo, Receipt, StreakChange, Voided
    from gamification.models import Activity, UserAchievement, XPTransaction

EVENT = ("message_id", "event_type", "body", "created_at", "status", "attempts", "due_at", "last_failure")
COLUMNS = ("endpoint_id", "user_id", *EVENT)

#: An event: its type and the data that it carries beside the user's key.
Told = tuple[str, dict[str, Any]]

#: Called after a commit that left something in the outbox; those who deliver enter themselves.
on_filled: list[Callable[[], object]] = []


def write(players: Iterable[Player]) -> None:
    """Put what ``players`` announce into the outbox, in the order in which it happened; they must be locked and saved.

    An event is a row for each endpoint that asks for its type, with one ``webhook-id``.
    """
    now = moment(None)
    rows = [row for player in players if player.endpoints for row in _rows(player, now)]
    if not rows:
        return
    with cursor() as opened:
        writing.upsert_values(opened, WebhookDelivery, COLUMNS, rows)
    transaction.on_commit(filled, robust=True)


def filled() -> None:
    """Tell those who deliver that there is something to do."""
    for listener in on_filled:
        listener()


def put(endpoint_id: int, event_type: str, data: Mapping[str, Any], now: datetime) -> WebhookDelivery:
    """Put an event that is about nobody into the outbox, such as a test, and return it."""
    event = dict(zip(EVENT, _event(event_type, data, now), strict=True))
    transaction.on_commit(filled, robust=True)
    return WebhookDelivery.objects.create(endpoint_id=endpoint_id, **event)


def _rows(player: Player, now: datetime) -> Iterator[tuple[Any, ...]]:
    user_id = player.user.pk
    asked = frozenset().union(*(types for _, types in player.endpoints))
    for signal, kwargs in player.announcements:
        for event_type, data in _told(signal, kwargs):
            if event_type in asked:
                event = _event(event_type, {"user": user_id, **data}, now)
                yield from ((pk, user_id, *event) for pk, types in player.endpoints if event_type in types)


def _event(event_type: str, data: Mapping[str, Any], now: datetime) -> tuple[Any, ...]:
    """Return the values of ``EVENT``."""
    payload = {"type": event_type, "timestamp": now, "data": data}
    body = json.dumps(payload, cls=DjangoJSONEncoder, separators=(",", ":"))
    return f"msg_{uuid4().hex}", event_type, body, now, DeliveryStatus.PENDING.value, 0, now, ""


# What each announcement says


def _told(signal: Signal, kwargs: dict[str, Any]) -> Iterable[Told]:
    teller = TELLERS.get(signal)
    return teller(**kwargs) if teller else ()


def _activity(activity: Activity, receipt: Receipt) -> Iterable[Told]:
    data = {
        "id": activity.pk,
        "kind": activity.kind,
        "key": activity.key,
        "quantity": activity.quantity,
        "data": activity.data,
        "occurred_at": activity.occurred_at,
        "local_date": activity.local_date,
        "timezone": activity.timezone,
        "xp_awarded": receipt.xp_awarded,
        "level": receipt.level.current_level,
        "level_up": receipt.level_up,
        "current_streak": receipt.streak.current,
        "achievements_unlocked": receipt.achievements_unlocked,
    }
    return [("activity.recorded", data)]


def _voided(activity: Activity, voided: Voided) -> Iterable[Told]:
    data = {
        "id": activity.pk,
        "kind": activity.kind,
        "key": activity.key,
        "reason": voided.void.reason,
        "voided_at": voided.void.voided_at,
        "xp_taken_back": voided.xp_taken_back,
        "level": voided.level.current_level,
        "current_streak": voided.streak.current,
        "achievements_revoked": voided.achievements_revoked,
    }
    return [("activity.voided", data)]


def _xp(transaction: XPTransaction) -> Iterable[Told]:
    data: dict[str, Any] = {
        "id": transaction.pk,
        "xp_amount": transaction.xp_amount,
        "reason": transaction.reason,
        "source": transaction.source,
        "reference_id": transaction.reference_id,
        "earned_on": transaction.earned_on,
        "created_at": transaction.created_at,
    }
    if transaction.source == Source.REVERSAL:
        return [("xp.reversed", {**data, "reverses": transaction.reverses_id})]
    return [("xp.awarded", data)]


def _level(previous_level: int, level: LevelInfo) -> Iterable[Told]:
    data = {
        "previous_level": previous_level,
        "level": level.current_level,
        "title": str(level.title),
        "total_xp": level.total_xp,
    }
    return [("level.up", data)]


def _unlocked(user_achievement: UserAchievement) -> Iterable[Told]:
    row = user_achievement
    return [("achievement.unlocked", {"achievement_id": row.achievement_id, "unlocked_at": row.unlocked_at})]


def _revoked(user_achievement: UserAchievement) -> Iterable[Told]:
    row = user_achievement
    data = {"achievement_id": row.achievement_id, "unlocked_at": row.unlocked_at, "revoked_at": row.revoked_at}
    return [("achievement.revoked", data)]


def _streak(change: StreakChange) -> Iterable[Told]:
    """Return an event for each step that the streak went through, each with where it stands after all of them."""
    data = {
        "current_streak": change.current,
        "longest_streak": change.longest,
        "streak_freezes_available": change.freezes,
        "last_activity_date": change.last_activity_date,
        "total_active_days": change.total_active_days,
        "expires_at": change.expires_at,
    }
    return [(f"streak.{step}", data) for step in change.transitions if step != MAINTAINED]


def _freeze(date: Any, reason: str) -> Iterable[Told]:
    return [("freeze.used", {"date": date, "reason": reason})]


TELLERS: dict[Signal, Callable[..., Iterable[Told]]] = {
    signals.activity_recorded: _activity,
    signals.activity_voided: _voided,
    signals.xp_awarded: _xp,
    signals.level_up: _level,
    signals.achievement_unlocked: _unlocked,
    signals.achievement_revoked: _revoked,
    signals.streak_changed: _streak,
    signals.freeze_used: _freeze,
}

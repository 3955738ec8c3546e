"""What happens after commit: boards are marked stale, signals leave."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from gamification.backends import get_backend
from gamification.engine.players import Player

if TYPE_CHECKING:
    from django.dispatch import Signal


def after_commit(players: Iterable[Player]) -> None:
    """Mark the boards stale and send what ``players`` have to announce, once the transaction has committed."""
    sent: list[tuple[Any, Signal, dict[str, Any]]] = []
    for player in players:
        sent += [(player.user, signal, kwargs) for signal, kwargs in player.announcements]
        player.announcements.clear()
    transaction.on_commit(get_backend().mark_stale, robust=True)
    transaction.on_commit(partial(_send, sent), robust=True)


def _send(sent: list[tuple[Any, Signal, dict[str, Any]]]) -> None:
    for user, signal, kwargs in sent:
        signal.send_robust(sender=get_user_model(), user=user, **kwargs)

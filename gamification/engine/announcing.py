"""What there is to tell: webhooks go into the outbox now; after commit boards take in the new scores, signals leave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from gamification.backends import get_backend
from gamification.backends.base import UserScores
from gamification.engine import outbox
from gamification.engine.players import Player

if TYPE_CHECKING:
    from django.dispatch import Signal


def after_commit(players: Iterable[Player]) -> None:
    """Tell the boards the scores and send what ``players`` have to announce, once the transaction has committed.

    What webhooks are to be told is written now, in this transaction: so it leaves if, and only if, that commits.
    """
    players = list(players)
    outbox.write(players)
    scores: list[UserScores] = []
    sent: list[tuple[Any, Signal, dict[str, Any]]] = []
    for player in players:
        scores.append(_scores_of(player))
        sent += [(player.user, signal, kwargs) for signal, kwargs in player.announcements]
        player.announcements.clear()
    # Functions and no partials: Django names them where it logs that one failed.
    transaction.on_commit(lambda: get_backend().changed(scores), robust=True)
    transaction.on_commit(lambda: _send(sent), robust=True)


def _scores_of(player: Player) -> UserScores:
    streak, xp = player.streak, player.xp
    return UserScores(
        user_id=player.user.pk,
        version=xp.version,
        is_visible=xp.is_shown,
        total_xp=xp.total_xp,
        current_streak=streak.current_streak,
        longest_streak=streak.longest_streak,
        expires_at=streak.expires_at,
        counters={name: player.counters[name] for name in player.changed_counters},
        xp_by_day={on: player.days[on].xp for on in player.changed_days},
    )


def _send(sent: list[tuple[Any, Signal, dict[str, Any]]]) -> None:
    for user, signal, kwargs in sent:
        signal.send_robust(sender=get_user_model(), user=user, **kwargs)

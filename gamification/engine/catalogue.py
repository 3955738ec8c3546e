"""The catalogue as somebody sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gamification.domain.conditions import Progress
from gamification.engine import players, unlocking
from gamification.engine.results import AchievementState
from gamification.engine.rules import compiled
from gamification.exceptions import InvalidCondition
from gamification.models import Achievement

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player


def states(viewer: AbstractBaseUser, rows: Iterable[Achievement]) -> list[AchievementState]:
    """Return how ``viewer`` stands with each definition: a few queries, whatever their number."""
    player = players.glance([viewer])[viewer.pk]
    players.load_unlocks([player])
    states: list[AchievementState] = []
    for position, definition in enumerate(rows, start=1):
        row = player.unlocks.get(definition.achievement_id)
        is_unlocked = row is not None and row.is_unlocked
        reached = _progress_of(player, definition)
        states.append(
            AchievementState(
                achievement=definition,
                position=position,
                unlocked=is_unlocked,
                unlocked_at=row.unlocked_at if row is not None and is_unlocked else None,
                unlock_metadata=row.unlock_metadata if row is not None and is_unlocked else {},
                progress=100 if is_unlocked else max(reached.percent, row.progress if row else 0),
                current=reached.current,
                target=reached.target,
                is_masked=definition.is_hidden and not is_unlocked,
            )
        )
    return states


def _progress_of(player: Player, definition: Achievement) -> Progress:
    try:
        rule = compiled(definition)
    except InvalidCondition:
        return Progress(0, 0, 0)
    return rule.condition.progress(unlocking.values_for(player, rule.metrics))

"""Writing what the steps changed: all players and events together, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gamification.engine.sql import writing
from gamification.engine.sql.cursors import cursor as open_cursor
from gamification.engine.sql.cursors import sent_together
from gamification.models import Notice, UserAchievement, UserCounter

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

    from gamification.engine.players import Player


def save(players: Mapping[Any, Player]) -> None:
    """Write all that the steps changed, with a statement for each table, and for each few hundred rows."""
    everyone = list(players.values())
    for player in everyone:
        player.xp.version += 1
    with sent_together(), open_cursor() as cursor:
        writing.insert(cursor, [row for player in everyone for row in player.activities])
        _save_counters(cursor, everyone)
        days = [player.days[on] for player in everyone for on in sorted(player.changed_days)]
        writing.upsert(cursor, days, "user_id", "date")
        _save_progress(cursor, everyone)
        writing.upsert(cursor, [player.streak for player in everyone], "user_id")
        writing.upsert(cursor, [player.xp for player in everyone], "user_id")
        notices = [(player.user.pk, *notice) for player in everyone for notice in player.notices]
        writing.upsert_values(cursor, Notice, ("user_id", "kind", "subject", "xp"), notices)
        # Last come those whose keys are waited for.
        unlocks = [player.unlocks[name] for player in everyone for name in sorted(player.changed_unlocks)]
        writing.upsert(cursor, unlocks, "user_id", "achievement_id", gives_keys=True)
        for transaction, activity in (pair for player in everyone for pair in player.transactions):
            if activity is not None:
                transaction.key = str(activity.pk)
        writing.insert(cursor, [row for player in everyone for row, _ in player.transactions])


def _save_counters(cursor: CursorWrapper, everyone: list[Player]) -> None:
    rows = [
        (player.user.pk, name, player.counters[name]) for player in everyone for name in sorted(player.changed_counters)
    ]
    writing.upsert_values(cursor, UserCounter, ("user_id", "name", "value"), rows, "user_id", "name")


def _save_progress(cursor: CursorWrapper, everyone: list[Player]) -> None:
    """Write of what is still open no more than there is to know."""
    progress: list[tuple[Any, ...]] = [
        (player.user.pk, name, *player.open[name], {})
        for player in everyone
        for name in sorted(player.changed_progress)
    ]
    names = ("user_id", "achievement_id", "progress", "grants", "unlock_metadata")
    writing.upsert_values(cursor, UserAchievement, names, progress, "user_id", "achievement_id")

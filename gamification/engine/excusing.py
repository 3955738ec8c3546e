"""Excused dates: letting everybody's streaks follow, a few users to a transaction.

Each pass folds by the dates in force at that moment, so that it can be cut off, started again and done by two at once:
a second look at somebody changes nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F

from gamification.domain import calendar
from gamification.engine import announcing, days, ledger, players, refolding, saving, unlocking
from gamification.engine.clock import moment
from gamification.engine.rules import rulebook
from gamification.models import ExcusedDate, UserStreak

if TYPE_CHECKING:
    from typing import Any

    from django.db.models import QuerySet

    from gamification.engine.players import Player, Players

USERS_AT_ONCE = 100
#: No clock of the world reaches a date earlier than this before it does in UTC.
EARLIEST = timedelta(hours=14)
#: How far before the date lie the days that most of those concerned need.
DAYS_BEFORE = timedelta(days=14)


def follow(pk: int, now: datetime | None = None, *, seconds: float | None = None) -> None:
    """Let the streaks of everybody concerned follow the excused date ``pk``, from where the last pass was cut off.

    It goes on to the end, or for about ``seconds``.
    """
    until = None if seconds is None else monotonic() + seconds
    while _follow_some(pk, moment(now)):
        if until is not None and monotonic() >= until:
            break


def concerned(on: date) -> QuerySet[UserStreak]:
    """Return the streaks that stood when the date began anywhere, and those that were begun since."""
    return UserStreak.objects.filter(expires_at__gte=datetime.combine(on, time.min, UTC) - EARLIEST)


def _follow_some(pk: int, now: datetime) -> bool:
    """Take the next users, and tell whether there were any."""
    excused = ExcusedDate.objects.filter(pk=pk, refolded_at__isnull=True, refold_asked_at__isnull=False).first()
    if excused is None:
        return False
    rows = concerned(excused.date).order_by("user_id")
    if excused.refold_cursor:
        rows = rows.filter(user_id__gt=excused.refold_cursor)
    ids = list(rows.values_list("user_id", flat=True)[:USERS_AT_ONCE])
    changed = _refold(ids, excused.date, now) if ids else 0
    # Another worker, or another decision, may have been faster: then this was for nothing, and harmless.
    mine = ExcusedDate.objects.filter(
        pk=pk, refold_asked_at=excused.refold_asked_at, refold_cursor=excused.refold_cursor
    )
    if ids:
        seen, cursor = F("people_seen") + len(ids), str(ids[-1])
        mine.update(refold_cursor=cursor, people_seen=seen, people_changed=F("people_changed") + changed)
    else:
        mine.update(refolded_at=now)
    return True


def _refold(ids: list[Any], on: date, now: datetime) -> int:
    users = get_user_model()._base_manager.in_bulk(ids)
    with transaction.atomic():
        locked = players.lock_known(users.values(), min(on - DAYS_BEFORE, calendar.earliest_date(now)))
        if not locked:
            return 0
        longest = {pk: player.streak.longest_streak for pk, player in locked.items()}
        changed = refolding.refold(locked, on, days.policy(locked.site.excused))
        for pk, player in changed.items():
            if player.streak.longest_streak > longest[pk]:
                _unlock(player, locked, now)
        saving.save(changed)
        announcing.after_commit(changed.values())
    return len(changed)


def _unlock(player: Player, locked: Players, now: datetime) -> None:
    """Unlock what a streak that was joined has reached, as of now."""
    highest = player.xp.highest_level
    rules, today = rulebook(locked.site.rules_stamp), calendar.local_date(now, player.zone)
    via = {"by": "excused_date"}
    unlocking.unlock_met(player, rules, days.STREAK_METRICS, at=now, now=now, earned_on=today, via=via)
    ledger.announce_level(player, highest)

"""The scores behind each board, as querysets of (user id, score) rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Sum

from gamification.conf import get_settings
from gamification.domain.activity_types import ACHIEVEMENTS_UNLOCKED
from gamification.exceptions import UnknownMetric
from gamification.models import UserCounter, UserDay, UserStreak, UserXP

if TYPE_CHECKING:
    from gamification.backends.base import BoardName

WINDOWS = {"xp_weekly": 7, "xp_monthly": 30}
STREAK_CURRENT = "streak_current"
STREAKS = (STREAK_CURRENT, "streak_longest")
FIXED = ("xp_all_time", *WINDOWS, *STREAKS)


def metrics() -> tuple[str, ...]:
    """Return the names of all boards: the seven, and the counters that the project lists."""
    return tuple(dict.fromkeys((*FIXED, *get_settings().LEADERBOARD_COUNTERS, ACHIEVEMENTS_UNLOCKED)))


def check_metric(metric: str) -> None:
    """Refuse a board that there is not, listing those that there are."""
    if metric not in metrics():
        raise UnknownMetric(f"{ascii(metric)[:80]} is no board; there are {', '.join(metrics())}.", field="metric")


def scores(metric: str, now: datetime, *, above: int | None = 0) -> QuerySet[Any, Any]:
    """Return rows of ``user_id`` and ``score`` of everybody, hidden or not.

    ``above`` leaves out that score and what is below it. Whoever sets a limit of their own passes it here, or None: of
    two on the same side a database may well take the wrong one to look into its index.
    """
    rows: QuerySet[Any, Any]
    if metric in WINDOWS:
        first = now.astimezone(UTC).date() - timedelta(days=WINDOWS[metric] - 1)
        rows = UserDay.objects.filter(date__gte=first).order_by().values("user_id").annotate(score=Sum("xp"))
    elif metric == "xp_all_time":
        rows = UserXP.objects.values("user_id").annotate(score=F("total_xp"))
    elif metric == STREAK_CURRENT:
        rows = UserStreak.objects.filter(expires_at__gt=now).values("user_id").annotate(score=F("current_streak"))
    elif metric == "streak_longest":
        rows = UserStreak.objects.values("user_id").annotate(score=F("longest_streak"))
    else:
        rows = UserCounter.objects.filter(name=metric).values("user_id").annotate(score=F("value"))
    return rows if above is None else rows.filter(score__gt=above)


def indexed(metric: str) -> tuple[type[Model], str, dict[str, str]]:
    """Return table, column and condition of the rows with a score that is neither a sum nor a streak."""
    return (UserXP, "total_xp", {}) if metric == "xp_all_time" else (UserCounter, "value", {"name": metric})


def visible(rows: QuerySet[Any, Any], board: BoardName, excluded: frozenset[Any]) -> QuerySet[Any, Any]:
    """Keep the rows of users who are shown: active, not hidden, in the board's group, not ``excluded``."""
    rows = rows.filter(~Exists(UserXP.objects.hidden().filter(user_id=OuterRef("user_id"))))
    if has_active_flag() and board.metric in WINDOWS:  # read as a whole: to take out the few is cheaper than to look up
        rows = rows.filter(~Exists(get_user_model()._default_manager.filter(pk=OuterRef("user_id"), is_active=False)))
    elif has_active_flag():
        rows = rows.filter(user__is_active=True)
    if board.members is not None:
        rows = rows.filter(user_id__in=board.members.values("pk"))
    return rows.exclude(user_id__in=excluded) if excluded else rows


def has_active_flag() -> bool:
    """Tell whether the project's users can be deactivated."""
    return any(column.name == "is_active" for column in get_user_model()._meta.concrete_fields)


def behind(score: int, user_id: Any) -> Q:
    """Match rows that come after (score, user id) in the order of a board: one range of its index, not two."""
    return Q(score__lte=score) & ~Q(score=score, user_id__lte=user_id)


def at_or_behind(score: int, user_id: Any) -> Q:
    """Match (score, user id) itself and what comes after it in the order of a board."""
    return Q(score__lte=score) & ~Q(score=score, user_id__lt=user_id)


def ahead_of(score: int, user_id: Any) -> Q:
    """Match rows that come before (score, user id) in the order of a board: one range of its index, not two."""
    return Q(score__gte=score) & ~Q(score=score, user_id__gte=user_id)

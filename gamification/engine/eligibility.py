"""Who meets a condition, asked of the database: from counters, streaks and totals, for everybody at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from gamification.conf import get_settings
from gamification.domain.conditions import Clause, Group
from gamification.models import UserAchievement, UserCounter, UserStreak, UserXP

STREAK_COLUMNS = {"longest_streak": "longest_streak", "active_days": "total_active_days"}
XP_COLUMNS = {"total_xp_earned": "total_xp_earned", "level": "highest_level"}


def is_exact(condition: Group) -> bool:
    """Tell whether the database can decide ``condition``; a metric that the project computes it cannot."""
    return not condition.metrics() & get_settings().METRICS.keys()


def meeting(condition: Group, now: datetime) -> QuerySet[UserStreak]:
    """Return the streaks of everybody who meets ``condition``, found through the indexes of what it asks for.

    A streak that has lapsed counts as 0. Clauses on metrics that the project computes are taken for met, so that with
    them these are all who can meet it, and not only those who do.
    """
    if not condition.needs_every_clause():
        return among(UserStreak.objects.all(), condition, now)
    people = UserStreak.objects.all()
    for clause in condition.clauses():
        people = people.filter(_in_set(clause, now))
    return people


def among(people: QuerySet[UserStreak], condition: Group, now: datetime) -> QuerySet[UserStreak]:
    """Keep those of ``people``, looked at one by one, who meet ``condition``, as :func:`meeting` says."""
    return people.filter(_joined(condition, now))


def without(people: QuerySet[UserStreak], achievement_id: str) -> QuerySet[UserStreak]:
    """Keep those who neither have an achievement nor lost it by revocation."""
    closed = UserAchievement.objects.filter(Q(unlocked_at__isnull=False) | Q(revoked_at__isnull=False))
    return people.exclude(Exists(closed.filter(user_id=OuterRef("user_id"), achievement_id=achievement_id)))


def _joined(part: Clause | Group, now: datetime) -> Q:
    if isinstance(part, Clause):
        return _own(part, now) or Q(Exists(_rows(part).filter(user_id=OuterRef("user_id"))))
    join: Callable[[Any, Any], Any] = and_ if part.joined_by == "all" else or_
    return reduce(join, (_joined(inner, now) for inner in part.parts))


def _in_set(clause: Clause, now: datetime) -> Q:
    return _own(clause, now) or Q(user_id__in=_rows(clause).values("user_id"))


def _own(clause: Clause, now: datetime) -> Q | None:
    """Return what the streak's own row can answer, and what nobody can here; None for the rest."""
    if clause.metric == "current_streak":
        return Q(current_streak__gte=clause.value, expires_at__gt=now)
    if clause.metric in STREAK_COLUMNS:
        return Q((f"{STREAK_COLUMNS[clause.metric]}__gte", clause.value))
    return Q(pk__isnull=False) if clause.metric in get_settings().METRICS else None


def _rows(clause: Clause) -> QuerySet[Any]:
    """Return the totals or counters that reach the clause's value."""
    if clause.metric in XP_COLUMNS:
        return UserXP.objects.filter((f"{XP_COLUMNS[clause.metric]}__gte", clause.value))
    return UserCounter.objects.filter(name=clause.metric, value__gte=clause.value)

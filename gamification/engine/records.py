"""What the log and the ledger hold about users, added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gamification.domain import calendar
from gamification.models import Activity, BoardExclusion, XPTransaction
from gamification.models.xp import Source


@dataclass(slots=True)
class Records:
    """What the log and the ledger hold about one user, added up.

    ``live_rewards`` are the keys (``ID:N``) of unreversed rewards, ``grants`` the greatest N by achievement.
    ``reversals`` maps the id of each reversal to what it is and what it must be: the opposite, on the same date.
    """

    total_xp: int = 0
    total_xp_earned: int = 0
    xp_of_day: Counter[date] = field(default_factory=Counter)
    activities_of_day: Counter[date] = field(default_factory=Counter)
    allowances: dict[date, dict[str, list[int]]] = field(default_factory=dict)
    active_dates: set[date] = field(default_factory=set)
    early: set[date] = field(default_factory=set)
    night: set[date] = field(default_factory=set)
    counters: Counter[str] = field(default_factory=Counter)
    last_at: datetime | None = None
    is_excluded: bool = False
    live_rewards: set[str] = field(default_factory=set)
    grants: dict[str, int] = field(default_factory=dict)
    reversals: dict[int, tuple[object, object]] = field(default_factory=dict)


def read_records(user_ids: Iterable[Any]) -> Mapping[Any, Records]:
    """Add up the log and the ledger of several users: four queries, read row by row."""
    records: defaultdict[Any, Records] = defaultdict(Records)
    ids = list(user_ids)
    for activity in Activity.objects.filter(user_id__in=ids).defer("outcome", "data").iterator(chunk_size=5000):
        _add_activity(records[activity.user_id], activity)
    rows: Any = XPTransaction.objects.filter(user_id__in=ids).values_list(
        "user_id", "xp_amount", "earned_on", "source", "key", "reversed_by"
    )
    for user_id, amount, earned_on, source, key, reversed_by in rows.iterator(chunk_size=5000):
        found = records[user_id]
        found.total_xp += amount
        if earned_on is not None:
            found.xp_of_day[earned_on] += amount
        if reversed_by is None:
            found.total_xp_earned += max(0, amount)
            if source == Source.ACHIEVEMENT:
                found.live_rewards.add(key)
        if source == Source.ACHIEVEMENT:
            name, _, number = key.rpartition(":")
            found.grants[name] = max(found.grants.get(name, 0), int(number))
    for row in XPTransaction.objects.filter(user_id__in=ids, reverses__isnull=False).select_related("reverses"):
        original = row.reverses
        if original is not None:
            was, should_be = (row.xp_amount, row.earned_on), (-original.xp_amount, original.earned_on)
            records[row.user_id].reversals[row.pk] = (was, should_be)
    for user_id in BoardExclusion.objects.in_force().filter(user_id__in=ids).values_list("user_id", flat=True):
        records[user_id].is_excluded = True
    return records


def _add_activity(found: Records, activity: Activity) -> None:
    zone = ZoneInfo(activity.timezone)
    found.activities_of_day[activity.local_date] += 1
    for name, amount in activity.counters.items():
        found.counters[name] += amount
    if calendar.is_early(activity.occurred_at, zone):
        found.early.add(activity.local_date)
    if (night := calendar.night_of(activity.occurred_at, zone)) is not None:
        found.night.add(night)
    if activity.allowance is not None and activity.allowance[0]:
        taken = found.allowances.setdefault(activity.local_date, {}).setdefault(activity.kind, [0, 0])
        taken[:] = [before + more for before, more in zip(taken, activity.allowance, strict=True)]
    if activity.is_in_streak:
        found.active_dates.add(activity.local_date)
        found.last_at = max(found.last_at or activity.occurred_at, activity.occurred_at)

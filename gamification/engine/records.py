"""What the log and the ledger hold about users, added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from gamification.domain import calendar
from gamification.models import Activity, BoardExclusion, XPTransaction
from gamification.models.xp import Source


@dataclass(slots=True)
class Records:
    """What the log and the ledger hold about one user, added up.

    ``highest_xp`` is the highest that the total ever was, ``xp_ever`` what was booked to the good, reversed or not.
    ``live_rewards`` are the keys (``ID:N``) of unreversed rewards, ``grants`` the greatest N by achievement.
    ``contradictions`` are facts of the records themselves that cannot be: what each is, and what it must be.
    """

    total_xp: int = 0
    total_xp_earned: int = 0
    highest_xp: int = 0
    xp_ever: int = 0
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
    contradictions: dict[str, tuple[object, object]] = field(default_factory=dict)


def read_records(user_ids: Iterable[Any]) -> Mapping[Any, Records]:
    """Add up the log, without what was voided, and the ledger of several users: four queries, read row by row."""
    records: defaultdict[Any, Records] = defaultdict(Records)
    ids = list(user_ids)
    log = Activity.objects.unvoided().filter(user_id__in=ids).defer("outcome", "data")
    for activity in log.iterator(chunk_size=5000):
        _add_activity(records[activity.user_id], activity)
    rows: Any = XPTransaction.objects.filter(user_id__in=ids).values_list(
        "user_id", "pk", "xp_amount", "earned_on", "source", "key", "reversed_by"
    )
    booked: defaultdict[Any, list[tuple[int, int]]] = defaultdict(list)
    for user_id, pk, amount, earned_on, source, key, reversed_by in rows.iterator(chunk_size=5000):
        found = records[user_id]
        booked[user_id].append((pk, amount))
        if earned_on is not None:
            found.xp_of_day[earned_on] += amount
        if reversed_by is None:
            found.total_xp_earned += max(0, amount)
        if source == Source.ACHIEVEMENT:
            _add_reward(found, pk, key, is_live=reversed_by is None)
    for user_id, amounts in booked.items():
        totals = list(accumulate(amount for _, amount in sorted(amounts)))
        records[user_id].total_xp, records[user_id].highest_xp = totals[-1], max(0, *totals)
        records[user_id].xp_ever = sum(max(0, amount) for _, amount in amounts)
    for row in XPTransaction.objects.filter(user_id__in=ids, reverses__isnull=False).select_related("reverses"):
        original = row.reverses
        if original is not None:
            was, must_be = (row.xp_amount, row.earned_on), (-original.xp_amount, original.earned_on)
            records[row.user_id].contradictions[f"reversal {row.pk}"] = (was, must_be)
    for user_id in BoardExclusion.objects.in_force().filter(user_id__in=ids).values_list("user_id", flat=True):
        records[user_id].is_excluded = True
    return records


def _add_reward(found: Records, pk: int, key: str, *, is_live: bool) -> None:
    name, _, number = key.rpartition(":")
    if not name or not number.isdecimal():
        found.contradictions[f"key of XP transaction {pk}"] = (key, "ID:N")
        return
    found.grants[name] = max(found.grants.get(name, 0), int(number))
    if is_live:
        found.live_rewards.add(key)


def _add_activity(found: Records, activity: Activity) -> None:
    found.activities_of_day[activity.local_date] += 1
    for name, amount in activity.counters.items():
        found.counters[name] += amount
    if activity.is_in_streak:
        found.active_dates.add(activity.local_date)
        found.last_at = max(found.last_at or activity.occurred_at, activity.occurred_at)
    if activity.allowance is not None and activity.allowance[0]:
        taken = found.allowances.setdefault(activity.local_date, {}).setdefault(activity.kind, [0, 0])
        taken[:] = [before + more for before, more in zip(taken, activity.allowance, strict=True)]
    try:
        zone = ZoneInfo(activity.timezone)
    except (KeyError, ValueError, OSError):
        found.contradictions[f"time zone of activity {activity.pk}"] = (activity.timezone, "a known one")
        return
    if calendar.is_early(activity.occurred_at, zone):
        found.early.add(activity.local_date)
    if (night := calendar.night_of(activity.occurred_at, zone)) is not None:
        found.night.add(night)

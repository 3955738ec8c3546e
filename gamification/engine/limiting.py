"""Limits: what an activity pays and whether it counts, given what counted before. The user must be locked."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from gamification.domain import limits
from gamification.domain.limits import Verdict
from gamification.models import Activity

if TYPE_CHECKING:
    from gamification.engine.events import CheckedEvent
    from gamification.engine.players import Player

SPANS_AT_ONCE = 200

#: When the activities of a user and a kind counted, in order.
Counted = dict[tuple[Any, str], list[datetime]]


def counted_near(batch: Sequence[CheckedEvent]) -> Counted:
    """Return, for users and kinds of ``batch`` that have a cooldown, what counted within it: no query without one."""
    spans: dict[tuple[Any, str], list[datetime]] = {}
    for event in batch:
        if rest := event.kind.limits.cooldown:
            spans.setdefault((event.user.pk, event.kind.name), []).extend((event.at - rest, event.at + rest))
    found: Counted = {name: [] for name in spans}
    for start in range(0, len(spans), SPANS_AT_ONCE):
        near = Q(
            *(
                Q(user_id=pk, kind=kind, occurred_at__range=(min(moments), max(moments)))
                for (pk, kind), moments in islice(spans.items(), start, start + SPANS_AT_ONCE)
            ),
            _connector=Q.OR,
        )
        rows = Activity.objects.unvoided().filter(near).values_list("user_id", "kind", "occurred_at", "allowance")
        for pk, kind, at, allowance in rows.iterator():
            if allowance is None or allowance[0]:
                insort(found[pk, kind], at)
    return found


def take(player: Player, activity: Activity, event: CheckedEvent, counted: Counted) -> Verdict:
    """Return what ``event`` comes to, and write on ``activity`` and its day what that takes of the day's allowance."""
    rules, kind = event.kind.limits, event.kind.name
    if not rules:
        return Verdict(counts=True, xp=event.xp)
    row = player.day(activity.local_date)
    events_so_far, xp_so_far = (row.allowances or {}).get(kind, (0, 0))
    near = counted.get((player.user.pk, kind), [])
    verdict = limits.judge(
        rules,
        event.xp,
        events_so_far=events_so_far,
        xp_so_far=xp_so_far,
        is_too_soon=_has_neighbour(near, event.at, rules.cooldown),
    )
    activity.allowance = [int(verdict.counts), verdict.xp]
    if not verdict.counts:
        activity.counters = {}
    else:
        row.allowances = {**(row.allowances or {}), kind: [events_so_far + 1, xp_so_far + verdict.xp]}
        insort(near, event.at)
    return verdict


def give_back(player: Player, activity: Activity) -> None:
    """Free what a voided activity took of its day's allowance."""
    events, xp = activity.allowance or (0, 0)
    if not events:
        return
    row = player.day(activity.local_date)
    taken = {**(row.allowances or {})}
    events_before, xp_before = taken.pop(activity.kind, (0, 0))
    if events_before > events:
        taken[activity.kind] = [events_before - events, max(0, xp_before - xp)]
    row.allowances = taken or None


def _has_neighbour(counted: Sequence[datetime], at: datetime, rest: timedelta) -> bool:
    """Tell whether something counted less than ``rest`` before or after ``at``; ``counted`` is in order."""
    position = bisect_left(counted, at)
    return any(abs(at - other) < rest for other in counted[max(0, position - 1) : position + 1])

"""Flags: recent dates held against what is expected, people a few hundred at a time and through indexes only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from gamification.conf import GamificationSettings, get_settings
from gamification.domain import flag_rules
from gamification.domain.flag_rules import DayOfSomebody, Reported
from gamification.engine.sql import reading
from gamification.models import Activity, Flag, UserDay

PEOPLE_AT_ONCE = 500
#: How many dates before one tell what is usual.
USUAL_DAYS = 28
WEEK = timedelta(days=6)
#: What a figure is stored in; for kinds without a schema clients may report any number.
FIGURE_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Flagged:
    """What looking for flags came to: how many dates of people were looked at, how many flags are new."""

    looked_at: int = 0
    found: int = 0

    def __add__(self, other: Flagged) -> Flagged:
        return Flagged(self.looked_at + other.looked_at, self.found + other.found)


def refresh(now: datetime, days: int) -> Flagged:
    """Flag what is improbable on the newest ``days`` dates (UTC), and on tomorrow's, which has begun in the east."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return sum((_flag_date(tomorrow - timedelta(days=back), now) for back in range(days + 1)), Flagged())


def _flag_date(on: date, now: datetime) -> Flagged:
    done, last = Flagged(), None
    while True:
        rows = UserDay.objects.filter(date=on).order_by("user_id")
        if last is not None:
            rows = rows.filter(user_id__gt=last)
        part = list(rows.values_list("user_id", "xp", "activities")[:PEOPLE_AT_ONCE])
        if not part:
            return done
        last = part[-1][0]
        done += Flagged(len(part), _flag_people(part, on, now))


def _flag_people(part: Sequence[tuple[Any, int, int]], on: date, now: datetime) -> int:
    """Flag some people's date, and return how many flags are new; what is known only takes the new figure."""
    settings = get_settings()
    before = _xp_before([pk for pk, xp, _ in part if xp > flag_rules.UNUSUAL_XP_MIN], on)
    # A single activity may tell of any number of minutes, or come from one zone too many.
    active = [pk for pk, _, activities in part if activities]
    reported, zones = _reported(active, on, settings), _zones_of_week(active, on)
    flags = [
        Flag(user_id=pk, rule=rule, date=on, figure=min(figure, FIGURE_MAX), expected=expected, found_at=now)
        for pk, xp, activities in part
        for rule, (figure, expected) in flag_rules.passed(
            DayOfSomebody(xp, activities, before[pk], reported[pk], zones[pk]), settings.flag_limits
        ).items()
    ]
    if not flags:
        return 0
    return _keep(flags, on)


def _keep(flags: Sequence[Flag], on: date) -> int:
    ids = sorted({flag.user_id for flag in flags})
    with transaction.atomic():
        reading.hold(ids)()
        # Who was erased since the reading stays so.
        there = set(UserDay.objects.filter(date=on, user_id__in=ids).values_list("user_id", flat=True))
        kept = [flag for flag in flags if flag.user_id in there]
        known = set(Flag.objects.filter(date=on, user_id__in=there).values_list("user_id", "rule"))
        Flag.objects.bulk_create(
            kept, update_conflicts=True, unique_fields=["user", "rule", "date"], update_fields=["figure", "expected"]
        )
    return sum((flag.user_id, flag.rule) not in known for flag in kept)


def _xp_before(ids: Sequence[Any], on: date) -> defaultdict[Any, list[int]]:
    """Return the XP of the days before ``on`` on which there was any, by user."""
    found: defaultdict[Any, list[int]] = defaultdict(list)
    if ids:
        dates = (on - timedelta(days=USUAL_DAYS), on - timedelta(days=1))
        rows = UserDay.objects.filter(user_id__in=ids, date__range=dates, xp__gt=0)
        for pk, xp in rows.values_list("user_id", "xp"):
            found[pk].append(xp)
    return found


def _reported(ids: Sequence[Any], on: date, settings: GamificationSettings) -> defaultdict[Any, list[Reported]]:
    found: defaultdict[Any, list[Reported]] = defaultdict(list)
    kinds = settings.activity_types
    rows = Activity.objects.unvoided().filter(user_id__in=ids, local_date=on) if ids else Activity.objects.none()
    for pk, at, zone, kind, quantity, data in rows.values_list(
        "user_id", "occurred_at", "timezone", "kind", "quantity", "data"
    ).iterator(chunk_size=5000):
        minutes = data.get("minutes") if isinstance(data, dict) else 0
        factor = quantity if kind in kinds and kinds[kind].is_multiplied else 1
        told = max(0, minutes) * factor if isinstance(minutes, int) else 0
        found[pk].append(Reported(at, zone, told, kind in settings.SELF_REPORTED_KINDS))
    return found


def _zones_of_week(ids: Sequence[Any], on: date) -> Counter[Any]:
    """Return in how many zones somebody's activities of the week up to ``on`` were counted."""
    if not ids:
        return Counter()
    rows = Activity.objects.unvoided().filter(user_id__in=ids, local_date__range=(on - WEEK, on))
    return Counter(pk for pk, _ in rows.order_by().values_list("user_id", "timezone").distinct())

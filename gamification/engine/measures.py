"""What one date came to, and how things stand: numbers by name and label, from statements that indexes serve."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from gamification.domain.days import DayStatus
from gamification.models import Achievement, UserAchievement, UserDay, UserXP, XPTransaction
from gamification.models.figures import Name
from gamification.models.xp import Source

if TYPE_CHECKING:
    from django.db.models import QuerySet

WEEK = 7
#: How far back a streak of 7 is looked for: as many days without an activity may lie between its active ones.
STREAK_DAYS = 14
COVERED = (DayStatus.ACTIVE.value, DayStatus.FROZEN.value, DayStatus.SKIPPED.value)

Measured = dict[tuple[Name, str], int]


def bounds(on: date) -> tuple[datetime, datetime]:
    """Return the moments at which a UTC date begins and ends."""
    begin = datetime.combine(on, time.min, UTC)
    return begin, begin + timedelta(days=1)


def of_date(on: date) -> Measured:
    """Return what ``on`` came to; figures without a label are always there, the others where they are not 0."""
    return {**_booked(on), **_unlocked(on), **_lived(on)}


def as_of_now() -> Measured:
    """Return how things stand: players, holders of each definition, people on each level."""
    levels = UserXP.objects.order_by().values_list("current_level").annotate(number=Count("*"))
    found: Measured = {(Name.LEVELS, str(level)): number for level, number in levels}
    holding = _by_achievement(UserAchievement.objects.unlocked())
    found |= {(Name.HOLDERS, achievement_id): number for achievement_id, number in holding}
    found[Name.PLAYERS, ""] = sum(number for (name, _), number in found.items() if name == Name.LEVELS)
    return found


def _booked(on: date) -> Measured:
    """Add up the ledger: what belongs to the date, and what belongs to none and was booked on it."""
    begin, end = bounds(on)
    found: Measured = {}
    kind = Case(When(source=Source.ACTIVITY, then=F("reason")), default=Value(""))
    for rows in (
        XPTransaction.objects.filter(earned_on=on),
        XPTransaction.objects.filter(earned_on__isnull=True, created_at__gte=begin, created_at__lt=end),
    ):
        grouped = rows.order_by().values_list("source", kind).annotate(xp=Sum("xp_amount"), number=Count("*"))
        for source, of_kind, xp, number in grouped:
            label = f"{source}:{of_kind}" if of_kind else source
            found[Name.XP, label] = found.get((Name.XP, label), 0) + int(xp)
            found[Name.BOOKINGS, label] = found.get((Name.BOOKINGS, label), 0) + number
    return found


def _unlocked(on: date) -> Measured:
    begin, end = bounds(on)
    unlocks = _by_achievement(UserAchievement.objects.filter(unlocked_at__gte=begin, unlocked_at__lt=end))
    return {(Name.UNLOCKS, achievement_id): number for achievement_id, number in unlocks if number}


def _by_achievement(rows: QuerySet[UserAchievement]) -> QuerySet[Achievement, Any]:
    """Return (id, number of ``rows``) of every definition: one look into the index for each, not the whole of it."""
    mine = rows.filter(achievement_id=OuterRef("achievement_id")).order_by().values("achievement_id")
    number = Subquery(mine.annotate(number=Count("*")).values("number"))
    return Achievement.objects.order_by().values_list("achievement_id", Coalesce(number, 0))


def _lived(on: date) -> Measured:
    """Count people by their days: who was active, with what streak, and the freezes that covered the date."""
    is_active = Q(activities__gt=0)
    week = UserDay.objects.filter(is_active, date__gt=on - timedelta(days=WEEK), date__lte=on)
    told = UserDay.objects.filter(date=on).aggregate(active=Count("pk", filter=is_active), freezes=Sum("freezes_used"))
    return {
        (Name.ACTIVE, ""): told["active"],
        (Name.FREEZES, ""): told["freezes"] or 0,
        (Name.ACTIVE_IN_WEEK, ""): week.aggregate(number=Count("user_id", distinct=True))["number"],
        (Name.ON_WEEK_STREAK, ""): _on_week_streak(on),
    }


def _on_week_streak(on: date) -> int:
    """Count who was active on the date as at least the seventh day of a streak.

    That is: some number of dates up to it are covered without a gap, and seven of them active. More than
    ``STREAK_DAYS`` are not looked at, so a streak that took more freezes than active days to get there is not seen.
    """
    active_today = UserDay.objects.filter(date=on, status=DayStatus.ACTIVE.value).values("user_id")
    rows = UserDay.objects.filter(date__gt=on - timedelta(days=STREAK_DAYS), date__lte=on, status__in=COVERED)
    counts: dict[str, Count] = {}
    runs = []
    for length in range(WEEK, STREAK_DAYS + 1):
        within = Q(date__gt=on - timedelta(days=length))
        counts[f"covered_{length}"] = Count("pk", filter=within)
        counts[f"active_{length}"] = Count("pk", filter=within & Q(status=DayStatus.ACTIVE.value))
        runs.append(Q(**{f"covered_{length}": length, f"active_{length}__gte": WEEK}))
    people = rows.filter(user_id__in=active_today).order_by().values("user_id").annotate(**counts)
    return people.filter(reduce(or_, runs)).count()

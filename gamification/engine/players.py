"""A locked user's rows in memory: loaded together, changed by the steps, written together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gamification.conf import STATE_METRICS, get_settings
from gamification.domain import calendar
from gamification.models import Activity, UserAchievement, UserCounter, UserDay, UserStreak, UserXP, XPTransaction

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.dispatch import Signal


@dataclass(slots=True)
class Player:
    """One user while locked. What the steps add or change is remembered here until :func:`save` writes it."""

    user: AbstractBaseUser
    streak: UserStreak
    xp: UserXP
    counters: dict[str, int] = field(default_factory=dict)
    days: dict[date, UserDay] = field(default_factory=dict)
    has_all_days: bool = False
    unlocks: dict[str, UserAchievement] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    transactions: list[tuple[XPTransaction, Activity | None]] = field(default_factory=list)
    changed_counters: set[str] = field(default_factory=set)
    changed_days: set[date] = field(default_factory=set)
    changed_unlocks: set[str] = field(default_factory=set)
    announcements: list[tuple[Signal, dict[str, Any]]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.streak.timezone)

    def day(self, on: date) -> UserDay:
        """Return the row of a date, to be changed; made when there is none."""
        self.changed_days.add(on)
        if on not in self.days:
            self.days[on] = UserDay(user_id=self.user.pk, date=on)
        return self.days[on]

    def raise_counter(self, name: str, by: int) -> None:
        self.counters[name] = self.counters.get(name, 0) + by
        self.changed_counters.add(name)

    def unlock_row(self, achievement_id: str) -> UserAchievement:
        """Return the user's row for an achievement, to be changed; made when there is none."""
        self.changed_unlocks.add(achievement_id)
        if achievement_id not in self.unlocks:
            self.unlocks[achievement_id] = UserAchievement(user_id=self.user.pk, achievement_id=achievement_id)
        return self.unlocks[achievement_id]

    def values(self) -> dict[str, int]:
        """Return what conditions are evaluated against: every counter and the fixed metrics, by name."""
        streak, xp = self.streak, self.xp
        state = (
            streak.current_streak,
            streak.longest_streak,
            streak.total_active_days,
            xp.total_xp_earned,
            xp.highest_level,
        )
        return {**self.counters, **dict(zip(STATE_METRICS, state, strict=True))}

    def announce(self, signal: Signal, **kwargs: Any) -> None:
        """Remember a signal, to be sent after commit."""
        self.announcements.append((signal, kwargs))


def lock(users: Iterable[AbstractBaseUser]) -> dict[Any, Player]:
    """Lock ``users`` in order of id until the transaction ends and return them by id; new ones get their rows first.

    This is the only lock: whoever writes for a user holds it, so that reading, adding and saving loses nothing.
    """
    by_id = {user.pk: user for user in users}
    ids = sorted(by_id)
    # An inserted row is a lock too, so with new users among several the order of ids must hold for each in turn.
    is_any_new = len(ids) > 1 and UserStreak.objects.filter(user_id__in=ids).count() < len(ids)
    streaks: dict[Any, UserStreak] = {}
    for part in ([pk] for pk in ids) if is_any_new else [ids]:
        streaks |= hold(part)
        while missing := [pk for pk in part if pk not in streaks]:  # again, where somebody is erased meanwhile
            UserStreak.objects.bulk_create([new_streak(by_id[pk]) for pk in missing], ignore_conflicts=True)
            streaks |= hold(missing)
    rows = UserXP.objects.in_bulk(ids)
    while missing := [pk for pk in ids if pk not in rows]:
        UserXP.objects.bulk_create([new_xp(pk) for pk in missing], ignore_conflicts=True)
        rows |= UserXP.objects.in_bulk(missing)
    return {pk: Player(user=by_id[pk], streak=streaks[pk], xp=rows[pk]) for pk in ids}


def hold(ids: Iterable[Any]) -> dict[Any, UserStreak]:
    """Lock the rows that there are, in order of id, and return them by id."""
    rows = UserStreak.objects.select_for_update().filter(user_id__in=list(ids)).order_by("user_id")
    return {row.user_id: row for row in rows}


def load(players: Mapping[Any, Player], since: Mapping[Any, date | None]) -> None:
    """Read counters, achievements, and the days from ``since`` on (None: all days) of locked players."""
    for counter in UserCounter.objects.filter(user_id__in=players):
        players[counter.user_id].counters[counter.name] = counter.value
    for row in UserAchievement.objects.filter(user_id__in=players):
        players[row.user_id].unlocks[row.achievement_id] = row
    everything = [pk for pk, first in since.items() if first is None]
    for pk in everything:
        players[pk].has_all_days = True
    firsts = {pk: first for pk, first in since.items() if first is not None}
    days = UserDay.objects.none()
    if everything:
        days |= UserDay.objects.filter(user_id__in=everything)
    if firsts:
        days |= UserDay.objects.filter(user_id__in=list(firsts), date__gte=min(firsts.values()))
    for day in days:
        players[day.user_id].days[day.date] = day


def load_all_days(player: Player) -> None:
    """Read the days of ``player`` that were not loaded yet."""
    if not player.has_all_days:
        for day in UserDay.objects.filter(user_id=player.user.pk):
            player.days.setdefault(day.date, day)
        player.has_all_days = True


def save(players: Mapping[Any, Player]) -> None:
    """Write all that the steps changed, with a number of statements that does not depend on how much it is."""
    everyone = list(players.values())
    Activity.objects.bulk_create([activity for player in everyone for activity in player.activities], batch_size=5000)
    for transaction, activity in (pair for player in everyone for pair in player.transactions):
        if activity is not None:
            transaction.key = str(activity.pk)
    XPTransaction.objects.bulk_create([row for player in everyone for row, _ in player.transactions], batch_size=5000)
    _upsert(
        UserCounter,
        [
            UserCounter(user_id=player.user.pk, name=name, value=player.counters[name])
            for player in everyone
            for name in sorted(player.changed_counters)
        ],
        ["user", "name"],
    )
    _upsert(UserDay, [player.days[on] for player in everyone for on in sorted(player.changed_days)], ["user", "date"])
    _upsert(
        UserAchievement,
        [player.unlocks[name] for player in everyone for name in sorted(player.changed_unlocks)],
        ["user", "achievement"],
    )
    for player in everyone:
        player.xp.version += 1
    _upsert(UserStreak, [player.streak for player in everyone], ["user"])
    _upsert(UserXP, [player.xp for player in everyone], ["user"])


def new_xp(user_id: Any) -> UserXP:
    """Return the row of somebody without XP."""
    info = get_settings().levels.describe(0)
    return UserXP(user_id=user_id, xp_to_next_level=info.xp_to_next_level, title=info.title)


def new_streak(user: AbstractBaseUser) -> UserStreak:
    """Return the row of somebody without a day, with the freezes and the zone that the project gives."""
    settings = get_settings()
    hook = settings.hook("USER_TIMEZONE")
    zone = hook(user) if hook else None
    if zone not in calendar.timezone_names():
        zone = settings.DEFAULT_TIMEZONE
    freezes = settings.STREAK_FREEZES
    return UserStreak(user_id=user.pk, streak_freezes_available=freezes, starting_freezes=freezes, timezone=str(zone))


def glance(users: Iterable[AbstractBaseUser]) -> dict[Any, Player]:
    """Return the rows of ``users`` by id, for reading: without the lock, and with zeros where there are none."""
    by_id = {user.pk: user for user in users}
    streaks = UserStreak.objects.in_bulk(list(by_id))
    totals = UserXP.objects.in_bulk(list(by_id))
    return {
        pk: Player(user=user, streak=streaks.get(pk) or new_streak(user), xp=totals.get(pk) or new_xp(pk))
        for pk, user in by_id.items()
    }


def zone_of(user: AbstractBaseUser) -> ZoneInfo:
    """Return the zone in which the days of ``user`` are counted, without locking."""
    name = UserStreak.objects.filter(user_id=user.pk).values_list("timezone", flat=True).first()
    return ZoneInfo(name or new_streak(user).timezone)


def _upsert(model: Any, rows: list[Any], unique_fields: list[str]) -> None:
    """Insert ``rows`` or overwrite the rows that have their unique fields."""
    if not rows:
        return
    key = model._meta.pk
    update_fields = [
        column.name for column in model._meta.concrete_fields if column.name not in {*unique_fields, key.name}
    ]
    if key.name not in unique_fields:
        for row in rows:
            row.pk = None  # the unique fields find the row; an id in the INSERT would be a second thing to conflict
    model.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=unique_fields,
        update_fields=update_fields,
        batch_size=5000,
    )

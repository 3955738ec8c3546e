"""A locked user's rows in memory: read together, changed by the steps, written together by :mod:`saving`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import router

from gamification.conf import STATE_METRICS
from gamification.domain.levels import LevelInfo
from gamification.engine import newcomers
from gamification.engine.sql import reading
from gamification.engine.sql.cursors import sent_together
from gamification.engine.sql.reading import Endpoints, Found, Site, hold
from gamification.models import Activity, UserAchievement, UserDay, UserStreak, UserXP, XPTransaction

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.dispatch import Signal


#: How often somebody may be erased while being locked.
TRIES = 10


@dataclass(slots=True)
class Player:
    """One user while locked. What the steps add or change is remembered here until it is saved.

    ``level`` is that of ``xp`` once something was booked. Of achievements that are neither unlocked nor revoked
    (``open``) progress and grants are known, of the others (``closed``) that they are there, and which rules they are
    once that was asked (``closed_rules``). ``unlocks`` and ``days`` hold the rows that were made or asked for. Days
    from ``days_since`` on were found (``found_days``, as read); :meth:`day` reads the others once one is needed.
    ``notices`` are kind, subject and XP of what there is to celebrate.
    ``recorded_as`` is the id of the activity under the key asked for; ``endpoints`` are told of the announcements.
    """

    user: AbstractBaseUser
    streak: UserStreak
    xp: UserXP
    level: LevelInfo | None = None
    counters: dict[str, int] = field(default_factory=dict)
    open: dict[str, tuple[int, int]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    closed_rules: int | None = None
    unlocks: dict[str, UserAchievement] = field(default_factory=dict)
    days: dict[date, UserDay] = field(default_factory=dict)
    found_days: dict[date, Sequence[Any]] = field(default_factory=dict)
    days_since: date = date.max
    recorded_as: int | None = None
    activities: list[Activity] = field(default_factory=list)
    transactions: list[tuple[XPTransaction, Activity | None]] = field(default_factory=list)
    changed_counters: set[str] = field(default_factory=set)
    changed_days: set[date] = field(default_factory=set)
    changed_progress: set[str] = field(default_factory=set)
    changed_unlocks: set[str] = field(default_factory=set)
    announcements: list[tuple[Signal, dict[str, Any]]] = field(default_factory=list)
    notices: list[tuple[str, str, int]] = field(default_factory=list)
    endpoints: Endpoints = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.streak.timezone)

    def day(self, on: date) -> UserDay:
        """Return the row of a date, to be changed; made when there is none."""
        if on < self.days_since:
            load_all_days([self])
        self.changed_days.add(on)
        if on not in self.days:
            found = self.found_days.get(on)
            self.days[on] = reading.day_of(found) if found else UserDay(user_id=self.user.pk, date=on)
        return self.days[on]

    def raise_counter(self, name: str, by: int) -> None:
        self.counters[name] = self.counters.get(name, 0) + by
        self.changed_counters.add(name)

    def unlock_row(self, achievement_id: str) -> UserAchievement:
        """Return the user's row for an achievement, to be changed; made when there is none."""
        self.changed_unlocks.add(achievement_id)
        if achievement_id not in self.unlocks:
            if achievement_id in self.closed:
                load_unlocks([self])
                return self.unlocks[achievement_id]
            progress, grants = self.open.get(achievement_id, (0, 0))
            self.unlocks[achievement_id] = UserAchievement(
                user_id=self.user.pk, achievement_id=achievement_id, progress=progress, grants=grants
            )
        return self.unlocks[achievement_id]

    def progress(self, achievement_id: str) -> int:
        """Return the stored progress, in percent, of what is still open."""
        return self.open.get(achievement_id, (0, 0))[0]

    def set_progress(self, achievement_id: str, percent: int) -> None:
        self.open[achievement_id] = (percent, self.open.get(achievement_id, (0, 0))[1])
        self.changed_progress.add(achievement_id)

    def close(self, achievement_id: str) -> UserAchievement:
        """Return the row of an achievement that is being unlocked, to be filled in."""
        row = self.unlock_row(achievement_id)
        self.open.pop(achievement_id, None)
        self.changed_progress.discard(achievement_id)
        self.closed.add(achievement_id)
        self.closed_rules = None
        return row

    def reopen(self, achievement_id: str) -> None:
        """Make an achievement one that was never unlocked; how often it was granted stays, for the keys of its XP."""
        row = self.unlock_row(achievement_id)
        row.unlocked_at, row.unlock_metadata, row.progress = None, {}, 0
        self.open[achievement_id] = (0, row.grants)
        self.closed.discard(achievement_id)
        self.closed_rules = None

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


class Players(dict[Any, Player]):
    """Players by user id, and what the same reading said of the site's rules; ``asked_key`` as in :func:`lock`."""

    def __init__(self, players: Mapping[Any, Player], site: Site, asked_key: str) -> None:
        super().__init__(players)
        self.site = site
        self.asked_key = asked_key


def lock(users: Iterable[AbstractBaseUser], since: date = date.max, *, key: str = "") -> Players:
    """Lock ``users`` in order of id until the transaction ends and read what is kept of them; new ones get their rows.

    This is the only lock: whoever writes for a user holds it, so that reading, adding and saving loses nothing.
    ``since`` is the first date whose row will be needed; a wrong guess costs a query and no more. With the ``key`` of
    an activity the same reading tells whether it was recorded before.
    """
    by_id = {user.pk: user for user in users}
    ids = sorted(by_id)
    if not ids:
        return Players({}, Site((0, 0), frozenset()), key)
    # An inserted row is a lock too, so with new users among several the order of ids must hold for each in turn.
    if len(ids) > 1 and UserStreak.objects.filter(user_id__in=ids).count() < len(ids):
        for pk in ids:
            _begin([by_id[pk]])
    held, found, site = _hold_and_read(ids, since, key)
    for _ in range(TRIES):
        missing = [pk for pk in ids if pk not in held or not _is_whole(found.get(pk))]
        if not missing and site is not None:
            return Players({pk: _player(by_id[pk], found[pk]) for pk in ids}, site, key)
        held.update(_begin([by_id[pk] for pk in missing]))
        found, site = reading.read(ids, since, key)
    raise RuntimeError(
        f"{len(missing)} users cannot be locked: pass saved users, whose keys have the type of the model's."
    )


def lock_known(users: Iterable[AbstractBaseUser], since: date = date.max) -> Players:
    """Lock those of ``users`` who take part, as :func:`lock` does; who was erased or deleted meanwhile stays so."""
    by_id = {user.pk: user for user in users}
    ids = sorted(by_id)
    nobody = Site((0, 0), frozenset())
    if not ids:
        return Players({}, nobody, "")
    held, found, site = _hold_and_read(ids, since)
    whole = {pk: _player(by_id[pk], found[pk]) for pk in ids if pk in held and _is_whole(found.get(pk))}
    return Players(whole, site or nobody, "")


def glance(users: Iterable[AbstractBaseUser], since: date = date.max) -> dict[Any, Player]:
    """Return ``users`` as :func:`lock` does, for reading: without the lock, and with zeros where there are no rows."""
    by_id = {user.pk: user for user in users}
    found, _ = reading.read(list(by_id), since, using=router.db_for_read(UserStreak)) if by_id else ({}, None)
    return {pk: _player(user, found.get(pk)) for pk, user in by_id.items()}


def load_all_days(players: Iterable[Player]) -> None:
    """Read the days of ``players`` that were not read yet."""
    by_id = {player.user.pk: player for player in players if player.days_since > date.min}
    for day in UserDay.objects.filter(user_id__in=by_id):
        by_id[day.user_id].days.setdefault(day.date, day)
    for player in by_id.values():
        player.days_since = date.min


def load_unlocks(players: Iterable[Player]) -> None:
    """Read the rows of all achievements that ``players`` have or are on the way to."""
    by_id = {player.user.pk: player for player in players}
    for row in UserAchievement.objects.filter(user_id__in=by_id):
        by_id[row.user_id].unlocks.setdefault(row.achievement_id, row)


def _hold_and_read(ids: list[Any], since: date, key: str = "") -> tuple[set[Any], dict[Any, Found], Site | None]:
    """Lock, and return who is locked beside what was read, with whoever began in between."""
    with sent_together():
        held = hold(ids)
        found, site = reading.read(ids, since, key)
        return held(), found, site


def _is_whole(found: Found | None) -> bool:
    return found is not None and found.xp is not None


def _player(user: AbstractBaseUser, found: Found | None) -> Player:
    if found is None:
        return Player(user, newcomers.streak_of(user), newcomers.xp_of(user.pk))
    return Player(
        user=user,
        streak=found.streak,
        xp=found.xp or newcomers.xp_of(user.pk),
        counters=found.counters,
        open=found.open,
        closed=found.closed,
        found_days=found.days,
        days_since=found.days_since,
        recorded_as=found.recorded_as,
        endpoints=found.endpoints,
    )


def _begin(users: Sequence[AbstractBaseUser]) -> list[Any]:
    """Give ``users`` the rows of beginners, lock them and return whose are locked; what is there stays as it is.

    The total follows the lock, or two of them could wait for each other: one with the lock, one with the total.
    """
    UserStreak.objects.bulk_create([newcomers.streak_of(user) for user in users], ignore_conflicts=True)
    rows = UserStreak.objects.select_for_update().filter(user_id__in=[user.pk for user in users]).order_by("user_id")
    held = list(rows.values_list("user_id", flat=True))
    UserXP.objects.bulk_create([newcomers.xp_of(pk) for pk in held], ignore_conflicts=True)
    return held

"""Figures for staff: what happens on the site date by date, kept up in a table of their own and read from it alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from gamification import tasks
from gamification.backends.reads import HIT, MISS
from gamification.engine import figures, inputs
from gamification.engine.clock import moment
from gamification.engine.figures import Refreshed
from gamification.models import Achievement, DailyFigure
from gamification.models.figures import Name

__all__ = ["Day", "Definition", "Figures", "Refreshed", "read", "refresh", "refresh_soon"]

DAYS_MAX = 3660
WEEK = 7
#: Older figures are said to be old.
FRESH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Day:
    """What one date came to. ``computed_at`` is None where nobody has computed it, and its numbers are 0.

    ``xp`` and ``bookings`` are by source, of activities ``activity:KIND``. ``unlocks_in_week`` and ``active_in_week``
    are those of the seven dates up to this one. Shares are from 0 to 1, and None of nobody.
    """

    date: date
    computed_at: datetime | None = None
    xp: Mapping[str, int] = field(default_factory=dict)
    bookings: Mapping[str, int] = field(default_factory=dict)
    unlocks: int = 0
    unlocks_in_week: int = 0
    freezes: int = 0
    active: int = 0
    active_in_week: int = 0
    on_week_streak: int = 0
    hits: int = 0
    misses: int = 0
    board_readers: int = 0

    @property
    def reads(self) -> int:
        return self.hits + self.misses

    @property
    def hit_rate(self) -> float | None:
        return _share(self.hits, self.reads)

    @property
    def reader_share(self) -> float | None:
        """Return how many people looked at boards for each who was active."""
        return _share(self.board_readers, self.active)

    @property
    def week_streak_share(self) -> float | None:
        """Return the share of those active on the date who are on a streak of 7 or more."""
        return _share(self.on_week_streak, self.active)

    @property
    def unlocks_per_person(self) -> float | None:
        """Return the achievements unlocked in the week up to the date for each person active in it."""
        return _share(self.unlocks_in_week, self.active_in_week)


@dataclass(frozen=True, slots=True)
class Definition:
    """An achievement: ``unlocks`` in the dates asked for, ``holders`` now, ``rarity`` their share of all players."""

    pk: int
    achievement_id: str
    name: str
    is_active: bool
    unlocks: int
    holders: int
    rarity: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some dates, oldest first. ``levels`` are (level, people); ``missing`` dates were never computed.

    ``computed_at`` is when today's were; what is as of now (players, levels, holders) is as of then, or of the newest
    date before.
    """

    days: tuple[Day, ...]
    definitions: tuple[Definition, ...]
    levels: tuple[tuple[int, int], ...]
    players: int
    computed_at: datetime | None
    missing: int
    is_stale: bool

    @property
    def never_unlocked(self) -> tuple[Definition, ...]:
        """Return the definitions in force that nobody has."""
        return tuple(each for each in self.definitions if each.is_active and not each.holders)


def refresh(
    *, days: int = figures.DAYS, now: datetime | None = None, is_again: bool = False, seconds: float | None = None
) -> Refreshed:
    """Compute the newest ``days`` dates as far as they are due, newest first, each from a handful of statements.

    Due is a date that nobody has computed or that goes on; then, while late reports of it may come in
    (``BACKDATE_DAYS``), every six hours; after that it is closed. ``is_again`` computes closed dates too, as after an
    import of old activities. ``seconds`` ends it after the date that is being computed by then. Safe to repeat and to
    run twice at once.

    Raises:
        InvalidInput: ``days`` is not from 1 to 3,660.
    """
    days = inputs.clean_whole(days, "days", low=1, high=DAYS_MAX)
    return figures.refresh(days=days, now=now, is_again=is_again, seconds=seconds)


def refresh_soon() -> None:
    """Have the figures computed by a background task: at once, for some seconds, where the project names no queue."""
    tasks.refresh_figures.enqueue()


def read(days: int = 30, *, now: datetime | None = None) -> Figures:
    """Return the figures of the newest ``days`` dates, today's (UTC) the last, from two small queries.

    Raises:
        InvalidInput: ``days`` is not from 1 to 3,660.
    """
    days = inputs.clean_whole(days, "days", low=1, high=DAYS_MAX)
    at = moment(now)
    first = at.date() - timedelta(days=days - 1)
    kept = _Kept(first - timedelta(days=WEEK - 1), at.date())
    found = tuple(kept.day(first + timedelta(days=ahead)) for ahead in range(days))
    computed_at = found[-1].computed_at
    return Figures(
        days=found,
        definitions=_definitions(kept, first),
        levels=tuple(sorted((int(level), people) for level, people in kept.newest(Name.LEVELS).items())),
        players=kept.newest(Name.PLAYERS).get("", 0),
        computed_at=computed_at,
        missing=sum(day.computed_at is None for day in found),
        is_stale=computed_at is None or at - computed_at > FRESH,
    )


class _Kept:
    """The rows of some dates: by date and name, the values by label."""

    def __init__(self, first: date, last: date) -> None:
        self._values: dict[tuple[date, str], dict[str, int]] = {}
        self._computed: dict[date, datetime] = {}
        self._newest: dict[str, date] = {}
        rows = DailyFigure.objects.filter(date__range=(first, last)).order_by("date")
        for on, name, label, value, computed_at in rows.values_list("date", "name", "label", "value", "computed_at"):
            self._values.setdefault((on, name), {})[label] = value
            self._newest[name] = on
            if name == Name.ACTIVE:
                self._computed[on] = computed_at

    def of(self, on: date, name: Name) -> dict[str, int]:
        return self._values.get((on, name), {})

    def newest(self, name: Name) -> dict[str, int]:
        return self.of(self._newest[name], name) if name in self._newest else {}

    def day(self, on: date) -> Day:
        week = [sum(self.of(on - timedelta(days=ago), Name.UNLOCKS).values()) for ago in range(WEEK)]
        reads = self.of(on, Name.BOARD_READS)
        return Day(
            date=on,
            computed_at=self._computed.get(on),
            xp=self.of(on, Name.XP),
            bookings=self.of(on, Name.BOOKINGS),
            unlocks=week[0],
            unlocks_in_week=sum(week),
            hits=max(0, reads.get(HIT, 0)),
            misses=reads.get(MISS, 0),
            **{name: self.of(on, Name[name.upper()]).get("", 0) for name in PLAIN},
        )

    def unlocks_since(self, first: date) -> Counter[str]:
        """Return the unlocks of each definition from ``first`` on."""
        found: Counter[str] = Counter()
        for (on, name), values in self._values.items():
            if name == Name.UNLOCKS and on >= first:
                found.update(values)
        return found


#: Figures without labels, by their names on a day.
PLAIN = ("freezes", "active", "active_in_week", "on_week_streak", "board_readers")


def _definitions(kept: _Kept, first: date) -> tuple[Definition, ...]:
    """Return every definition in the catalogue's order."""
    unlocks, holders = kept.unlocks_since(first), kept.newest(Name.HOLDERS)
    players = kept.newest(Name.PLAYERS).get("", 0)
    rows = Achievement.objects.values_list("pk", "achievement_id", "name", "is_active")
    return tuple(
        Definition(pk, known_as, name, is_active, unlocks[known_as], has, _share(has, players))
        for pk, known_as, name, is_active in rows
        for has in (holders.get(known_as, 0),)
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

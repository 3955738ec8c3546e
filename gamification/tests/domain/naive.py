"""The rules of streaks once more, told as slowly as possible: every day of every run is walked through, every time.

It shares no line with ``gamification.domain``: where the two disagree, one of them has misread the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@cache
def is_on_the_calendar(day: date, zone: ZoneInfo) -> bool:
    """Look for an instant that shows ``day`` on the clocks of ``zone``, every half hour for two days around it."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return any((noon + timedelta(minutes=30 * n)).astimezone(zone).date() == day for n in range(-72, 73))


class Refused(Exception):
    """Freezing was refused; the text is the code."""


@dataclass
class Naive:
    """Somebody's streak: the days with what each came to, and the tokens."""

    zone: ZoneInfo
    tokens: int
    auto: bool = True
    tokens_max: int = 3
    every: int = 7
    excused: frozenset[date] = frozenset()
    days: dict[date, str] = field(default_factory=dict)
    last_at: datetime | None = None
    longest: int = 0

    # What can be seen

    def today(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    @property
    def last_row(self) -> date | None:
        return max((day for day, status in self.days.items() if status in ("active", "frozen")), default=None)

    @property
    def active_days(self) -> int:
        return sum(status == "active" for status in self.days.values())

    def nobody_can_miss(self, day: date) -> bool:
        return day in self.excused or not is_on_the_calendar(day, self.zone)

    def runs(self) -> list[int]:
        """Walk through every date from the first to the last and count the active ones of each unbroken run."""
        if not self.days:
            return []
        lengths, day, running = [], min(self.days), 0
        while day <= max(self.days):
            status = self.days.get(day)
            if status == "active":
                running += 1
            elif status is None and not self.nobody_can_miss(day):
                lengths.append(running)
                running = 0
            day += ONE_DAY
        return [length for length in [*lengths, running] if length]

    @property
    def stored_current(self) -> int:
        return self.runs()[-1] if self.days else 0

    def missed(self, before: date, at: datetime) -> list[date]:
        """Return the dates missed between the last row and ``before``: never more than 24-hour spans have gone by."""
        last_row, last_at = self.last_row, self.last_at
        if last_row is None or last_at is None:
            return []
        spans = 0
        while last_at + (spans + 1) * timedelta(hours=24) <= at:
            spans += 1
        missed, day = [], last_row + ONE_DAY
        while day < before:
            if not self.nobody_can_miss(day) and len(missed) < spans:
                missed.append(day)
            day += ONE_DAY
        return missed

    def is_broken(self, at: datetime) -> bool:
        return len(self.missed(self.today(at), at)) > (self.tokens if self.auto else 0)

    def read(self, at: datetime) -> tuple[int, int, int, str]:
        """Return current, longest, tokens and status as somebody sees them."""
        last_row, today = self.last_row, self.today(at)
        if last_row is None:
            return 0, self.longest, self.tokens, "none"
        if self.is_broken(at):
            return 0, self.longest, 0 if self.auto else self.tokens, "broken"
        if today <= last_row:
            status = "active" if self.days[last_row] == "active" else "frozen"
            return self.stored_current, self.longest, self.tokens, status
        covered = len(self.missed(today, at))
        return self.stored_current, self.longest, self.tokens - covered, "frozen" if covered else "at_risk"

    def first_broken_second(self) -> datetime | None:
        """Return the first whole second at which the streak reads as broken, found by halving."""
        if self.last_at is None:
            return None
        low, high = self.last_at, self.last_at + timedelta(days=20 + len(self.excused))
        while high - low > timedelta(seconds=1):
            middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
            low, high = (low, middle) if self.is_broken(middle) else (middle, high)
        return high

    # What can happen

    def act(self, at: datetime) -> list[str]:
        """Record an activity and return the transitions."""
        day, last_row = self.today(at), self.last_row
        steps: list[str] = []
        runs_before, current_before = self.runs(), self.stored_current
        was = self.days.get(day)
        if last_row is None:
            steps.append("started")
        elif day > last_row:
            steps += self._cross_the_gap(day, at)
        elif was == "active":
            steps.append("maintained")
        runs_crossed = self.runs() if steps[-1:] != ["started"] else runs_before
        self.days[day] = "active"
        if was == "frozen":
            self.tokens = min(self.tokens_max, self.tokens + 1)
        if was != "active":
            self._earn(runs_crossed)
        if not steps and self.stored_current > current_before:
            steps.append("increased")
        self.last_at = max(self.last_at or at, at)
        self.longest = max([self.longest, *self.runs()])
        return steps

    def _cross_the_gap(self, day: date, at: datetime) -> list[str]:
        """Freeze, skip or break on the way from the last row to ``day``."""
        missed = self.missed(day, at)
        usable = self.tokens if self.auto else 0
        frozen = missed[:usable]
        last_row = self.last_row
        assert last_row is not None
        between = last_row + ONE_DAY
        while between < day:
            if between in frozen:
                self.days[between] = "frozen"
                self.tokens -= 1
            elif between not in missed:
                self.days[between] = "skipped"
            between += ONE_DAY
        steps = ["frozen"] * len(frozen)
        return [*steps, "broken", "started"] if len(missed) > usable else [*steps, "increased"]

    def _earn(self, runs_before: list[int]) -> None:
        """Give a token for each multiple that some run has reached, and had not reached before."""
        if self.every:
            reached = [sum(run // self.every for run in runs) for runs in (runs_before, self.runs())]
            room = max(0, self.tokens_max - self.tokens)
            self.tokens += min(room, reached[1] - reached[0])

    def freeze(self, at: datetime) -> bool:
        """Freeze today and tell whether that was new."""
        today, last_row = self.today(at), self.last_row
        current, _, tokens, status = self.read(at)
        if status == "active":
            raise Refused("already_active_today")
        if not current or last_row is None:
            raise Refused("no_active_streak")
        if self.days.get(today) == "frozen" or today < last_row or today in self.excused:
            return False
        if tokens == 0:
            raise Refused("no_freezes_left")
        self._cross_the_gap(today, at)
        self.days[today] = "frozen"
        self.tokens -= 1
        return True

"""People who act at all hours in all zones while clocks jump, told to the services and to a naive telling of the rules.

The naive one shares no line with the app. It is told what was done, and here what the rules say about when that counts.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from django.contrib.auth import get_user_model

from gamification.exceptions import FutureEvent, GamificationError, TimezoneChangedRecently
from gamification.models import UserDay, UserStreak, XPTransaction
from gamification.services import activities, integrity, streaks
from gamification.services.activities import Event
from gamification.tests.domain.naive import Naive, Refused

#: Each with days near which its clocks do something unusual, or a date that it never had.
PLACES = {
    "UTC": "2028-02-20",
    "Europe/Berlin": "2026-03-20",
    "America/New_York": "2026-10-24",
    "America/St_Johns": "2026-03-01",
    "America/Santiago": "2026-03-28",
    "America/Havana": "2026-10-24",
    "Africa/Cairo": "2026-04-16",
    "Asia/Kathmandu": "2026-06-01",
    "Australia/Lord_Howe": "2026-03-28",
    "Pacific/Chatham": "2026-09-20",
    "Pacific/Apia": "2011-12-22",
    "Pacific/Kiritimati": "1994-12-24",
}
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOW, TOLERANCE = timedelta(days=7), timedelta(minutes=5)
LOOKS = (0, 9, 24, 48, 96, 240)


@dataclass
class Wanderer:
    """Somebody, and what a naive telling of the rules makes of the same life."""

    user: Any
    naive: Naive
    moved_at: datetime
    bonuses: dict[date, int] = field(default_factory=dict)

    def told(self, at: datetime, now: datetime) -> None:
        """Tell of an act: what is too old is left alone, and the first of a day that is not late pays."""
        if now - at > WINDOW:
            return
        naive, day = self.naive, self.naive.today(at)
        was, last_row = naive.days.get(day), naive.last_row
        naive.act(at)
        if was != "active" and (last_row is None or day >= last_row):
            self.bonuses[day] = min(50, 5 * naive.stored_current)


class Crowd:
    """Some wanderers who begin in one place; ``problems`` is in what the services and the naive telling differ."""

    def __init__(self, place: str, number: int, dice: random.Random) -> None:
        self._dice, self._keys = dice, 0
        self.acts, self.problems = 0, Counter[str]()
        self.now = datetime.fromisoformat(PLACES[place]).replace(tzinfo=UTC)
        model = get_user_model()
        names = [f"{place}-{one}-{dice.random()}" for one in range(number)]
        users = [model._default_manager.create(username=name) for name in names]
        self.people = {user.pk: Wanderer(user, Naive(ZoneInfo(place), 3), self.now) for user in users}
        for user in users:
            streaks.set_timezone(user, place, now=self.now)

    def live(self, rounds: int) -> None:
        """Let time go by and everybody act; every fifth round takes the time from the machine's clock."""
        for turn in range(rounds):
            self.now += self._dice.choice((MINUTE, 5 * HOUR, 11 * HOUR, 23 * HOUR, 24 * HOUR, 25 * HOUR, 50 * HOUR))
            if self._dice.random() < 0.1:
                self.now -= self._dice.choice((HOUR, DAY, 3 * DAY))  # somebody sets the clock back
            is_clock = turn % 5 == 0
            with time_machine.travel(self.now, tick=False) if is_clock else nullcontext():
                self._round(None if is_clock else self.now)
            self._compare_streaks()
        self._compare_lives()

    def _round(self, now: datetime | None) -> None:
        batch: list[tuple[Wanderer, Event]] = []
        for one in self.people.values():
            what = self._dice.random()
            if what < 0.04:
                self._move(one, now)
            elif what < 0.1:
                self._freeze(one, now)
            elif what < 0.12:
                self._act_in_the_future(one, now)
            batch += [(one, self._event(one)) for _ in range(self._dice.choice((0, 1, 1, 2, 4, 9)))]
        activities.record_many([event for _, event in batch], now=now)
        self.acts += len(batch)
        moments = [(min(event.occurred_at or self.now, self.now), one) for one, event in batch]
        for at, one in sorted(moments, key=lambda pair: pair[0]):
            one.told(at, self.now)

    def _event(self, one: Wanderer) -> Event:
        """Return an act now, a while ago, long ago, a little ahead of the clock, or around a midnight."""
        self._keys += 1
        dice, kind = self._dice, self._dice.choice(("daily_visit", "words_learned"))
        ago = dice.choice((timedelta(), dice.randrange(0, 86_400) * SECOND, dice.randrange(0, 9 * 86_400) * SECOND))
        at: datetime | None = self.now - ago
        if dice.random() < 0.2:
            midnight = datetime.combine(one.naive.today(self.now - ago), time.min, one.naive.zone).astimezone(UTC)
            at = min(midnight + dice.choice((-SECOND, timedelta(), SECOND)), self.now)
        elif dice.random() < 0.1:
            at = self.now + dice.randrange(0, 300) * SECOND
        return Event(one.user, kind, f"act-{self._keys}", occurred_at=at if dice.random() < 0.95 else None)

    def _move(self, one: Wanderer, now: datetime | None) -> None:
        place, is_staff = self._dice.choice(list(PLACES)), self._dice.random() < 0.5
        is_new, is_refused = ZoneInfo(place) != one.naive.zone, False
        try:
            streaks.set_timezone(one.user, place, now=now, by_staff=is_staff)
        except TimezoneChangedRecently:
            is_refused = True
        if is_refused != (is_new and not is_staff and self.now - one.moved_at < DAY):
            self.problems["a move was refused or not"] += 1
        if is_new and not is_refused:
            one.naive.zone, one.moved_at = ZoneInfo(place), self.now

    def _freeze(self, one: Wanderer, now: datetime | None) -> None:
        answers: list[Any] = []
        try:
            answers.append(not streaks.freeze(one.user, now=now).is_replay)
        except GamificationError as refused:
            answers.append(refused.code)
        try:
            answers.append(one.naive.freeze(self.now))
        except Refused as refused:
            answers.append(str(refused))
        self.problems["a freeze was answered otherwise"] += answers[0] != answers[1]

    def _act_in_the_future(self, one: Wanderer, now: datetime | None) -> None:
        self._keys += 1
        at = self.now + TOLERANCE + self._dice.randrange(1, 10**6) * SECOND
        with suppress(FutureEvent):
            activities.record(one.user, "daily_visit", key=f"future-{self._keys}", occurred_at=at, now=now)
            self.problems["an act of the future was taken"] += 1

    # Comparing

    def _compare_streaks(self) -> None:
        for row in UserStreak.objects.filter(user_id__in=self.people):
            naive = self.people[row.user_id].naive
            self._hold("current", row.current_streak, naive.stored_current)
            self._hold("longest", row.longest_streak, naive.longest)
            self._hold("freezes", row.streak_freezes_available, naive.tokens)
            self._hold("active days", row.total_active_days, naive.active_days)
            self._hold("last day and moment", (row.last_day, row.last_at), (naive.last_row, naive.last_at))
            self.problems["negative length"] += not 0 <= row.current_streak <= row.longest_streak
        one = self._dice.choice(list(self.people.values()))
        for hours in LOOKS:
            seen = streaks.status(one.user, now=self.now + hours * HOUR)
            told = (seen.current, seen.longest, seen.freezes, seen.status)
            self._hold("what is read", told, one.naive.read(self.now + hours * HOUR))

    def _compare_lives(self) -> None:
        for pk, one in self.people.items():
            rows = dict(UserDay.objects.filter(user_id=pk).values_list("date", "status"))
            for status in ("active", "frozen"):
                found = [{on for on, was in days.items() if was == status} for days in (rows, one.naive.days)]
                self._hold(f"{status} days", *found)
            row = UserStreak.objects.get(user_id=pk)
            self._hold("end", row.expires_at, one.naive.first_broken_second())
            self.problems["double day"] += row.total_active_days != sum(was == "active" for was in rows.values())
            paid = XPTransaction.objects.filter(user_id=pk, source="streak").values_list("earned_on", "xp_amount")
            self.problems["double day"] += len(paid) != len({on for on, _ in paid})
            self._hold("bonuses", dict(paid), one.bonuses)
        drifts = integrity.verify(users=[one.user for one in self.people.values()], now=self.now)
        self.problems["drift"] += len(list(drifts))

    def _hold(self, what: str, stored: object, told: object) -> None:
        self.problems[what] += stored != told


def crowds(*, number: int, dice: random.Random) -> Iterator[Crowd]:
    """Yield so many people in each place."""
    for place in PLACES:
        yield Crowd(place, number, dice)

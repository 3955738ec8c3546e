"""What the people of the demo site did, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from gamification.management.demo.people import Person

SATURDAY = 5
MINUTE = timedelta(minutes=1)
PAUSE = 7 * MINUTE


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did; the fields are those of an event."""

    at: datetime
    kind: str
    key: str
    quantity: int = 1
    data: dict[str, Any] | None = None


def entries(person: Person, now: datetime, random: Random) -> Iterator[Entry]:
    """Yield what ``person`` did up to ``now``, in order of time."""
    zone = ZoneInfo(person.zone)
    today = now.astimezone(zone).date()
    for days_ago in range(person.first, person.last - 1, -1):
        day = today - timedelta(days=days_ago)
        chance = person.weekend if day.weekday() >= SATURDAY else person.weekday
        hours = min(23.5, max(0.2, random.gauss(person.hour, 1)))
        if random.random() >= chance or days_ago in person.missed:
            continue
        begins = datetime.combine(day, time(), zone).astimezone(UTC) + timedelta(hours=hours)
        if days_ago == 0:
            begins = min(begins, now - random.randint(20, 45) * MINUTE)
        for number in range(random.choice((1, 1, 1, 1, 2))):
            at = begins + number * PAUSE
            if at.astimezone(zone).date() == day:  # not so when it has only just become today: they will come yet
                yield _entry(at, f"demo:{day}:{number}", person, person.first - days_ago, random)


def _entry(at: datetime, key: str, person: Person, experience: int, random: Random) -> Entry:
    """Return something to do; ``experience`` is the days since they joined."""
    kind = random.choices(
        ("scenario_completed", "words_learned", "conversation_completed", "study_session", "daily_visit"),
        (40, 25, 15, 15, 5),
    )[0]
    if kind == "words_learned":
        return Entry(at, kind, key, quantity=random.randint(3, 25))
    if kind == "daily_visit":
        return Entry(at, kind, key)
    data: dict[str, Any] = {"minutes": random.randint(5, 50)}
    if kind == "scenario_completed":
        levels = ("beginner", "intermediate", "advanced")
        data["difficulty"] = levels[min(2, random.randint(0, experience) // 30)]
        data["perfect"] = random.random() < 0.2
        data["language"] = random.choice(person.languages)
    return Entry(at, kind, key, data=data)

"""Who lives on the demo site: names, zones, and how each of them practises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice, product
from random import Random

ADMIN, STAFF, LEARNER, NEWCOMER = "admin", "staff", "ada", "newcomer"

ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Lagos",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
LANGUAGES = ("es", "fr", "de", "it", "pt", "ja", "ko", "sv")
FIRST_NAMES = (
    "aiko amara amir anja anouk arjun astrid beatriz bjorn bruno camila carlos chidi chloe dario diego dina ebba elif "
    "emeka emil esme fatima felix freya gael greta hana hugo ida imani ines isak ivy jamal jana joao jonas juno kaia "
    "karim kenji kira kofi lars layla leila leo lina luca lucia maeve malik mara marco mateo maya mei milan mina mira "
    "nadia nala naoki nia nico nils nina noor nuno olga omar oskar otto paula pedro petra priya rafael ravi rosa ruben "
    "sami sana selma sofia soren tariq tessa theo tomas uma vera viktor wei yara yuki yusuf zara zoe"
)
HANDLES = ("", "_reads", "_speaks", ".learns", "_abroad", "42", "_in_town", ".b")


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody practises. ``joined`` and ``stopped`` are ranges of days ago; chances are per day, from 0 to 1."""

    share: int
    joined: tuple[int, int]
    stopped: tuple[int, int]
    weekday: float
    weekend: float


HABITS = (
    Habit(share=6, joined=(40, 180), stopped=(0, 0), weekday=0.97, weekend=0.94),  # every day, nearly
    Habit(share=20, joined=(15, 150), stopped=(0, 0), weekday=0.5, weekend=0.25),  # most weeks
    Habit(share=15, joined=(20, 150), stopped=(0, 0), weekday=0.04, weekend=0.8),  # at the weekend
    Habit(share=30, joined=(70, 180), stopped=(10, 69), weekday=0.25, weekend=0.2),  # until they lost interest
    Habit(share=14, joined=(30, 180), stopped=(0, 0), weekday=0.08, weekend=0.1),  # now and then
    Habit(share=15, joined=(0, 6), stopped=(0, 0), weekday=0.8, weekend=0.8),  # since this week
)

#: The first to join, so that everything there is to see is there: first and last day, in days ago, without a gap.
CHARACTERS = (
    (131, 0),  # a streak of more than 100 days
    (108, 0),
    (58, 0),  # more than 30
    (44, 0),
    (33, 0),
    (9, 0),
    (24, 1),  # not yet today: at risk
    (12, 1),  # the same, and freezes the day on request
    (18, 3),  # covered by freezes for two days
    (80, 21),  # a long streak that was lost
)
FREEZES_TODAY = 7
#: A streak was lost long ago; since then freezes have covered two days.
LEARNER_MISSED = (78, 77, 76, 75, 74, 73, 72, 71, 70, 41, 12)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the site. ``first`` and ``last`` are days ago; ``hour`` is when they usually practise, locally.

    ``missed`` are days ago, too: the chances do not hold on them.
    """

    name: str
    zone: str
    hour: float
    languages: tuple[str, ...]
    first: int
    last: int
    weekday: float = 1.0
    weekend: float = 1.0
    missed: tuple[int, ...] = ()


def names() -> Iterator[str]:
    """Yield names without end, no two alike."""
    yield from (name + handle for handle, name in product(HANDLES, FIRST_NAMES.split()))
    yield from (f"guest{number}" for number in count(1))


def learner() -> Person:
    """Return the one whose dashboard has everything."""
    return Person(LEARNER, "Europe/Berlin", 19, ("es", "fr", "ja"), 175, 0, missed=LEARNER_MISSED)


def everybody(number: int, random: Random) -> list[Person]:
    """Return ``number`` people."""
    return [_person(index, name, random) for index, name in enumerate(islice(names(), number))]


def _person(index: int, name: str, random: Random) -> Person:
    zone, hour = random.choice(ZONES), random.choice((6.5, 8, 12.5, 18, 19.5, 21, 22.5))
    languages = tuple(random.sample(LANGUAGES, random.choice((1, 1, 1, 2, 3))))
    if index < len(CHARACTERS):
        first, last = CHARACTERS[index]
        return Person(name, zone, hour, languages, first, last)
    habit = random.choices(HABITS, [habit.share for habit in HABITS])[0]
    first, last = random.randint(*habit.joined), random.randint(*habit.stopped)
    return Person(name, zone, hour, languages, first, last, habit.weekday, habit.weekend)

"""People who farm: each a seeded random walk of somebody who wants days and XP and may call all that a user may.

They report what they did under new and old keys, with made-up moments and quantities, change their zone as often as
they may, freeze, visit and check. They wait until the next midnight of some zone, until the zone may be changed again,
or some seconds. At the end the life is held against what the limits allow, and against somebody honest who stays where
they are and whose midnight falls right.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model

from gamification.exceptions import GamificationError
from gamification.models import Achievement, Activity, UserCounter, UserStreak, XPTransaction
from gamification.models.xp import Source
from gamification.services import achievements, activities, integrity, privacy, streaks
from gamification.services.activities import Event

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
#: A person may say that something happened five minutes ago.
BACKDATED = timedelta(minutes=5)
ACTS_OF_A_LIFE = 40
ZONES = (
    "Etc/GMT+12",
    "Pacific/Pago_Pago",
    "Pacific/Honolulu",
    "America/Los_Angeles",
    "America/St_Johns",
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
LIMITED: dict[str, dict[str, Any]] = {
    "commit": {"xp": 10, "counters": {"commits": 1}, "max_xp_per_event": 40, "max_xp_per_day": 95},
    "review": {"xp": 7, "counters": {"reviews": 1}, "max_events_per_day": 5, "cooldown_seconds": 120},
}
SETTINGS = {"ACTIVITY_TYPES": LIMITED, "SELF_REPORTED_KINDS": [*LIMITED, "words_learned"]}
SHIFTS = (0, 0, 0, -299, -300, -301, -86_400, 299, 300, 301, 86_400)


@dataclass(slots=True)
class Life:
    """What one life came to; ``broken`` tells in words what it gained too much."""

    acts: int = 0
    days_gained: int = 0
    most_xp: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def live(seed: int) -> Life:
    """Live a life and return what came of it."""
    dice, life = random.Random(seed), Life()
    model = get_user_model()
    user: Any = model._default_manager.create(**{model.USERNAME_FIELD: f"farmer-{seed}"})
    now = START + timedelta(seconds=dice.randrange(86_400))
    for _ in range(ACTS_OF_A_LIFE):
        life.acts += 1
        try:
            _act(user, now, dice)
        except GamificationError as error:
            life.refused[error.code] += 1
        now = _wait(user, now, dice)
    _judge(user, life, now)
    return life


def _act(user: Any, now: datetime, dice: random.Random) -> None:
    choice = dice.random()
    if choice < 0.3:
        streaks.touch(user, now=now)
    elif choice < 0.6:
        streaks.set_timezone(user, dice.choice(ZONES), now=now, by_staff=False)
        streaks.touch(user, now=now)
    elif choice < 0.85:
        event = _event(user, now, dice)
        given = {name: getattr(event, name) for name in ("key", "quantity", "data", "occurred_at")}
        activities.record(user, event.kind, now=now, trusted=False, **given)
    elif choice < 0.9:
        activities.record_many([_event(user, now, dice) for _ in range(5)], now=now, trusted=False)
    elif choice < 0.95:
        streaks.freeze(user, now=now)
    else:
        achievements.check(user, now=now)
        privacy.set_visibility(user, visible=dice.random() < 0.5)


def _event(user: Any, now: datetime, dice: random.Random) -> Event:
    """Return something that is reported, under a key that may have been used, at a moment that may be made up."""
    shift = dice.choice(SHIFTS)
    return Event(
        user,
        dice.choice([*LIMITED, "words_learned"]),
        key=f"{dice.randrange(30)}",
        quantity=dice.choice([1, 1, 3, 10_000]),
        occurred_at=now + timedelta(seconds=shift) if shift else None,
    )


def _wait(user: Any, now: datetime, dice: random.Random) -> datetime:
    """Return when the next act is: soon, past a midnight somewhere, or once the zone may be changed again."""
    choice = dice.random()
    if choice < 0.4:
        return now + timedelta(seconds=dice.choice([0, 1, 60, 119, 120, 121, 3600]))
    if choice < 0.7:
        local = now.astimezone(ZoneInfo(dice.choice([streaks.timezone(user), *ZONES])))
        midnight = (local + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(now, midnight.astimezone(UTC) + timedelta(seconds=dice.choice([-1, 0, 1])))
    changed_at = UserStreak.objects.filter(user=user).values_list("timezone_changed_at", flat=True).first()
    return max(now, (changed_at or now) + DAY)


def _judge(user: Any, life: Life, now: datetime) -> None:
    log = list(Activity.objects.filter(user=user).order_by("occurred_at"))
    streak = UserStreak.objects.filter(user=user).first()
    if streak is None or not log:
        return
    # So long a time touches so many dates in one zone, where its midnight falls right.
    honest = (log[-1].occurred_at - log[0].occurred_at + BACKDATED) // DAY + 2
    life.days_gained = max(streak.total_active_days, streak.longest_streak) - honest
    if life.days_gained > 1:
        life.broken.append(f"{user}: {streak.total_active_days} days in the time of {honest}")
    if not 0 <= streak.streak_freezes_available <= 3:
        life.broken.append(f"{user}: {streak.streak_freezes_available} freezes")
    life.broken += [f"{user}: {text}" for text in (*_over_limits(user, log, life), *_over_rewards(user, log))]
    life.broken += [f"{user}: {drift}" for drift in integrity.verify(users=[user], now=now)]


def _over_limits(user: Any, log: Sequence[Activity], life: Life) -> Iterator[str]:
    """Yield where more was paid or counted than the limits of a kind allow."""
    paid: Counter[tuple[str, Any]] = Counter()
    rows = XPTransaction.objects.filter(user=user, source=Source.ACTIVITY)
    for kind, on, xp in rows.values_list("reason", "earned_on", "xp_amount"):
        paid[kind, on] += xp
        if kind == "commit" and xp > LIMITED[kind]["max_xp_per_event"]:
            yield f"{xp} XP at once"
    capped = [xp for (kind, _), xp in paid.items() if kind == "commit"]
    life.most_xp = max(capped, default=0)
    if life.most_xp > LIMITED["commit"]["max_xp_per_day"]:
        yield f"{life.most_xp} XP on a day"
    reviews = [row for row in log if row.kind == "review" and row.counters]
    if max(Counter(row.local_date for row in reviews).values(), default=0) > LIMITED["review"]["max_events_per_day"]:
        yield "too many reviews on a day"
    rest = timedelta(seconds=LIMITED["review"]["cooldown_seconds"])
    if any(after.occurred_at - before.occurred_at < rest for before, after in pairwise(reviews)):
        yield "reviews that follow too soon"
    counted = sum(row.quantity for row in reviews)
    if dict(UserCounter.objects.filter(user=user).values_list("name", "value")).get("reviews", 0) != counted:
        yield "reviews that nothing stands behind"


def _over_rewards(user: Any, log: Sequence[Activity]) -> Iterator[str]:
    """Yield what was paid twice: a date's bonus, an achievement, or a key."""
    ledger = XPTransaction.objects.filter(user=user)
    bonuses = list(ledger.filter(source=Source.STREAK).values_list("earned_on", "xp_amount"))
    if len(bonuses) > len({on for on, _ in bonuses}) or any(not 0 < xp <= 50 for _, xp in bonuses):
        yield "a bonus twice, or one too high"
    rewards = list(ledger.filter(source=Source.ACHIEVEMENT).values_list("reference_id", "xp_amount"))
    known = dict(Achievement.objects.values_list("achievement_id", "xp_reward"))
    if len(dict(rewards)) < len(rewards) or any(known[name] != xp for name, xp in rewards):
        yield "an achievement paid twice"
    if len({row.key for row in log}) < len(log):
        yield "a key that counted twice"

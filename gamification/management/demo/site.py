"""Fill an empty site: every person, day and award goes through the services, as on a real one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import models, transaction
from django.utils.crypto import get_random_string

from gamification.engine import accounts
from gamification.management.demo import diary, people
from gamification.management.demo.people import ADMIN, LEARNER, NEWCOMER, STAFF, Person
from gamification.services import achievements, activities, figures, leaderboards, privacy, profiles, streaks, xp
from gamification.services.activities import Event

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

SEED = "practice"
PASSWORD_LENGTH = 12
#: One in so many opted out of the boards; one in so many is banned.
HIDDEN_EVERY, BANNED_EVERY = 17, 83
STAFF_MAY = ("award_xp", "reverse_xp", "grant_achievement", "view_user")
AWARDS = (
    (2, 150, "Won the monthly contest"),
    (4, 75, "Helped others in the forum"),
    (11, 300, "Found a mistake in a lesson"),
    (12, 50, "Answered the survey"),
    (14, 500, "Translated a lesson"),
)
MISTAKEN = "Translated a lesson"
GRANTED = 5
SHOWN = 3
HOUR = timedelta(hours=1)
LATELY = timedelta(days=14)
#: How many hours ago each slot ends.
SLOTS = (24 * 90, 24 * 30, 24 * 7, 24 * 3, 48, 24, 12, 0)


class UserModelError(Exception):
    """The project's user model does not allow the names that the demo gives."""


@dataclass(frozen=True, slots=True)
class Login:
    """An account that can sign in."""

    name: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class Site:
    """What was made."""

    logins: tuple[Login, ...]
    people: int
    activities: int


def build(number: int, *, now: datetime, progress: Callable[[str, int, int | None], None]) -> Site:
    """Make ``number`` people with months behind them, up to ``now``, and the accounts to look at them with.

    The same day makes the same people. It is all or nothing.

    Raises:
        UserModelError: the project's users cannot be named like that.
    """
    random = Random(f"{SEED}:{now.date()}")  # noqa: S311 -- invented people, no secrets
    with transaction.atomic():
        achievements.initialize()
        cast = [people.learner(), *people.everybody(number, random)]
        users = _make_users([ADMIN, STAFF, LEARNER, NEWCOMER, *(person.name for person in cast[1:])])
        logins = tuple(_logins(users))
        events = sorted(_events(cast, users, now, random), key=_moment)
        for done in _record(events, users[LEARNER], now):
            progress("Living", done, len(events))
        _decide(cast, users, now)
    leaderboards.refresh(now=now)
    figures.refresh(now=now)
    return Site(logins, len(users), len(events))


def _make_users(handles: list[str]) -> dict[str, Any]:
    """Make users in the order of ``handles`` and return them by handle; none can sign in yet."""
    is_email = isinstance(accounts.name_field(), models.EmailField)
    names = {handle: f"{handle}@example.com" if is_email else handle for handle in handles}
    ids, refused = accounts.make(names.values())
    for name, error in refused.items():
        raise UserModelError(f"The project's users cannot be named {name}: {error.message}")
    users = get_user_model()._default_manager.in_bulk(ids.values())
    return {handle: users[ids[name]] for handle, name in names.items()}


def _logins(users: dict[str, Any]) -> Iterator[Login]:
    """Let four people sign in, and say with what."""
    for handle, flags, role in (
        (ADMIN, ("is_staff", "is_superuser"), "superuser: the admin, everything in it, and the API"),
        (STAFF, ("is_staff",), "staff: sees the app in the admin, awards XP, grants achievements"),
        (LEARNER, (), "a learner with months behind her and a full dashboard"),
        (NEWCOMER, (), "a learner who has not done anything yet"),
    ):
        user, password = users[handle], get_random_string(PASSWORD_LENGTH)
        for flag in flags:
            setattr(user, flag, True)
        user.set_password(password)
        user.save()
        yield Login(user.get_username(), password, role)
    if hasattr(users[STAFF], "user_permissions"):
        may_see = models.Q(content_type__app_label="gamification", codename__startswith="view_")
        users[STAFF].user_permissions.set(Permission.objects.filter(may_see | models.Q(codename__in=STAFF_MAY)))


def _events(cast: list[Person], users: dict[str, Any], now: datetime, random: Random) -> Iterator[Event]:
    for person in cast:
        for entry in diary.entries(person, now, random):
            yield Event(
                users[person.name], entry.kind, entry.key, entry.quantity, entry.data, entry.at, timezone=person.zone
            )


def _moment(event: Event) -> datetime:
    return event.occurred_at or datetime.max.replace(tzinfo=UTC)


def _record(events: list[Event], learner: AbstractBaseUser, now: datetime) -> Iterator[int]:
    """Record ``events`` a slot at a time, each at its end, and yield how many are in.

    A slot is booked at one moment: they are long where nobody looks any more, and short towards ``now``. What the
    learner did lately is booked one by one, when it happened.
    """
    lately = [event for event in events if event.user == learner and _moment(event) > now - LATELY]
    others = [event for event in events if event.user != learner or _moment(event) <= now - LATELY]
    done = 0
    for hours in SLOTS:
        end = now - timedelta(hours=hours)
        upto = bisect_right(others, end, lo=done, key=_moment)
        activities.record_many(others[done:upto], now=end, backdate_limit=False)
        done = upto
        yield done
    for event in lately:
        activities.record(
            learner,
            event.kind,
            key=event.key,
            quantity=event.quantity,
            data=event.data,
            occurred_at=event.occurred_at,
            timezone=event.timezone,
            now=event.occurred_at,
        )
    yield len(events)


def _decide(cast: list[Person], users: dict[str, Any], now: datetime) -> None:
    """Add what people decide: a freeze, staff's awards and a mistake, a public profile, who is hidden or banned."""
    staff = users[STAFF]
    streaks.freeze(users[cast[1 + people.FREEZES_TODAY].name], now=now)
    for index, (days_ago, amount, reason) in enumerate(AWARDS):
        at = now - timedelta(days=days_ago, hours=index)
        award = xp.award(users[cast[index].name], amount, reason=reason, key=f"demo:{index}", actor=staff, now=at)
        if reason == MISTAKEN:
            xp.reverse(award.transaction, reason="Entered for the wrong person", actor=staff, now=at + HOUR)
    achievements.unlock(users[cast[GRANTED].name], "polyglot", actor=staff, reason="Hosts a table in each", now=now)
    rarest = sorted(achievements.for_user(users[LEARNER]), key=lambda state: -state.achievement.xp_reward)[:SHOWN]
    profiles.share(users[LEARNER], is_public=True, showcase=[state.achievement.achievement_id for state in rarest])
    for index, person in enumerate(cast[len(people.CHARACTERS) + 1 :], start=1):
        if index % HIDDEN_EVERY == 0:
            privacy.set_visibility(users[person.name], visible=False)
        if index % BANNED_EVERY == 0:
            _ban(users[person.name])


def _ban(user: AbstractBaseUser) -> None:
    user.is_active = False
    user.save()

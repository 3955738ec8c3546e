"""Moments, what all tables hold, and what was announced."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps

from gamification import models, signals
from gamification.models.xp import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.contrib.auth.models import AbstractBaseUser

SIGNALS = {
    "activity_recorded": signals.activity_recorded,
    "activity_voided": signals.activity_voided,
    "xp_awarded": signals.xp_awarded,
    "level_up": signals.level_up,
    "achievement_unlocked": signals.achievement_unlocked,
    "achievement_revoked": signals.achievement_revoked,
    "streak_changed": signals.streak_changed,
    "freeze_used": signals.freeze_used,
}
#: Columns that say nothing about what happened: whose row it is (the hash holds that too), how often it was written.
INCIDENTAL = {"id", "user", "version", "content_hash"}
OF_USERS = (
    models.Activity,
    models.XPTransaction,
    models.UserDay,
    models.UserCounter,
    models.UserAchievement,
    models.UserStreak,
    models.UserXP,
)


def at(text: str) -> datetime:
    """Return a moment, in UTC unless the text has an offset."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def noon(day: str | int) -> datetime:
    """Return noon in UTC of a date, or of a day of June 2026."""
    return at(f"{day}T12:00") if isinstance(day, str) else datetime(2026, 6, day, 12, tzinfo=UTC)


def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table of the app."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("gamification").get_models()
    }


def state_of(user: AbstractBaseUser) -> dict[str, list[dict[str, Any]]]:
    """Return what is kept about ``user``, told in the same words whoever it is and whenever it was written."""
    return {model.__name__: sorted(_rows(model, user), key=str) for model in OF_USERS}


def _rows(model: Any, user: AbstractBaseUser) -> Iterator[dict[str, Any]]:
    activities = {str(pk): key for pk, key in models.Activity.objects.filter(user_id=user.pk).values_list("pk", "key")}
    for row in model._default_manager.filter(user_id=user.pk):
        told = {column.name: column.value_from_object(row) for column in model._meta.concrete_fields}
        if model is models.XPTransaction and row.source == Source.ACTIVITY:
            told["key"] = activities[row.key]
        yield {name: value for name, value in told.items() if name not in INCIDENTAL}


class Heard(list[tuple[str, dict[str, Any]]]):
    """What was announced, in order: the signal's name and its arguments."""

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [arguments for heard, arguments in self if heard == name]


@contextmanager
def listening(names: Sequence[str] = tuple(SIGNALS)) -> Iterator[Heard]:
    """Listen to the app's signals."""
    heard = Heard()
    receivers = []
    for name in names:

        def receiver(sender: Any, *, heard_as: str = name, **arguments: Any) -> None:
            arguments.pop("signal")
            heard.append((heard_as, {"sender": sender, **arguments}))

        SIGNALS[name].connect(receiver)
        receivers.append((name, receiver))
    try:
        yield heard
    finally:
        for name, receiver in receivers:
            SIGNALS[name].disconnect(receiver)

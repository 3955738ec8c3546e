"""How much room people and what they do take, indexes included and without the slack of updates."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, models

from benchmarks.harness import Measurement
from benchmarks.record import PAST_DAYS, seed
from gamification.models import Activity, UserAchievement, UserCounter, UserDay, UserStreak, UserXP, XPTransaction

DATABASES = ("postgresql",)
PER_USER = (UserStreak, UserXP, UserCounter, UserAchievement)
PER_ACTIVITY = (Activity, XPTransaction)


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    people = len(seed(100 if is_quick else 2000))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL")
    yield _row("bytes of a person", sum(map(_bytes, PER_USER)) / people, PER_USER)
    yield _row("bytes of an activity", sum(map(_bytes, PER_ACTIVITY)) / people / (PAST_DAYS + 1), PER_ACTIVITY)
    yield _row("bytes of an active day", _bytes(UserDay) / people / (PAST_DAYS + 1), (UserDay,))


def _bytes(model: type[models.Model]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [model._meta.db_table])
        (size,) = cursor.fetchone()
        return int(size)


def _row(work: str, size: float, tables: tuple[type[models.Model], ...]) -> Measurement:
    names = ", ".join(str(model._meta.verbose_name_plural) for model in tables)
    return Measurement(work, "postgresql", round(size), round(size), round(size), note=names)

"""What is kept of some users, in one statement: a row for each, with its parts as JSON.

The ORM would take a query for each table, and longer to build one than the database takes to answer all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.utils import DEFAULT_DB_ALIAS

from gamification.engine.sql.cursors import connection, cursor
from gamification.engine.sql.values import Convert, from_json, reader, to_date, writer
from gamification.models import (
    Achievement,
    Activity,
    ExcusedDate,
    UserAchievement,
    UserCounter,
    UserDay,
    UserStreak,
    UserXP,
    WebhookEndpoint,
)

#: The functions that make a list, a list of lists and an object of pairs.
JSON_FUNCTIONS = {
    "sqlite": {"rows": "json_group_array", "row": "json_array", "pairs": "json_group_object"},
    "postgresql": {"rows": "json_agg", "row": "json_build_array", "pairs": "json_object_agg"},
}
STATEMENT = """
SELECT {streak}, {xp},
    (SELECT {pairs}(c.name, c.value) FROM {counters} c WHERE c.user_id = s.user_id),
    (SELECT {pairs}(u.achievement_id, {row}(u.progress, u.grants, u.unlocked_at IS NULL AND u.revoked_at IS NULL))
        FROM {unlocks} u WHERE u.user_id = s.user_id),
    (SELECT {rows}({row}({day})) FROM {days} d WHERE d.user_id = s.user_id
        AND d.date >= CASE WHEN s.last_day < %s THEN s.last_day ELSE %s END),
    (SELECT a.id FROM {activities} a WHERE a.user_id = s.user_id AND a.key = %s),
    (SELECT {row}(count(*), sum(revision)) FROM {definitions}),
    (SELECT {rows}(e.date) FROM {excused} e WHERE e.undone_at IS NULL),
    (SELECT {rows}({row}(w.id, w.event_types)) FROM {endpoints} w WHERE w.is_active)
FROM {streaks} s LEFT JOIN {totals} x ON x.user_id = s.user_id
WHERE s.user_id IN ({users})
"""


#: Ids of the active webhook endpoints, each with the types of events that it asks for.
Endpoints = tuple[tuple[int, frozenset[str]], ...]

DATE = [field.attname for field in UserDay._meta.concrete_fields].index("date")


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of one user.

    ``xp`` is None where there is no total yet. ``open`` maps achievements that are neither unlocked nor revoked to
    their progress and grants, ``closed`` names the others. ``days`` are those from the last day with a status on, or
    from the date that was asked for if that is earlier (``days_since``), for :func:`day_of`. ``recorded_as`` is the id
    of the activity under the key that was asked for. ``endpoints`` are the webhooks in force, the same for everybody.
    """

    streak: UserStreak
    xp: UserXP | None
    counters: dict[str, int]
    open: dict[str, tuple[int, int]]
    closed: set[str]
    days: dict[date, Sequence[Any]]
    days_since: date
    recorded_as: int | None
    endpoints: Endpoints


@dataclass(frozen=True, slots=True)
class Site:
    """What the same reading says of the site: number and sum of revisions of the definitions, the excused dates."""

    rules_stamp: tuple[int, int]
    excused: frozenset[date]


def read(
    ids: Sequence[Any], since: date, key: str = "", using: str = DEFAULT_DB_ALIAS
) -> tuple[dict[Any, Found], Site | None]:
    """Return what there is of the users with these ids, by id, and of the site; None where nobody is found."""
    first = since.isoformat()
    with cursor(using) as opened:
        vendor = opened.db.vendor
        convert = writer(UserStreak._meta.pk, vendor)
        opened.execute(_text(len(ids), vendor), [first, first, key, *(map(convert, ids) if convert else ids)])
        rows = opened.fetchall()
    if not rows:
        return {}, None
    stamp, excused, listening = map(from_json, rows[0][-3:])
    endpoints = tuple((pk, frozenset(from_json(types))) for pk, types in listening or ())
    found = (_found(row, since, vendor, endpoints) for row in rows)
    site = Site(tuple(stamp), frozenset(to_date(on) for on in excused or ()))
    return {each.streak.user_id: each for each in found}, site


def day_of(values: Sequence[Any]) -> UserDay:
    """Return the row of a day that was found."""
    day: UserDay = _instance(UserDay, values, connection().vendor)
    return day


def hold(ids: Sequence[Any]) -> Callable[[], set[Any]]:
    """Lock the users with these ids that have a streak, in order of id, until the transaction ends.

    What is returned tells which of them are locked, and waits for the answer: between the lock and a later statement
    somebody else's new row can become visible, which nobody has locked. SQLite has one writer at a time, who holds
    everything.
    """
    if not connection().features.has_select_for_update:
        return lambda: set(ids)
    marks = ", ".join(["%s"] * len(ids))
    text = f"SELECT user_id FROM {_table(UserStreak)} WHERE user_id IN ({marks}) ORDER BY user_id FOR UPDATE"  # noqa: S608
    opened = cursor()
    opened.execute(text, ids)
    convert = reader(UserStreak._meta.pk, opened.db.vendor)

    def held() -> set[Any]:
        with opened:
            return {convert(pk) if convert else pk for (pk,) in opened.fetchall()}

    return held


def _found(row: Sequence[Any], since: date, vendor: str, endpoints: Endpoints) -> Found:
    streaks, totals = _fields(UserStreak), _fields(UserXP)
    streak = _instance(UserStreak, row[: len(streaks)], vendor)
    total = row[len(streaks) : len(streaks) + len(totals)]
    counters, unlocks, days = map(from_json, row[len(streaks) + len(totals) : -4])
    unlocks = unlocks or {}
    return Found(
        streak=streak,
        xp=None if total[0] is None else _instance(UserXP, total, vendor),
        counters=counters or {},
        open={name: (progress, grants) for name, (progress, grants, is_open) in unlocks.items() if is_open},
        closed={name for name, (_, _, is_open) in unlocks.items() if not is_open},
        days={to_date(values[DATE]): values for values in days or ()},
        days_since=min(since, streak.last_day or since),
        recorded_as=row[-4],
        endpoints=endpoints,
    )


def _instance(model: Any, values: Iterable[Any], vendor: str) -> Any:
    converted = [
        value if convert is None or value is None else convert(value)
        for value, convert in zip(values, _readers(model, vendor), strict=True)
    ]
    return model.from_db(DEFAULT_DB_ALIAS, _fields(model), converted)


@lru_cache(maxsize=128)
def _text(number: int, vendor: str) -> str:
    return STATEMENT.format(
        **JSON_FUNCTIONS[vendor],
        streak=", ".join(f's."{name}"' for name in _columns(UserStreak)),
        xp=", ".join(f'x."{name}"' for name in _columns(UserXP)),
        day=", ".join(f'd."{name}"' for name in _columns(UserDay)),
        streaks=_table(UserStreak),
        totals=_table(UserXP),
        counters=_table(UserCounter),
        unlocks=_table(UserAchievement),
        days=_table(UserDay),
        activities=_table(Activity),
        definitions=_table(Achievement),
        excused=_table(ExcusedDate),
        endpoints=_table(WebhookEndpoint),
        users=", ".join(["%s"] * number),
    )


def _table(model: type[models.Model]) -> str:
    return f'"{model._meta.db_table}"'


@lru_cache(maxsize=16)
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(str(field.column) for field in model._meta.concrete_fields)


@lru_cache(maxsize=16)
def _fields(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


@lru_cache(maxsize=16)
def _readers(model: type[models.Model], vendor: str) -> tuple[Convert | None, ...]:
    return tuple(reader(field, vendor) for field in model._meta.concrete_fields)

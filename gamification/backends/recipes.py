"""Querysets that are asked for all the time, turned into SQL once: making the text takes longer than most answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import IntegerField, UUIDField

from gamification.models import UserXP

if TYPE_CHECKING:
    from django.db.models import QuerySet

REMEMBERED = 256


class Mark(Enum):
    """What stands for a value while the text is made: nobody's score or id, and in the range of every column."""

    SCORE = 2_100_000_001
    STEP = 2_100_000_002
    USER = 2_100_000_003
    NOW = datetime(1971, 2, 3, 4, 5, 6, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recipe:
    """SQL with its parameters, of which some are marks, and by column what makes Python's values of the database's."""

    text: str
    parameters: tuple[Any, ...]
    converters: tuple[Any, ...] = ()


_remembered: dict[Hashable, Recipe] = {}


def rows(
    key: Hashable, make: Callable[[], Sequence[QuerySet[Any, Any]]], values: Mapping[Mark, Any]
) -> list[tuple[Any, int]]:
    """Return (user id, score) of each row that the querysets of ``make`` have, in any order, in one round trip.

    ``make`` builds its querysets with :func:`mark`; ``key`` names what it makes, None to make it each time.
    """
    to_key = get_user_model()._meta.pk.to_python
    found = _run(key, make, "SELECT user_id, score FROM ({text}) AS part_{number}", values)
    return [(to_key(pk), int(score)) for pk, score in found]


def count(key: Hashable, make: Callable[[], QuerySet[Any, Any]], values: Mapping[Mark, Any]) -> tuple[int, int | None]:
    """Return how many rows there are and the least score among them, None among none."""
    (found,) = _run(key, lambda: [make()], "SELECT COUNT(*), MIN(score) FROM ({text}) AS found", values)
    return int(found[0]), None if found[1] is None else int(found[1])


def mark(which: Mark) -> Any:
    """Return what stands for a value in a queryset."""
    return some_ids(1)[0] if which is Mark.USER else which.value


def some_ids(number: int) -> list[Any]:
    """Return so many different primary keys of users, for a queryset whose parameters are all given later."""
    key = get_user_model()._meta.pk
    numbers = range(Mark.USER.value, Mark.USER.value + number)
    if isinstance(key, UUIDField):
        return [UUID(int=each) for each in numbers]
    return [each if isinstance(key, IntegerField) else str(each) for each in numbers]


def plain(key: Hashable, make: Callable[[], QuerySet[Any, Any]], given: Sequence[Any], using: str) -> list[Any]:
    """Return the rows of one queryset of values, as the ORM would; ``given`` are all of its parameters, in order."""
    connection = connections[using]
    recipe = _remembered.get((connection.alias, key))
    if recipe is None:
        recipe = _remember((connection.alias, key), _with_converters(make(), connection))
    with connection.cursor() as cursor:
        cursor.execute(recipe.text, given)
        found = cursor.fetchall()
    return [_converted(row, recipe.converters, connection) for row in found] if recipe.converters else found


def _with_converters(queryset: QuerySet[Any, Any], connection: Any) -> Recipe:
    compiler = queryset.query.get_compiler(connection=connection)
    text, parameters = compiler.as_sql()
    converters = compiler.get_converters([column[0] for column in compiler.select])
    return Recipe(text, parameters, tuple(converters.items()))


def _converted(row: Sequence[Any], converters: Any, connection: Any) -> list[Any]:
    values = list(row)
    for position, (functions, expression) in converters:
        for function in functions:
            values[position] = function(values[position], expression, connection)
    return values


def _remember(key: Hashable, recipe: Recipe) -> Recipe:
    if len(_remembered) >= REMEMBERED:
        _remembered.clear()
    _remembered[key] = recipe
    return recipe


def _run(key: Hashable, make: Callable[[], Sequence[QuerySet[Any, Any]]], wrap: str, values: Mapping[Mark, Any]) -> Any:
    alias = router.db_for_read(UserXP)
    connection = connections[alias]
    recipe = _remembered.get((alias, key)) if key is not None else None
    if recipe is None:
        recipe = _written(make(), wrap, connection)
        if key is not None:
            _remember((alias, key), recipe)
    given = {which: _prepared(which, value, connection) for which, value in values.items()}
    with connection.cursor() as cursor:
        cursor.execute(recipe.text, [given[each] if isinstance(each, Mark) else each for each in recipe.parameters])
        return cursor.fetchall()


def _written(querysets: Sequence[QuerySet[Any, Any]], wrap: str, connection: Any) -> Recipe:
    texts, parameters = [], []
    marks = {_prepared(which, mark(which), connection): which for which in Mark}
    for number, queryset in enumerate(querysets):
        text, own = queryset.query.sql_with_params()
        texts.append(wrap.format(number=number, text=text))
        parameters += [marks.get(value, value) if isinstance(value, Hashable) else value for value in own]
    return Recipe(" UNION ALL ".join(texts), tuple(parameters))


def _prepared(which: Mark, value: Any, connection: Any) -> Any:
    if which is Mark.USER:
        return get_user_model()._meta.pk.get_db_prep_value(value, connection)
    return connection.ops.adapt_datetimefield_value(value) if which is Mark.NOW else value

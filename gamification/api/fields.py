"""Fields that take what they say and nothing that merely looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Never, cast

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Field as ModelField
from django.db.models import IntegerField as ModelIntegerField
from rest_framework import ISO_8601, serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from gamification.api.schema import describe_field

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DIGITS = re.compile(r"\d{1,20}", re.ASCII)


class StrictIntegerField(serializers.IntegerField):
    """A whole number: not ``true``, not ``"10"``, not ``10.0``."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class StrictBooleanField(serializers.BooleanField):
    """``true`` or ``false``: not 1, not ``"yes"``."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class TextField(serializers.CharField):
    """A text, kept as it was sent: not a number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


@describe_field({"type": "object", "additionalProperties": {}})
class ObjectField(serializers.JSONField):
    """A JSON object."""

    default_error_messages = {"not_an_object": "Expected an object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return data


class MomentField(serializers.DateTimeField):
    """A moment with its offset (RFC 3339) coming in, and in UTC going out, whatever the host's formats are."""

    default_error_messages = {"no_moment": "Expected a date and time with an offset, such as 2026-06-01T12:00:00Z."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format=ISO_8601, default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            self.fail("no_moment")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            self.fail("no_moment")


class DayField(serializers.DateField):
    """A date going out, whatever the host's formats are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format=ISO_8601, **kwargs)


class UserField(serializers.Field[Any, Any, Any, Any]):
    """The primary key of a user, whatever its type; :func:`find_users` tells whose it is."""

    default_error_messages = {"invalid": "Expected the primary key of a user."}

    @property
    def model_field(self) -> ModelField[Any, Any]:
        """Return the field that is the users' primary key; for one that points to another table, the key there."""
        field: Any = get_user_model()._meta.pk
        while field.remote_field is not None:
            field = field.target_field
        return cast("ModelField[Any, Any]", field)

    def to_internal_value(self, data: Any) -> Any:
        field = self.model_field
        is_number = isinstance(field, ModelIntegerField)
        if type(data) is not int and not (isinstance(data, str) and (not is_number or _DIGITS.fullmatch(data))):
            self.fail("invalid")
        try:
            key = field.to_python(data)
            field.run_validators(key)
        except (DjangoValidationError, ValueError, TypeError, OverflowError):
            self.fail("invalid")
        return key

    def to_representation(self, value: Any) -> Any:
        return value


def find_users(keys: Iterable[Any]) -> Mapping[Any, AbstractBaseUser]:
    """Return the users by primary key, in one query; those that do not exist are left out."""
    wanted = set(keys)
    return get_user_model()._default_manager.in_bulk(wanted) if wanted else {}


def unknown_user() -> ErrorDetail:
    return ErrorDetail("There is no such user.", "does_not_exist")


def refuse(field: str, detail: ErrorDetail) -> Never:
    """Refuse the value of one field.

    Raises:
        ValidationError: always.
    """
    raise ValidationError({field: [detail]})

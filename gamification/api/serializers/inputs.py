"""What clients send. The rules of the values are the services'; here it is their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from gamification.api.fields import (
    MomentField,
    ObjectField,
    StrictBooleanField,
    StrictIntegerField,
    TextField,
    UserField,
    find_users,
    unknown_user,
)
from gamification.api.schema import KEY_SCHEMA, describe_field, one_of
from gamification.conf import VOID_POLICIES
from gamification.domain.catalogue import CATEGORIES
from gamification.engine.events import QUANTITY_MAX
from gamification.engine.inputs import TEXT_MAX_LENGTH
from gamification.services.xp import AMOUNT_MAX

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

BATCH_MAX = 1000
KEY = "Names this event; needed here unless the `Idempotency-Key` header does."


@describe_field(KEY_SCHEMA)
class KeyField(TextField):
    """A key, as it was sent."""


class AwardInputSerializer(serializers.Serializer[Any]):
    """XP for a user."""

    user = UserField(help_text="Primary key of the user.")
    amount = StrictIntegerField(
        min_value=-AMOUNT_MAX, max_value=AMOUNT_MAX, help_text="XP points, not 0; negative ones take away."
    )
    reason = TextField(min_length=1, max_length=TEXT_MAX_LENGTH)
    reference_id = TextField(max_length=TEXT_MAX_LENGTH, required=False, allow_blank=True)
    metadata = ObjectField(required=False)
    key = KeyField(required=False, allow_blank=True, help_text=KEY)

    def validate_user(self, key: Any) -> AbstractBaseUser:
        user = get_user_model()._default_manager.filter(pk=key).first()
        if user is None:
            raise ValidationError(unknown_user())
        return user


class ReverseInputSerializer(serializers.Serializer[Any]):
    """Why a transaction is reversed."""

    reason = TextField(min_length=1, max_length=TEXT_MAX_LENGTH)
    key = KeyField(required=False, allow_blank=True, help_text=KEY)


class ActivityInputSerializer(serializers.Serializer[Any]):
    """Something that a user did."""

    kind = TextField(help_text="One of the kinds that the project declares.")
    key = KeyField(required=False, allow_blank=True, help_text=KEY)
    quantity = StrictIntegerField(min_value=1, max_value=QUANTITY_MAX, required=False)
    data = ObjectField(required=False, help_text="What the kind asks for.")  # type: ignore[assignment]
    occurred_at = MomentField(required=False, allow_null=True, help_text="When it happened; left out, now.")
    user = UserField(required=False, help_text="Primary key of the user; left out, the caller.")


@describe_field(one_of(VOID_POLICIES))
class PolicyField(TextField):
    """What becomes of achievements that stood on what is taken back."""


class VoidInputSerializer(serializers.Serializer[Any]):
    """Why an activity is voided, and what becomes of the achievements that stood on it."""

    reason = TextField(min_length=1, max_length=TEXT_MAX_LENGTH)
    achievements = PolicyField(required=False, help_text="Left out, the project's choice.")


class MeInputSerializer(serializers.Serializer[Any]):
    """What users may set for themselves."""

    timezone = TextField(required=False, min_length=1, help_text="An IANA name, such as Europe/Berlin.")
    is_visible = StrictBooleanField(required=False, help_text="Whether others see me on leaderboards.")


class EraseInputSerializer(serializers.Serializer[Any]):
    """The account's password; for an account without one, the word ``erase`` instead."""

    password = TextField(required=False, allow_blank=True)
    confirm = TextField(required=False, allow_blank=True, help_text="`erase`, for an account without a password.")


class AchievementFilterSerializer(serializers.Serializer[Any]):
    """Query parameters of the list of achievements."""

    category = serializers.ChoiceField(choices=CATEGORIES, required=False)
    unlocked = serializers.ChoiceField(choices=["true", "false"], required=False)


class ScopeQuerySerializer(serializers.Serializer[Any]):
    """Query parameters of a place on a leaderboard."""

    scope = serializers.CharField(required=False, allow_blank=True)


class BoardQuerySerializer(ScopeQuerySerializer):
    """Query parameters of a leaderboard."""

    limit = serializers.RegexField(r"^[0-9]{1,6}\Z", required=False, error_messages={"invalid": "Expected 1 to 100."})
    cursor = serializers.CharField(required=False, allow_blank=True)
    me = serializers.ChoiceField(choices=["true", "false"], required=False)

    def validate_me(self, value: str) -> bool:
        return value == "true"

    def validate_limit(self, value: str) -> int:
        return int(value)


def read_activities(body: list[Any]) -> list[dict[str, Any]]:
    """Return the checked items of a list; ``user`` still is a primary key.

    Raises:
        ValidationError: some items are wrong; each error is under the item's index.
    """
    if not 1 <= len(body) <= BATCH_MAX:
        message = f"Send 1 to {BATCH_MAX:,} activities at once; this were {len(body):,}."
        raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [ErrorDetail(message, "batch_size")]})
    reader = ActivityInputSerializer()
    items, errors = [], {}
    for index, item in enumerate(body):
        try:
            items.append(reader.run_validation(item))
        except ValidationError as error:
            errors[str(index)] = error.detail
    if errors:
        raise ValidationError(errors)
    return items


def with_users(items: list[dict[str, Any]], me: AbstractBaseUser, *, in_list: bool) -> list[dict[str, Any]]:
    """Return ``items`` with the users in place of their primary keys, found in one query.

    Raises:
        ValidationError: somebody does not exist.
    """
    found = {me.pk: me, **find_users(item["user"] for item in items if item.get("user", me.pk) != me.pk)}
    errors = {
        str(index): {"user": [unknown_user()]}
        for index, item in enumerate(items)
        if item.get("user", me.pk) not in found
    }
    if errors:
        raise ValidationError(errors if in_list else errors["0"])
    return [{**item, "user": found[item.get("user", me.pk)]} for item in items]

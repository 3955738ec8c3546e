"""Users by the name they sign in with: found, made where they are missing, and given their first row."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from gamification.engine import newcomers
from gamification.exceptions import InvalidInput
from gamification.models import UserStreak

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.db import models


def name_field() -> models.Field[Any, Any]:
    """Return the ``USERNAME_FIELD`` of the project's users."""
    model = get_user_model()
    field: models.Field[Any, Any] = model._meta.get_field(model.USERNAME_FIELD)  # type: ignore[assignment]
    return field


def find(names: Iterable[str]) -> dict[str, Any]:
    """Return the primary keys of the users with these names, by name; those there are not are left out."""
    wanted: dict[Any, list[str]] = {}
    for name in names:
        for spelling in {name, get_user_model().normalize_username(name)}:
            try:
                wanted.setdefault(name_field().to_python(spelling), []).append(name)
            except ValidationError:
                continue  # no text of that form can name a user
    column = name_field().name
    rows = get_user_model()._default_manager.filter(**{f"{column}__in": list(wanted)})
    found: dict[str, Any] = {}
    for value, pk in rows.values_list(column, "pk"):
        # Two spellings can be two users: the one that is written exactly so comes first.
        for name in wanted.get(value, ()):
            if name not in found or name == value:
                found[name] = pk
    return found


def make(names: Iterable[str]) -> tuple[dict[str, Any], dict[str, InvalidInput]]:
    """Make users without a usable password; return their primary keys and why others could not be made, by name."""
    users: dict[str, AbstractBaseUser] = {}
    refused: dict[str, InvalidInput] = {}
    for name in names:
        try:
            users[name] = _new_user(name)
        except ValidationError as error:
            refused[name] = InvalidInput(" ".join(error.messages), field="user")
    _insert(list(users.values()))
    made = find(users)
    for name in users.keys() - made.keys():
        refused[name] = InvalidInput("The database takes no user of this name.", field="user")
    return made, refused


def begin(users: Iterable[AbstractBaseUser]) -> None:
    """Give new users their streak, in order of id and before anything is locked.

    Locking makes the rows of new users one by one, so that it cannot wait in a circle; here nothing is held meanwhile.
    """
    by_id = {user.pk: user for user in users}
    begun = UserStreak.objects.filter(user_id__in=by_id).values_list("user_id", flat=True)
    missing = sorted(by_id.keys() - set(begun))
    UserStreak.objects.bulk_create([newcomers.streak_of(by_id[pk]) for pk in missing], ignore_conflicts=True)


def _new_user(name: str) -> AbstractBaseUser:
    """Return an unsaved user.

    Raises:
        ValidationError: the project's user model does not allow the name, or needs more than a name.
    """
    model = get_user_model()
    user = model()
    value = name_field().clean(model.normalize_username(name), user)
    setattr(user, model.USERNAME_FIELD, value)
    user.set_unusable_password()
    for column in model._meta.concrete_fields:
        if not (column.null or column.primary_key or column.generated) and column.pre_save(user, add=True) is None:
            raise ValidationError(f"A user needs {column.name} too.")
    return user


def _insert(users: list[Any]) -> None:
    """Insert users: all at once, or one by one where their table does not allow that or refuses some of them."""
    try:
        with transaction.atomic():
            get_user_model()._default_manager.bulk_create(users, ignore_conflicts=True)
    except (IntegrityError, ValueError):  # ValueError: the model extends that of another table
        for user in users:
            with suppress(IntegrityError), transaction.atomic():
                user.save(force_insert=True)

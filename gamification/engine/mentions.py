"""Texts of staff that name a person: found and emptied when that person is erased."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from gamification.models import ExcusedDate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AbstractBaseUser

#: Characters of the shortest name that is looked for: a shorter one stands in too many texts that mean nobody.
SHORTEST = 3


def names_of(user: AbstractBaseUser) -> list[str]:
    """Return what ``user`` is called in texts: what they sign in with, the e-mail address, the full name."""
    full_name = getattr(user, "get_full_name", str)
    found = {user.get_username(), str(getattr(user, user.get_email_field_name(), None) or ""), str(full_name() or "")}
    return sorted(name.strip() for name in found if len(name.strip()) >= SHORTEST)


def empty(names: Iterable[str]) -> None:
    """Empty the reasons of excused dates, and the texts of the admin's log, that hold one of ``names`` as a whole."""
    wanted = list(names)
    if not wanted:
        return
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in wanted), re.IGNORECASE)
    _empty(ExcusedDate._default_manager.all(), ("reason", "undo_reason"), wanted, pattern)
    if apps.is_installed("django.contrib.admin"):
        _empty(apps.get_model("admin", "LogEntry").objects.all(), ("object_repr", "change_message"), wanted, pattern)


def empty_log(about: type[Any], ids: Iterable[Any]) -> None:
    """Empty the texts of the admin's log about the rows ``ids`` of a model."""
    entries = apps.get_model("admin", "LogEntry").objects.filter(
        content_type=ContentType.objects.get_for_model(about), object_id__in=[str(pk) for pk in ids]
    )
    entries.update(object_repr="", change_message="")


def _empty(rows: Any, columns: tuple[str, ...], names: list[str], pattern: re.Pattern[str]) -> None:
    like = Q()
    for column in columns:
        for name in names:
            like |= Q(**{f"{column}__icontains": name})
    for pk, *texts in rows.filter(like).values_list("pk", *columns):
        named = {column: "" for column, text in zip(columns, texts, strict=True) if pattern.search(text)}
        if named:
            rows.filter(pk=pk).update(**named)

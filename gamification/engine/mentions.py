"""Texts of staff that name a person: found, and the name taken out of them, when that person is erased."""

from __future__ import annotations

import json
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
#: What stands where a name stood.
GAP = "…"


def names_of(user: AbstractBaseUser) -> list[str]:
    """Return what ``user`` is called in texts: what they sign in with, the e-mail address, the full name."""
    full_name = getattr(user, "get_full_name", str)
    found = {user.get_username(), str(getattr(user, user.get_email_field_name(), None) or ""), str(full_name() or "")}
    return sorted(name.strip() for name in found if len(name.strip()) >= SHORTEST)


def redact(names: Iterable[str]) -> None:
    """Take each of ``names`` that stands there as a whole out of reasons of excused dates and of the admin's log.

    The rest of a text stays: somebody who calls themselves by a word of other people's entries takes no more than it.
    """
    wanted = sorted(names, key=len, reverse=True)  # else a name would leave the rest of an address behind
    if not wanted:
        return
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in wanted), re.IGNORECASE)
    _redact(ExcusedDate._default_manager.all(), ("reason", "undo_reason"), wanted, pattern)
    if apps.is_installed("django.contrib.admin"):
        _redact(apps.get_model("admin", "LogEntry").objects.all(), ("object_repr", "change_message"), wanted, pattern)


def empty_log(about: type[Any], ids: Iterable[Any]) -> None:
    """Empty the texts of the admin's log about the rows ``ids`` of a model."""
    entries = apps.get_model("admin", "LogEntry").objects.filter(
        content_type=ContentType.objects.get_for_model(about), object_id__in=[str(pk) for pk in ids]
    )
    entries.update(object_repr="", change_message="")


def _redact(rows: Any, columns: tuple[str, ...], names: list[str], pattern: re.Pattern[str]) -> None:
    like = Q()
    for column in columns:
        for name in names:
            # Django writes its structured messages as JSON of ASCII alone.
            like |= Q(**{f"{column}__icontains": name}) | Q(**{f"{column}__icontains": json.dumps(name)[1:-1]})
    for pk, *texts in rows.filter(like).values_list("pk", *columns):
        told = {column: _without(text, pattern) for column, text in zip(columns, texts, strict=True)}
        if list(told.values()) != texts:
            rows.filter(pk=pk).update(**told)


def _without(text: str, pattern: re.Pattern[str]) -> str:
    """Return ``text`` without names; of a structured message of Django's only the objects that it quotes are people's.

    Its other words, such as names of fields, mean nobody, and without them it could not be read.
    """
    parts = _structured(text)
    if parts is None:
        return pattern.sub(GAP, text)
    for part in parts:
        for said in part.values():
            if isinstance(said, dict) and isinstance(said.get("object"), str):
                said["object"] = pattern.sub(GAP, said["object"])
    return json.dumps(parts) if parts != _structured(text) else text


def _structured(text: str) -> list[dict[str, Any]] | None:
    """Return the parts of a structured message of Django's, or None for what somebody wrote."""
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_structured = isinstance(parts, list) and all(isinstance(part, dict) for part in parts)
    return parts if is_structured else None

"""The people on a board: who may be seen by now, under which name and with which level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, connections

from gamification.backends import recipes, scores
from gamification.backends.base import Entry
from gamification.conf import get_settings
from gamification.engine import names
from gamification.engine.results import Standing
from gamification.models import UserXP

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.db.models import QuerySet

TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Face:
    """A person with what a row shows of them."""

    user: AbstractBaseUser
    total_xp: int = 0
    is_visible: bool = True


class Faces:
    """The people that one answer shows to ``viewer``, read together: those who are expected, in one query."""

    def __init__(self, viewer: AbstractBaseUser | None) -> None:
        self._viewer = viewer
        self._expected: set[Any] = set()
        self._found: dict[Any, Face] = {}
        self._can_be_banned = scores.has_active_flag()
        settings = get_settings()
        self._is_excluded = settings.hook("IS_EXCLUDED")
        self._name, self._avatar = settings.hook("DISPLAY_NAME"), settings.hook("AVATAR_URL")
        self._levels = settings.levels

    def expect(self, user_ids: Iterable[Any]) -> None:
        """Say who will be asked for, so that the next query brings them too."""
        self._expected.update(user_ids)

    def standings(self, entries: Iterable[Entry]) -> list[Standing]:
        """Return the rows that may be shown; who is hidden is looked up, not remembered."""
        wanted = list(entries)
        self._read(entry.user_id for entry in wanted)
        faces = ((entry, self._found.get(entry.user_id)) for entry in wanted)
        return [self._standing(entry, face) for entry, face in faces if face and self._is_seen(face)]

    def own(self, entry: Entry) -> Standing:
        """Return the viewer's own row, hidden or not."""
        self._read((entry.user_id,))
        found, viewer = self._found.get(entry.user_id), cast("AbstractBaseUser", self._viewer)
        return self._standing(entry, replace(found, user=viewer) if found else Face(viewer))

    def _read(self, user_ids: Iterable[Any]) -> None:
        missing = set(user_ids) - self._found.keys()
        if missing:
            missing |= self._expected
            self._expected = set()
            self._found |= {face.user.pk: face for face in _people(missing)}

    def _is_seen(self, face: Face) -> bool:
        return face.is_visible and _may_appear(face.user, self._is_excluded, can_be_banned=self._can_be_banned)

    def _standing(self, entry: Entry, face: Face) -> Standing:
        level = self._levels.level_of(face.total_xp)
        return Standing(
            rank=entry.rank,
            user_id=entry.user_id,
            name=names.public_name(face.user, self._name),
            score=entry.score,
            level=level,
            title=self._levels.title_of(level),
            is_me=self._viewer is not None and entry.user_id == self._viewer.pk,
            avatar_url=names.avatar_url(face.user, self._avatar),
        )


def may_appear(user: AbstractBaseUser) -> bool:
    """Tell whether anything of ``user`` may be shown to others: nobody banned it, nor does the project exclude it."""
    return _may_appear(user, get_settings().hook("IS_EXCLUDED"), can_be_banned=scores.has_active_flag())


def _may_appear(user: Any, is_excluded: names.Hook, *, can_be_banned: bool) -> bool:
    if can_be_banned and not user.is_active:
        return False
    return not (is_excluded and is_excluded(user))


def _people(user_ids: Iterable[Any]) -> Iterator[Face]:
    """Yield the users, in one query, and on the primary: whoever hides is hidden at once, however far replicas lag.

    The ids are filled up to a multiple of ``TOGETHER`` with repeated ones, so that few statements have to be written.
    """
    model = get_user_model()
    prepare = partial(model._meta.pk.get_db_prep_value, connection=connections[DEFAULT_DB_ALIAS])
    ids = list(user_ids)
    ids += ids[:1] * (-len(ids) % TOGETHER)
    columns = [column.attname for column in model._meta.concrete_fields]
    make = partial(_queryset, len(ids), columns)
    rows = recipes.plain(("people", len(ids)), make, [*map(prepare, ids)], DEFAULT_DB_ALIAS)
    for total_xp, is_visible, is_excluded, *values in rows:
        yield Face(model.from_db(DEFAULT_DB_ALIAS, columns, values), total_xp, is_visible and not is_excluded)


def _queryset(number: int, columns: Sequence[str]) -> QuerySet[UserXP, tuple[Any, ...]]:
    """Return the query for so many users; whose ids, is put in later."""
    rows = UserXP.objects.filter(user_id__in=recipes.some_ids(number))
    return rows.values_list("total_xp", "is_visible", "is_excluded", *(f"user__{name}" for name in columns))

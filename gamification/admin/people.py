"""Finding people among millions: by the field they sign in with, or by their id, through indexes only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gamification.admin.base import ROWS_CHOSEN, ModelT, within_window

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.db.models import QuerySet
    from django.http import HttpRequest

SHOWN = 20
MATCHED = 50
LONGEST_FACT = 255
LAST = chr(0x10FFFF)


def people_like(term: str, limit: int = SHOWN) -> list[AbstractBaseUser]:
    """Return those whose id or whose name, as they sign in, is ``term``, and those whose name begins with it."""
    users = get_user_model()._default_manager.all()
    name = users.model.USERNAME_FIELD
    term = term.strip().replace("\x00", "")
    if not term:
        return list(users.order_by(name)[:limit])
    # One query for each index: joined by OR they would be a scan on some databases.
    ways = (_having(users, **{name: term}), _having(users, pk=term), users.filter(_begins(name, term)).order_by(name))
    return list({user.pk: user for way in ways for user in way[:limit]}.values())[:limit]


def people_meant(term: str) -> list[Any]:
    """Return the ids of those whose name or id is ``term``; if there are none, of those whose name begins so."""
    found = people_like(term, MATCHED)
    exact = [user.pk for user in found if term in (name_of(user), str(user.pk))]
    return exact or [user.pk for user in found]


def people_from(text: str) -> list[AbstractBaseUser]:
    """Return the users whose ids are in ``text``, comma between, in order of id; what is no id is nobody."""
    users = get_user_model()._default_manager
    ids = []
    for part in text.split(",")[:ROWS_CHOSEN]:
        try:
            ids.append(users.model._meta.pk.clean(part.replace("\x00", ""), None))
        except ValidationError:
            continue
    return list(users.filter(pk__in=ids).order_by("pk"))


def actor(request: HttpRequest) -> AbstractBaseUser:
    """Return who is signed in, of which the admin has made sure."""
    return cast("AbstractBaseUser", request.user)


def name_of(user: AbstractBaseUser | None) -> str:
    """Return the name that ``user`` signs in with."""
    return user.get_username() if user is not None else ""


def _having(users: QuerySet[Any], **value: str) -> QuerySet[Any]:
    """Keep those with a value; nobody, when it can be none of its field."""
    try:
        return users.filter(**value)
    except (ValidationError, ValueError, TypeError):
        return users.none()


def _begins(name: str, term: str) -> Q:
    """Match the usual spellings, because an index knows capitals from small letters.

    SQLite finds no beginning through an index, but a range: its texts are in the order of their characters.
    """
    spellings = sorted({term, term.lower(), term.capitalize()})
    if connection.vendor == "sqlite":
        return Q(*(Q((f"{name}__gte", one), (f"{name}__lt", one + LAST)) for one in spellings), _connector=Q.OR)
    return Q(*((f"{name}__startswith", one) for one in spellings), _connector=Q.OR)


class PersonColumn:
    """Adds a column with the user's name to lists whose rows belong to one, and the search for it.

    ``exact_field`` is another field that the search looks in, for the whole term.
    """

    exact_field: ClassVar[str] = ""
    #: Whether an index finds ``exact_field`` without the user; if not, the newest rows are looked at.
    is_exact_indexed: ClassVar[bool] = False

    @admin.display(description=_("user"))
    def person(self, row: Any) -> str:
        return name_of(row.user)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("user", self.exact_field) if self.exact_field else ("user",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelT], search_term: str
    ) -> tuple[QuerySet[ModelT], bool]:
        """Keep the rows of people like the term, and those with exactly it; or ``NAME TERM``: one's row with it."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(user__in=people_meant(term))
        head, _space, tail = term.partition(" ")
        if self.exact_field and tail:
            found |= Q(user__in=people_meant(head), **{self.exact_field: tail.strip()})
        if self.exact_field and len(term) <= LONGEST_FACT:
            exact = {self.exact_field: term}
            if self.is_exact_indexed:
                found |= Q(**exact)
            else:
                rows = within_window(queryset.model._default_manager.filter(**exact))
                found |= Q(pk__in=list(rows.values_list("pk", flat=True)[:MATCHED]))
        return queryset.filter(found), False

"""Drawn share cards: kept in the cache under the profile's address, so that they can be found when it is to be gone."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import get_language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KINDS = ("image/png", "image/svg+xml")
#: For how many seconds a drawn card is kept.
SECONDS = 3600


def kept(slug: str, kind: str, etag: str, draw: Callable[[], bytes]) -> bytes:
    """Return the card of the state ``etag``, or else what ``draw`` makes, kept where the cache can be reached."""
    key = _key(slug, kind, get_language() or "")
    try:
        found = cache.get(key)
    except Exception:  # noqa: BLE001 -- each backend has errors of its own, and a card is drawn without it
        return draw()
    if found is not None and found[0] == etag:
        drawn: bytes = found[1]
        return drawn
    drawn = draw()
    with suppress(Exception):
        cache.set(key, (etag, drawn), SECONDS)
    return drawn


def forget(slugs: Iterable[str]) -> None:
    """Take what was drawn for these addresses out of the cache, if it can be reached; else it ends by itself."""
    languages = {"", settings.LANGUAGE_CODE, *(code for code, _name in settings.LANGUAGES)}
    keys = [_key(*each) for each in product(slugs, KINDS, languages)]
    if keys:
        with suppress(Exception):
            cache.delete_many(keys)


def _key(slug: str, kind: str, language: str) -> str:
    return f"gamification.card.{kind}.{slug}.{language.lower()}"

"""Drawn share cards, in the cache until they are to be gone."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.utils import translation

from gamification.engine import cards


@pytest.mark.parametrize(
    ("active", "default", "offered"),
    [("en-us", "en-us", ["en"]), (None, "en-us", ["en"]), ("pt-br", "en", ["en", "pt-BR"]), ("de", "en", ["en", "de"])],
)
def test_a_card_is_forgotten_in_whatever_language_it_was_drawn(settings, active, default, offered):
    settings.LANGUAGE_CODE, settings.LANGUAGES = default, [(code, code) for code in offered]
    cache.clear()
    with translation.override(active):
        cards.kept("slug", "image/png", "state", lambda: b"before")

    cards.forget(["slug"])

    with translation.override(active):
        assert cards.kept("slug", "image/png", "state", lambda: b"after") == b"after"

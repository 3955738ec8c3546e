"""What a share card says: the words and the days of a public profile, before anything is drawn."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from gamification.dashboard import year
from gamification.dashboard.year import Year
from gamification.engine.texts import translated

if TYPE_CHECKING:
    from gamification.services.profiles import Profile

WIDTH, HEIGHT = 1200, 630
#: Characters of the longest text that is drawn.
LONGEST = 120
#: Another number whenever the drawing itself changes, so that no cache keeps the old one.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Honour:
    """An achievement of the showcase."""

    name: str
    rarity: str


@dataclass(frozen=True, slots=True)
class ShareCard:
    """The card of one profile. ``weeks`` are columns of seven steps from 0 to 4; None stands outside the year.

    ``alt`` is the card in words; ``etag`` differs whenever the drawing does.
    """

    name: str
    level: str
    level_word: str
    title: str
    honours: tuple[Honour, ...]
    days: str
    weeks: tuple[tuple[int | None, ...], ...]
    alt: str
    etag: str
    year: Year


def build(profile: Profile) -> ShareCard:
    """Return the card of ``profile`` in the active language."""
    calendar = year.build(profile.days, profile.days[-1].date, is_public=True)
    level = number_format(profile.level.current_level)
    honours = tuple(Honour(clean(translated(each.name)), each.rarity) for each in profile.showcase)
    active = {"days": number_format(calendar.active, force_grouping=True)}
    days = ngettext("%(days)s active day in the last year", "%(days)s active days in the last year", calendar.active)
    weeks = tuple(
        tuple(cell.step if cell else None for cell in week)
        for week in zip(*(row.cells for row in calendar.rows), strict=True)
    )
    words = {"name": clean(profile.name), "level": level, "title": translated(profile.level.title)}
    alt = _("%(name)s: level %(level)s, %(title)s.") % words
    content = (VERSION, get_language(), words, honours, days % active, weeks)
    return ShareCard(
        name=words["name"],
        level=level,
        level_word=_("Level"),
        title=words["title"],
        honours=honours,
        days=days % active,
        weeks=weeks,
        alt=" ".join([alt, *(f"{honour.name}." for honour in honours), f"{days % active}."]),
        etag=hashlib.sha256(repr(content).encode()).hexdigest()[:32],
        year=calendar,
    )


def clean(text: str, length: int = LONGEST) -> str:
    """Return ``text`` in one line and without what nobody sees: controls, formats, halves of letters."""
    seen = "".join(" " if letter.isspace() else letter for letter in unicodedata.normalize("NFC", text))
    return " ".join("".join(letter for letter in seen if unicodedata.category(letter)[0] != "C").split())[:length]

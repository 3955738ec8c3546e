"""Toasts: what was unlocked and reached since somebody last looked, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gamification.conf import get_settings
from gamification.engine.texts import translated
from gamification.models import Achievement
from gamification.models.notices import NoticeKind
from gamification.services import notices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AbstractBaseUser
    from django.http import HttpRequest

    from gamification.models import Notice

#: How many stand for themselves before the rest is summed up.
SHOWN = 4
ASKED = "_gamification_toasts_were_asked_for"


@dataclass(frozen=True, slots=True)
class Toast:
    """One thing to celebrate: ``heading`` says what, ``text`` which; ``xp`` is in XP points.

    ``icon`` is the achievement's own sign; a level and a sum have none.
    """

    kind: str
    heading: str
    text: str
    xp: int = 0
    icon: str = ""


def taken(request: HttpRequest, user: AbstractBaseUser) -> list[Toast]:
    """Return what to show in the answer to ``request``, and never again; nothing to what nobody will look at.

    A page that asks twice, because its shell does too, gets them once, and asks the database once.
    """
    purpose = request.headers.get("Sec-Purpose", "")
    if request.method == "HEAD" or "prefetch" in purpose or ASKED in vars(request):
        return []
    vars(request)[ASKED] = True
    return toasts(notices.take(user))


def toasts(rows: Sequence[Notice]) -> list[Toast]:
    """Return the toasts for ``rows``: the highest level, then the achievements, and past ``SHOWN`` of them a sum."""
    levels = [int(row.subject) for row in rows if row.kind == NoticeKind.LEVEL]
    unlocked = [row for row in rows if row.kind == NoticeKind.ACHIEVEMENT]
    definitions = Achievement.objects.in_bulk([row.subject for row in unlocked], field_name="achievement_id")
    known = [(definitions[row.subject], row.xp) for row in unlocked if row.subject in definitions]
    found = [_level(max(levels))] if levels else []
    shown = known if len(known) <= SHOWN else known[: SHOWN - 1]
    found += [_unlocked(definition, xp) for definition, xp in shown]
    if rest := known[len(shown) :]:
        found.append(_more(len(rest), sum(xp for _definition, xp in rest)))
    return found


def _level(number: int) -> Toast:
    heading = _("Level %(level)s reached") % {"level": number_format(number, force_grouping=True)}
    return Toast("level", heading, translated(get_settings().levels.title_of(number)))


def _unlocked(definition: Achievement, xp: int) -> Toast:
    return Toast("achievement", _("Achievement unlocked"), translated(definition.name), xp, definition.icon)


def _more(number: int, xp: int) -> Toast:
    text = ngettext("and %(number)s more", "and %(number)s more", number)
    return Toast("more", _("Achievements unlocked"), text % {"number": number_format(number, force_grouping=True)}, xp)

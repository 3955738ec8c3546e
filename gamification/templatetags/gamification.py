"""Level badge, streak flame, mini-board, achievements and calendar for any page, and what our own templates need.

``{% load gamification %}``, once per page ``{% gamification_styles %}`` in its head, then where they belong
``{% level_badge user %}``, ``{% streak_flame user %}``, ``{% mini_board "xp_weekly" limit=5 %}``,
``{% achievement_grid user limit=6 %}`` and ``{% activity_calendar user %}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from django import template
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language_bidi

from gamification.dashboard import boards, cards, toasts, words, year
from gamification.engine.texts import translated
from gamification.services import achievements, leaderboards, streaks, xp
from gamification.services import dashboard as dashboards

if TYPE_CHECKING:
    from decimal import Decimal

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.template import Context
    from django.utils.safestring import SafeString

register = template.Library()

#: What widgets need, and what the app's own pages need beside it.
WIDGET_SHEETS = (
    "css/fonts.css",
    "gamification.css",
    *(f"css/{topic}.css" for topic in ("widgets", "board", "achievements", "calendar")),
)
PAGE_SHEETS = tuple(f"css/{topic}.css" for topic in ("page", "parts", "toasts", "progress", "chart", "streak", "forms"))
HUES = 6
MINUS = "\N{MINUS SIGN}"
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"


@register.simple_tag
def gamification_styles(*, pages: bool = False) -> SafeString:
    """Return the links to the style sheets of the widgets, and with ``pages`` of the app's own pages too."""
    sheets = WIDGET_SHEETS + PAGE_SHEETS if pages else WIDGET_SHEETS
    return format_html_join(
        "\n", '<link rel="stylesheet" href="{}">', ((static(f"gamification/{sheet}"),) for sheet in sheets)
    )


@register.simple_tag
def gx_icon(name: str, css: str = "") -> SafeString:
    """Return an icon of the sprite; it is decoration, so the words stand beside it."""
    return format_html(
        '<svg class="gx-icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("gamification/icons.svg"),
        name,
    )


@register.filter
def gx_number(value: Decimal | float) -> str:
    """Return a number as people of the active language write it: 12,345."""
    return number_format(value, force_grouping=True)


@register.filter
def gx_signed(value: int) -> str:
    """Return a number with its sign in front: +50, also among words that run from right to left."""
    sign = "+" if value >= 0 else MINUS
    return f"{LEFT_TO_RIGHT if get_language_bidi() else ''}{sign}{number_format(abs(value), force_grouping=True)}"


@register.filter
def gx_text(text: str) -> str:
    """Return a stored text in the active language, if it is one that ships; else as it was written."""
    return translated(text)


@register.filter
def gx_category(name: str) -> str:
    """Return what people read for a category."""
    label = cards.CATEGORY_LABELS.get(name)
    return str(label[0]) if label else name.replace("_", " ").capitalize()


@register.filter
def gx_rarity(name: str) -> str:
    """Return what people read for a rarity."""
    return str(cards.RARITY_LABELS.get(name, name.capitalize()))


@register.filter
def gx_zone(name: str) -> str:
    """Return what people call a time zone."""
    return words.zone_name(name)


@register.filter
def gx_initial(name: str) -> str:
    """Return the letter that stands for somebody without a picture."""
    return name[:1].upper()


@register.filter
def gx_hue(name: str) -> int:
    """Return which of the colours stands for somebody: always the same one, for no meaning."""
    return crc32(name.encode()) % HUES


@register.filter
def gx_times(number: int) -> range:
    """Return something to loop over ``number`` times, counting from 1."""
    return range(1, number + 1)


@register.inclusion_tag("gamification/widgets/level_badge.html")
def level_badge(user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """Show somebody's level and title; nothing for visitors."""
    viewer = _known(user)
    return {"level": xp.level(viewer) if viewer else None}


@register.inclusion_tag("gamification/widgets/streak_flame.html")
def streak_flame(user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """Show the length of somebody's streak beside a flame of its colour; nothing for visitors."""
    viewer = _known(user)
    if viewer is None:
        return {"streak": None}
    streak = streaks.status(viewer)
    return {"streak": streak, "tone": words.tone(streak.current)}


@register.inclusion_tag("gamification/widgets/mini_board.html", takes_context=True)
def mini_board(
    context: Context, metric: str = "xp_all_time", *, limit: int = 5, scope: str | None = None
) -> dict[str, Any]:
    """Show the first of a board, with the rank of who is looking."""
    viewer = _known(context.get("user"))
    return {"card": boards.board_card(leaderboards.top(metric, limit=limit, viewer=viewer, scope=scope), viewer)}


@register.inclusion_tag("gamification/widgets/achievement_grid.html", takes_context=True)
def achievement_grid(
    context: Context, user: AbstractBaseUser | AnonymousUser, *, limit: int | None = None, category: str = ""
) -> dict[str, Any]:
    """Show somebody's achievements; nothing for visitors.

    Of another person than who is looking it shows what they have, without what is a secret to others.
    """
    person = _known(user)
    if person is None:
        return {"badges": None}
    timezone = streaks.timezone(person)
    if _known(context.get("user")) == person:
        states = achievements.catalogue(person)
    else:
        states = [state for state in achievements.for_user(person) if not state.achievement.is_hidden]
    shares = achievements.shares_of_holders()
    grid = cards.achievement_grid(states, shares, timezone=timezone, category=category, limit=limit)
    return {"badges": grid.badges, "timezone": timezone}


@register.inclusion_tag("gamification/widgets/activity_calendar.html", takes_context=True)
def activity_calendar(context: Context, user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """Show somebody's last year; nothing for visitors. Others are told how busy the days were, and nothing more."""
    person = _known(user)
    if person is None:
        return {"year": None}
    is_public = _known(context.get("user")) != person
    days = dashboards.calendar_days(person)
    return {"year": year.build(days, days[-1].date, is_public=is_public), "is_public": is_public}


@register.inclusion_tag("gamification/toasts.html", takes_context=True)
def gamification_toasts(context: Context) -> dict[str, Any]:
    """Show what the user unlocked and reached since it was last shown, once; it brings its own styles and script."""
    request, viewer = context.get("request"), _known(context.get("user"))
    return {"toasts": toasts.taken(request, viewer) if request is not None and viewer is not None else ()}


def _known(user: Any) -> AbstractBaseUser | None:
    return user if getattr(user, "is_authenticated", False) else None

"""A leaderboard as its card shows it: the switch, my neighbours, who is next and how far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.dashboard.cards import Choice
from gamification.services import leaderboards, privacy

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.results import Board, Standing

#: Boards that are windows on one thing: what that is, and each window's name.
FAMILIES = {
    "xp": (
        gettext_lazy("XP"),
        {
            "xp_all_time": gettext_lazy("All time"),
            "xp_monthly": gettext_lazy("30 days"),
            "xp_weekly": gettext_lazy("7 days"),
        },
    ),
    "streak": (
        gettext_lazy("Streak"),
        {"streak_current": gettext_lazy("Current"), "streak_longest": gettext_lazy("Longest")},
    ),
}
#: Whatever direction a name is written in, the sentence around it keeps its own.
ISOLATED = "\N{FIRST STRONG ISOLATE}%s\N{POP DIRECTIONAL ISOLATE}"


@dataclass(frozen=True, slots=True)
class BoardCard:
    """A board with its switch: ``choices`` by what is counted, ``windows`` on that where there are several.

    ``around`` holds my row and those of its neighbours that are not on the page already, nothing when I am there;
    ``is_apart``: others stand between it and the page; ``chase`` says who is next and how far; ``unlisted`` is why
    nobody else sees me, empty where others do.
    """

    board: Board
    label: str
    unit: str
    choices: tuple[Choice, ...]
    windows: tuple[Choice, ...]
    around: tuple[Standing, ...]
    is_apart: bool
    chase: str
    unlisted: str


def board_card(board: Board, viewer: AbstractBaseUser | None) -> BoardCard:
    """Return ``board`` as ``viewer`` sees it, with the names of all boards."""
    on_page = {entry.user_id for entry in board.entries}
    is_below = board.me is not None and board.me.rank is not None and board.me.user_id not in on_page
    around = tuple(entry for entry in board.around if entry.user_id not in on_page) if is_below else ()
    return BoardCard(
        board=board,
        label=leaderboards.label(board.metric),
        unit=unit(board.metric),
        choices=_choices(board.metric),
        windows=_windows(board.metric),
        around=around,
        is_apart=bool(around) and (around[0].rank or 0) > len(on_page) + 1,
        chase=_chase(board),
        unlisted=privacy.why_unlisted(viewer) if viewer is not None and is_below else "",
    )


def unit(metric: str) -> str:
    """Return what the scores of a board count."""
    if metric.startswith("xp_"):
        return _("XP")
    if metric.startswith("streak_"):
        return _("Days")
    return _("Count")


def _choices(metric: str) -> tuple[Choice, ...]:
    members = {name for _label, windows in FAMILIES.values() for name in windows}
    families = [
        Choice(next(iter(windows)), str(label), family, metric in windows)
        for family, (label, windows) in FAMILIES.items()
    ]
    others = [name for name in leaderboards.metrics() if name not in members]
    return (*families, *(Choice(name, leaderboards.label(name), "", name == metric) for name in others))


def _windows(metric: str) -> tuple[Choice, ...]:
    windows = next((windows for _label, windows in FAMILIES.values() if metric in windows), {})
    return tuple(Choice(name, str(label), "", name == metric) for name, label in windows.items())


def _chase(board: Board) -> str:
    """Say who is next and how far, or only how far where all who share that rank are out of sight."""
    me = board.me
    if me is None or me.rank is None or me.to_next_rank is None:
        return ""
    words = {"number": number_format(me.to_next_rank, force_grouping=True)}
    ahead = next((entry for entry in board.around if entry.score == me.score + me.to_next_rank), None)
    if ahead is None:
        text = ngettext("%(number)s more to the next rank.", "%(number)s more to the next rank.", me.to_next_rank)
        return text % words
    if board.metric.startswith("xp_"):
        text = ngettext(
            "%(name)s is next, %(number)s XP ahead.", "%(name)s is next, %(number)s XP ahead.", me.to_next_rank
        )
    elif board.metric.startswith("streak_"):
        text = ngettext(
            "%(name)s is next, %(number)s day ahead.", "%(name)s is next, %(number)s days ahead.", me.to_next_rank
        )
    else:
        text = ngettext("%(name)s is next, %(number)s ahead.", "%(name)s is next, %(number)s ahead.", me.to_next_rank)
    return text % {**words, "name": ISOLATED % ahead.name}

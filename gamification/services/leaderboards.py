"""Leaderboards: the top of a board, and where somebody stands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from gamification.backends import get_backend, scores
from gamification.engine import boards
from gamification.engine.clock import moment
from gamification.engine.results import Board, Standing

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def metrics() -> tuple[str, ...]:
    """Return the names of all boards."""
    return scores.metrics()


def label(metric: str) -> str:
    """Return the name of a board for people."""
    known = {
        "xp_all_time": _("XP, all time"),
        "xp_weekly": _("XP, last 7 days"),
        "xp_monthly": _("XP, last 30 days"),
        "streak_current": _("Current streak"),
        "streak_longest": _("Longest streak"),
        "scenarios_completed": _("Scenarios completed"),
        "achievements_unlocked": _("Achievements"),
    }
    return known.get(metric) or metric.replace("_", " ").capitalize()


def top(
    metric: str,
    *,
    limit: int = 10,
    viewer: AbstractBaseUser | None = None,
    scope: str | None = None,
    cursor: str = "",
    is_placed: bool = True,
    now: datetime | None = None,
) -> Board:
    """Return a page of a board, with the viewer's own place and neighbours, which are always live.

    With ``is_placed`` False these are left out, and the viewer's row is as in the snapshot, like any other.

    ``cursor`` is the ``next`` of the page before; pages never repeat or drop anybody while their snapshot is kept.

    Raises:
        UnknownMetric, UnknownScope: there is no such board or group.
        InvalidInput: ``limit`` is not from 1 to 100, or ``cursor`` is none of ours.
    """
    return boards.page(
        metric, limit=limit, viewer=viewer, scope=scope, cursor=cursor, is_placed=is_placed, now=moment(now)
    )


def rank(user: AbstractBaseUser, metric: str, *, scope: str | None = None, now: datetime | None = None) -> Standing:
    """Return the live place of ``user``: rank None at score 0, and a rank also for somebody who opted out."""
    return boards.standing(user, metric, scope, moment(now))


def around(
    user: AbstractBaseUser, metric: str, *, scope: str | None = None, now: datetime | None = None
) -> tuple[Standing, ...]:
    """Return two above, ``user`` and two below, live; nothing without a score."""
    return boards.place(user, metric, scope, moment(now))[1]


def place(
    user: AbstractBaseUser, metric: str, *, scope: str | None = None, now: datetime | None = None
) -> tuple[Standing, tuple[Standing, ...]]:
    """Return what :func:`rank` and :func:`around` do, in one go, so that the two agree."""
    return boards.place(user, metric, scope, moment(now))


def refresh(metric: str | None = None, *, scope: str | None = None, now: datetime | None = None) -> int:
    """Rebuild the snapshot of one board, or of all without a scope, and return how many."""
    chosen = metrics() if metric is None else (metric,)
    for name in chosen:
        get_backend().refresh(boards.named(name, scope, None), moment(now))
    return len(chosen)

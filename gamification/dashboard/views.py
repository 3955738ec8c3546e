"""The pages to read: the dashboard, its parts, and all achievements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gamification.conf import get_settings
from gamification.dashboard import boards, cards, chart, words, year
from gamification.dashboard.requests import UserRequest, render_page, wants_part
from gamification.domain.catalogue import CATEGORIES
from gamification.exceptions import UnknownMetric
from gamification.services import achievements, leaderboards, streaks
from gamification.services import dashboard as dashboards

if TYPE_CHECKING:
    from typing import Any

    from gamification.services.dashboard import Overview

DEFAULT_METRIC = "xp_all_time"
FIRST_ACHIEVEMENTS = 12
BOARD_SIZE = 10


@never_cache
@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def dashboard(request: UserRequest) -> HttpResponse:
    """Return the dashboard, or the one card that htmx asks for.

    ``?metric=`` chooses the board, ``?category=`` the achievements.
    """
    metric, category = request.GET.get("metric") or DEFAULT_METRIC, _category(request)
    try:
        if wants_part(request, "gx-board"):
            board = leaderboards.top(metric, limit=BOARD_SIZE, viewer=request.user)
            return render(request, "gamification/cards/board.html", {"card": boards.board_card(board, request.user)})
        if wants_part(request, "gx-achievements"):
            grid = _grid(request, category, FIRST_ACHIEVEMENTS)
            return render(request, "gamification/cards/achievements.html", {"grid": grid})
        overview = dashboards.overview(request.user, metric=metric)
    except UnknownMetric as error:
        raise Http404(error.message) from error
    return render_page(request, "dashboard.html", _page(request, overview, category))


@never_cache
@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def achievement_list(request: UserRequest) -> HttpResponse:
    """Return the page of all achievements, or of one category."""
    context = {"grid": _grid(request, _category(request)), "is_whole": True}
    if wants_part(request, "gx-achievements"):
        return render(request, "gamification/cards/achievements.html", context)
    return render_page(request, "achievements.html", context)


def _grid(request: UserRequest, category: str, limit: int | None = None) -> cards.AchievementGrid:
    return cards.achievement_grid(
        achievements.catalogue(request.user),
        achievements.shares_of_holders(),
        timezone=streaks.timezone(request.user),
        category=category,
        limit=limit,
    )


def _page(request: UserRequest, overview: Overview, category: str) -> dict[str, Any]:
    """Return what the template of the dashboard shows."""
    today_status = next((day.status for day in overview.week if day.is_today), "")
    return {
        "overview": overview,
        "streak": overview.streak,
        "level": overview.level,
        "next_level": overview.level.current_level + 1,
        "next_title": cards.next_title(overview.level),
        "words": words.of_streak(
            overview.streak, today_status=today_status, today=overview.today, timezone=overview.timezone
        ),
        "freezes_max": max(get_settings().STREAK_FREEZES_MAX, overview.streak.freezes),
        "sums": cards.sums(overview.days),
        "grid": cards.achievement_grid(
            overview.achievements,
            achievements.shares_of_holders(),
            timezone=overview.timezone,
            category=category,
            limit=FIRST_ACHIEVEMENTS,
        ),
        "goals": [state for state in overview.achievements if not state.is_masked and not state.unlocked][:3],
        "card": boards.board_card(overview.board, request.user),
        "chart": chart.build(overview.days),
        "year": year.build(overview.days, overview.today),
        "bookings": cards.bookings(overview.recent, overview.achievements, overview.timezone),
    }


def _category(request: UserRequest) -> str:
    category = request.GET.get("category", "")
    if category and category not in CATEGORIES:
        raise Http404(_("There is no such category."))
    return category

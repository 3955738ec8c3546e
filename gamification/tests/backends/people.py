"""People for boards: made quickly, scored through the services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model

from gamification.engine.results import Award, Board, Standing
from gamification.services import activities, leaderboards, xp

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def person(name: str = "", *, score: int = 0, now: datetime = NOON, **columns: Any) -> Any:
    """Return a new user who was given ``score`` XP at ``now``."""
    model = get_user_model()
    user = model._default_manager.create(**{model.USERNAME_FIELD: name or f"user-{uuid4().hex[:12]}", **columns})
    if score:
        give(user, score, now=now)
    return user


def people(*scores: int, now: datetime = NOON) -> list[Any]:
    """Return new users with these scores, in order of id."""
    return [person(score=score, now=now) for score in scores]


def give(user: Any, amount: int, *, now: datetime = NOON) -> Award:
    return xp.award(user, amount, reason="gift", key=uuid4().hex, now=now)


def do(user: Any, kind: str = "daily_visit", *, now: datetime = NOON, **event: Any) -> Any:
    return activities.record(user, kind, key=uuid4().hex, now=now, **event)


def ids(standings: Any) -> list[Any]:
    return [standing.user_id for standing in standings]


def places(standings: Any) -> list[tuple[int | None, int]]:
    """Return rank and score of each row."""
    return [(standing.rank, standing.score) for standing in standings]


def listed(metric: str = "xp_all_time", **options: Any) -> list[Any]:
    """Return the ids on the first page of a board."""
    return ids(leaderboards.top(metric, **{"limit": 100, "now": NOON, **options}).entries)


def walk(metric: str = "xp_all_time", *, limit: int, now: datetime = NOON, **options: Any) -> list[Standing]:
    """Return what somebody sees who turns all pages of a board."""
    return [row for page in pages(metric, limit=limit, now=now, **options) for row in page.entries]


def pages(metric: str = "xp_all_time", *, limit: int, now: datetime = NOON, cursor: str = "", **options: Any) -> Any:
    """Yield the pages of a board, each read only when it is asked for."""
    for _ in range(200):
        page: Board = leaderboards.top(metric, limit=limit, now=now, cursor=cursor, **options)
        yield page
        cursor = page.next
        if not cursor:
            return
    raise AssertionError("The pages do not end.")

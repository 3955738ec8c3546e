"""People whose dashboards are looked at, and a reader of what the pages say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from gamification.services import achievements, activities, xp
from gamification.services.activities import Event
from gamification.tests.factories import AchievementFactory, UserFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib.auth.models import User
    from django.test import Client

SECRET: dict[str, Any] = {
    "achievement_id": "moonlight_writer",
    "name": "Ghost Quill",
    "description": "Write beneath a full moon",
    "category": "special",
    "icon": "👻",
    "metric": "longest_streak",
    "value": 987_654,
}


@dataclass(frozen=True)
class Reader:
    """Gets pages as one person and returns them as HTML or as plain words."""

    client: Client

    def html(self, path: str = "/gamification", **headers: str) -> str:
        response = self.client.get(path, headers=headers)
        assert response.status_code == 200, response
        return response.content.decode()

    def words(self, path: str = "/gamification", **headers: str) -> str:
        return words(self.html(path, **headers))


def words(html: str) -> str:
    """Return what people read, with single spaces between the words."""
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
    return re.sub(r" ([.,!?])", r"\1", text)


def section(html: str, title_id: str) -> str:
    """Return the card whose heading has ``title_id``."""
    inside = html.index(f'aria-labelledby="{title_id}"')
    return html[html.rindex("<section", 0, inside) : html.index("</section>", inside)]


def act_on(user: User, days_ago: Iterable[int], *, data: dict[str, Any] | None = None) -> None:
    """Record one scenario for ``user`` on each of those days, counted back from today."""
    now = timezone.now()
    done = {"difficulty": "advanced", "minutes": 50, "language": "es"} | (data or {})
    answers = activities.import_events(
        Event(user, "scenario_completed", f"{user.pk}-{days}", data=done, occurred_at=now - timedelta(days=days))
        for days in days_ago
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]


@pytest.fixture
def ada(db: None) -> User:
    """Return somebody who has done nothing yet."""
    user: User = UserFactory.create(username="ada")
    return user


@pytest.fixture
def catalogue(db: None) -> None:
    """Have the shipped achievements and a secret one."""
    achievements.initialize()
    AchievementFactory.create(**SECRET, is_hidden=True, order=3)


@pytest.fixture
def lively(ada: User, catalogue: None) -> User:
    """Return ``ada`` with a streak of 9 days that a freeze saved once, among eleven others, one of whom leads."""
    act_on(ada, [0, 1, 2, 3, 5, 6, 7, 8, 9])
    for number in range(11):
        xp.award(UserFactory.create(username=f"rival{number:02}"), 100 + number, reason="start", key="start")
    xp.award(UserFactory.create(username="leader"), 12_345, reason="start", key="start")
    return ada


@pytest.fixture
def read(client: Client) -> Callable[[User], Reader]:
    """Return a function that signs somebody in and reads pages as them."""

    def _read(user: User) -> Reader:
        client.force_login(user)
        return Reader(client)

    return _read

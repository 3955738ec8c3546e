"""Streaks through the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamification.services import streaks
from gamification.tests.api.conftest import assert_problem

NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)  # a Wednesday


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def test_a_newcomers_streak_is_none(ada):
    status = ada.json("streaks/status")

    week = status.pop("week")
    assert status == {
        "current_streak": 0,
        "longest_streak": 0,
        "streak_freezes_available": 3,
        "status": "none",
        "expires_at": None,
        "last_activity_date": None,
        "total_active_days": 0,
        "timezone": "UTC",
        "last_at": None,
        "freeze_history": [],
    }
    assert [day["date"] for day in week] == [f"2026-06-0{day}" for day in range(1, 8)]
    assert week[2] == {"date": "2026-06-03", "status": None, "is_today": True, "is_future": False}
    assert [day["is_future"] for day in week] == [False] * 3 + [True] * 4


def test_a_visit_starts_a_streak_and_pays_the_days_bonus(ada):
    response = ada.post("streaks/update")

    assert response.json() == {
        "action": "started",
        "transitions": ["started"],
        "xp_awarded": 5,
        "streak": {
            "current_streak": 1,
            "longest_streak": 1,
            "streak_freezes_available": 3,
            "status": "active",
            "expires_at": "2026-06-08T00:00:00Z",
            "last_activity_date": "2026-06-03",
            "total_active_days": 1,
        },
    }


def test_a_second_visit_of_the_day_maintains_it(ada):
    ada.post("streaks/update")

    again = ada.post("streaks/update")

    assert again.status_code == 200
    assert (again.json()["action"], again.json()["transitions"], again.json()["xp_awarded"]) == (
        "maintained", ["maintained"], 0,
    )  # fmt: skip


def test_all_steps_are_told_in_order(ada):
    streaks.touch(ada.user, now=NOON - timedelta(days=9))

    told = ada.post("streaks/update").json()

    assert (told["action"], told["transitions"]) == ("broken", ["frozen", "frozen", "frozen", "broken", "started"])


def test_the_freezes_that_were_used_are_told_with_their_reason(ada):
    streaks.touch(ada.user, now=NOON - timedelta(days=2))
    ada.post("streaks/update")

    assert ada.json("streaks/status")["freeze_history"] == [
        {"date": "2026-06-02", "reason": "automatic", "is_returned": False},
    ]


def test_reading_writes_nothing(ada):
    streaks.touch(ada.user, now=NOON - timedelta(days=9))
    before = ada.json("me/data")

    status = ada.json("streaks/status")

    assert (status["current_streak"], status["longest_streak"], status["status"]) == (0, 1, "broken")
    assert ada.json("me/data") == before


# Freezing


def test_a_freeze_covers_today_once(ada):
    streaks.touch(ada.user, now=NOON - timedelta(days=1))

    first, second = ada.post("streaks/freeze"), ada.post("streaks/freeze")

    assert (first.status_code, second.status_code) == (200, 200)
    assert (first.json()["action"], second.json()["action"]) == ("frozen", "frozen")
    assert first.json()["streak"] == second.json()["streak"]
    assert (first.json()["transitions"], second.json()["transitions"]) == (["frozen"], [])
    assert first.json()["streak"]["streak_freezes_available"] == 2


@pytest.mark.parametrize(
    ("days_ago", "code"),
    [(0, "already_active_today"), (9, "no_active_streak"), (None, "no_active_streak"), (4, "no_freezes_left")],
)
def test_what_cannot_be_frozen_is_refused(days_ago, code, ada):
    if days_ago is not None:
        streaks.touch(ada.user, now=NOON - timedelta(days=days_ago))

    assert_problem(ada.post("streaks/freeze"), 409, code)

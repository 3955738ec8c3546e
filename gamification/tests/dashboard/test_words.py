"""What is said about a streak, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gamification.dashboard import words
from gamification.engine.results import StreakStatus
from gamification.exceptions import GamificationError, NoFreezesLeft

TODAY = date(2026, 6, 10)


def said(current: int = 5, status: str = "active", today_status: str = "", **fields: Any) -> words.StreakWords:
    zone = fields.pop("timezone", "UTC")
    streak = StreakStatus(
        current=current,
        longest=fields.pop("longest", current),
        freezes=fields.pop("freezes", 2),
        status=status,
        expires_at=fields.pop("expires_at", datetime(2026, 6, 13, tzinfo=UTC)),
        last_activity_date=TODAY,
        total_active_days=current,
    )
    return words.of_streak(streak, today_status=today_status, today=TODAY, timezone=zone)


@pytest.mark.parametrize(
    ("length", "tone"),
    [(0, "grey"), (1, "gold"), (6, "gold"), (7, "orange"), (29, "orange"), (30, "red"), (31, "red"), (4000, "red")],
)
def test_the_flame_has_the_colour_of_its_length(length, tone):
    assert words.tone(length) == tone


@pytest.mark.parametrize(
    ("length", "sentence"),
    [
        (1, "2 more days to a streak of 3."),
        (3, "3 days in a row. Be proud!"),
        (6, "Only 1 more day to a streak of 7."),
        (365, "365 days in a row. Be proud!"),
        (366, "364 more days to a streak of 730."),
        (1000, "95 more days to a streak of 1,095."),
    ],
)
def test_there_is_always_a_next_goal(length, sentence):
    assert said(length).cheer == sentence


@pytest.mark.parametrize(
    ("expires_at", "sentence"),
    [
        (datetime(2026, 6, 11, tzinfo=UTC), "Safe until the end of today (UTC)."),
        (datetime(2026, 6, 12, tzinfo=UTC), "Safe until the end of tomorrow (UTC)."),
        (datetime(2026, 6, 13, tzinfo=UTC), "Safe until the end of Friday, June 12 (UTC)."),
        (datetime(2026, 6, 11, 15, 30, tzinfo=UTC), "Safe until tomorrow, 3:30 p.m. (UTC)."),
    ],
)
def test_the_deadline_is_said_as_people_would(expires_at, sentence):
    assert said(expires_at=expires_at).deadline == sentence


def test_the_deadline_is_in_the_zone_of_the_person():
    expires_at = datetime(2026, 6, 12, 22, tzinfo=UTC)

    assert said(expires_at=expires_at, timezone="Europe/Berlin").deadline == (
        "Safe until the end of Friday, June 12 (Berlin time)."
    )


def test_what_does_not_run_has_no_deadline():
    assert said(0, "broken", longest=4, expires_at=datetime(2026, 6, 1, tzinfo=UTC)).deadline == ""
    assert said(0, "none", expires_at=None).deadline == ""


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("UTC", "UTC"),
        ("Etc/GMT+3", "GMT+3"),
        ("Europe/Berlin", "Berlin time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
    ],
)
def test_zones_are_called_by_their_city(zone, name):
    assert words.zone_name(zone) == name


@pytest.mark.parametrize(
    ("status", "today_status", "sentence"),
    [
        ("active", "active", "Done for today"),
        ("at_risk", "", "Not yet today"),
        ("frozen", "", "Saved by a freeze, not yet today"),
        ("frozen", "frozen", "Today is frozen"),
        ("broken", "", "Ready for a fresh start"),
        ("none", "", "Ready to begin"),
    ],
)
def test_how_today_stands(status, today_status, sentence):
    assert said(0 if status in {"broken", "none"} else 5, status, today_status).today == sentence


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "at_risk"}, True),
        ({"status": "frozen"}, True),
        ({"status": "active"}, False),
        ({"status": "frozen", "today_status": "frozen"}, False),
        ({"status": "at_risk", "freezes": 0}, False),
        ({"status": "broken", "current": 0}, False),
        ({"status": "none", "current": 0}, False),
    ],
)
def test_a_freeze_is_offered_only_where_it_helps(fields, expected):
    assert said(**fields).can_freeze is expected


def test_without_automatic_freezes_midnight_counts(settings):
    settings.GAMIFICATION = {"STREAK_AUTO_FREEZE": False}

    assert said(5, "at_risk").cheer == "One small thing before midnight makes it 6."


def test_refusals_are_said_kindly_and_unknown_ones_as_they_are():
    assert words.refusal(NoFreezesLeft()) == "You have no freeze left. You earn new ones by keeping a streak."
    assert words.refusal(GamificationError("Something else.")) == "Something else."


def test_a_record_of_one_day_is_a_record():
    assert said(0, "broken", longest=1).cheer.startswith("Your record of 1 day is yours to keep.")

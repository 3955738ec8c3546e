"""The dashboard's data in one answer."""

from __future__ import annotations

from gamification.services import activities

NAMES = [
    "today", "timezone", "is_new", "level", "streak", "week", "freeze_history", "achievements", "unlocked_count",
    "visible_count", "leaderboard", "calendar", "recent_xp",
]  # fmt: skip


def test_a_newcomer_gets_a_whole_dashboard_of_noughts(ada, catalogue):
    told = ada.json("dashboard")

    assert list(told) == NAMES
    assert (told["is_new"], told["level"]["total_xp"], told["streak"]["status"]) == (True, 0, "none")
    assert (len(told["achievements"]), told["unlocked_count"], told["recent_xp"]) == (27, 0, [])
    assert (len(told["calendar"]), len(told["week"])) == (365, 7)
    assert told["calendar"][-1] == {"date": told["today"], "status": None, "activities": 0, "xp": 0}
    assert told["leaderboard"]["entries"] == []


def test_it_says_what_the_other_routes_say(ada, catalogue):
    activities.record(ada.user, "scenario_completed", key="k", data={"difficulty": "advanced", "minutes": 50})

    told = ada.json("dashboard")
    status = ada.json("streaks/status")

    assert told["is_new"] is False
    assert told["level"] == ada.json("xp/level")
    assert told["achievements"] == ada.json("achievements")
    assert told["recent_xp"] == ada.json("xp/history")["results"]
    assert told["leaderboard"] == ada.json("leaderboard/xp_all_time")
    shared = {name: told[name] for name in ("timezone", "week", "freeze_history")}
    assert {**told["streak"], **shared, "last_at": status["last_at"]} == status
    assert told["calendar"][-1]["activities"] == 1
    assert told["unlocked_count"] == sum(each["unlocked"] for each in told["achievements"])

"""The settings of the world that is attacked; read before there are models."""

from __future__ import annotations

from typing import Any

#: A kind whose data are the project's own affair, and which counts distinct texts.
NOTE = "note"
GAMIFICATION: dict[str, Any] = {
    "DISPLAY_NAME": "project.hooks.username",
    "ACTIVITY_TYPES": {NOTE: {"counters": {"tags": {"distinct": "tag"}}, "label": "Note"}},
    "LEADERBOARD_COUNTERS": ["scenarios_completed", "tags"],
    "SCOPES": "gamification.tests.attacks.world.members",
}

"""Every route and method of the API: who may call it, and how many queries it may take.

``queries`` are ceilings for a signed-in user with rows, a session read from the cache and the user row included;
content types are not cached yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BY_CALLER = ("anonymous", "ada", "bob", "staff", "trusted")
SIGNED_IN = (401, 200, 200, 200, 200)


def only_trusted(status: int) -> tuple[int, ...]:
    return (401, 403, 403, 403, status)


@dataclass(frozen=True)
class Row:
    """A row of the table. ``statuses`` are those of anonymous, two users, staff, and staff with the permissions.

    ``permission`` is the one of the app's that a route asks for which is not everybody's.
    In ``path`` and ``body``, ``{bob}`` is a user's primary key ``{transaction}`` a transaction and
    ``{activity}`` an activity of bob's.
    """

    method: str
    route: str
    statuses: tuple[int, ...]
    queries: int
    path: str = ""
    body: Any = None
    key: str | None = None
    permission: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


TABLE = (
    Row("GET", "achievements", SIGNED_IN, 6),
    Row("GET", "achievements/{achievement_id}", SIGNED_IN, 8, path="achievements/first_scenario"),
    Row("GET", "achievements/user", SIGNED_IN, 6),
    Row("GET", "achievements/progress", SIGNED_IN, 6),
    Row("POST", "achievements/check", SIGNED_IN, 10),
    Row("POST", "achievements/initialize", only_trusted(200), 7, permission="initialize_achievements"),
    Row("GET", "streaks/status", SIGNED_IN, 8),
    Row("POST", "streaks/update", SIGNED_IN, 16),
    Row("POST", "streaks/freeze", (401, 409, 409, 409, 409), 8),
    Row("GET", "xp/level", SIGNED_IN, 2),
    Row(
        "POST",
        "xp/award",
        only_trusted(201),
        20,
        body={"user": "{bob}", "amount": 10, "reason": "essay"},
        key="award",
        permission="award_xp",
    ),
    Row("GET", "xp/history", SIGNED_IN, 2),
    Row("GET", "xp/stats", SIGNED_IN, 5),
    Row(
        "POST",
        "xp/transactions/{transaction_id}/reverse",
        only_trusted(201),
        20,
        path="xp/transactions/{transaction}/reverse",
        body={"reason": "twice"},
        key="reversal",
        permission="reverse_xp",
    ),
    Row("GET", "leaderboard/{metric}", SIGNED_IN, 7, path="leaderboard/xp_all_time"),
    Row("GET", "leaderboard/{metric}/rank", SIGNED_IN, 7, path="leaderboard/xp_all_time/rank"),
    Row(
        "POST",
        "activities",
        only_trusted(201),
        22,
        body={"kind": "daily_visit", "user": "{bob}"},
        key="visit",
        permission="record_activity",
    ),
    Row(
        "POST",
        "activities/{activity_id}/void",
        only_trusted(200),
        32,
        path="activities/{activity}/void",
        body={"reason": "a fake"},
        permission="void_activity",
    ),
    Row("GET", "dashboard", SIGNED_IN, 22),
    Row("GET", "me", SIGNED_IN, 3),
    Row("PATCH", "me", SIGNED_IN, 20, body={"timezone": "Europe/Berlin", "is_visible": False}),
    Row("GET", "me/data", SIGNED_IN, 16),
    Row("DELETE", "me/data", (401, 204, 204, 204, 204), 81, body={"password": "{password}"}),
)


def filled(value: Any, names: dict[str, Any]) -> Any:
    """Return ``value`` with the placeholders of a row replaced; one that is a whole text keeps its value's type."""
    if isinstance(value, dict):
        return {name: filled(inner, names) for name, inner in value.items()}
    if isinstance(value, str):
        return names[value[1:-1]] if value[1:-1] in names else value.format_map(names)
    return value

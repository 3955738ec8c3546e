"""A great many users at once, by raw SQL: their scores, and if wanted their days and a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection

TODAY = date(2026, 6, 10)
PRIME = 999_983  # the users' order by score has nothing to do with their order by id

SEQUENCES = {
    "sqlite": "WITH RECURSIVE s(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM s WHERE i < {last})",
    "postgresql": "WITH s(i) AS (SELECT generate_series({first}::bigint, {last}::bigint))",
}
BEFORE = {"sqlite": "date('{day}', '-' || ({days}) || ' days')", "postgresql": "DATE '{day}' - ({days})::int"}
#: The rows are right, so nobody needs to look up what they refer to.
UNCHECKED = {"sqlite": ["PRAGMA foreign_keys = OFF"], "postgresql": ["SET session_replication_role = replica"]}
CHECKED = {"sqlite": ["PRAGMA foreign_keys = ON"], "postgresql": ["SET session_replication_role = DEFAULT"]}
TABLES = (
    "authtoken_token",
    "django_session",
    "gamification_leaderboardcache",
    "gamification_xptransaction",
    "gamification_userday",
    "gamification_usercounter",
    "gamification_userstreak",
    "gamification_userxp",
    "auth_user",
)
BOOKED_A_DAY = 4
INTO_DAYS = (
    "INSERT INTO gamification_userday (user_id, date, status, reason, activities, xp, freezes_earned, freezes_used, "
    "freezes_returned, is_early, is_night)"
)
VACUUM = {"sqlite": "ANALYZE", "postgresql": "VACUUM (ANALYZE)"}


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many ``users``, with ids from 1, and what each has. One in ``hidden_every`` has opted out or is banned.

    Scores are skewed and tied, as those of people are: 100,000 different totals of XP among a million. ``days`` is on
    how many of the last 30 dates each earned XP; or instead ``ledger`` tells in how many rows that was booked, over the
    last year.
    """

    users: int
    hidden_every: int = 1000
    days: int = 0
    ledger: int = 0


def populate(crowd: Crowd) -> None:
    """Fill an empty, migrated database."""
    with connection.cursor() as cursor:
        for setting in UNCHECKED[connection.vendor]:
            cursor.execute(setting)
        for statement in _statements(crowd):
            cursor.execute(statement)
        for setting in CHECKED[connection.vendor]:
            cursor.execute(setting)
    vacuum()


def empty() -> None:
    """Remove everybody, and the snapshots of their boards."""
    with connection.cursor() as cursor:
        for setting in UNCHECKED[connection.vendor]:
            cursor.execute(setting)
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}" if connection.vendor == "sqlite" else f"TRUNCATE {table} CASCADE")


def change(every: int) -> None:
    """Write to one row in ``every``, as awards do, and keep the housekeeping from following up."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE gamification_userxp SET (autovacuum_enabled = false)")
        cursor.execute(f"UPDATE gamification_userxp SET total_xp = total_xp + 5 WHERE user_id % {every} = 0")


def vacuum() -> None:
    """Do what the database's own housekeeping does sooner or later."""
    with connection.cursor() as cursor:
        cursor.execute(VACUUM[connection.vendor])


def score_of(number: str) -> str:
    """Return the SQL of the total XP of the user ``number``, from 1 to 100,000."""
    spread = f"({number} * {PRIME} % 1000003)"
    return f"(1 + {spread} * {spread} / 10000061)"


def numbers(first: int, last: int) -> str:
    """Return the SQL of a common table ``s`` with the whole numbers ``i`` from ``first`` to ``last``."""
    return SEQUENCES[connection.vendor].format(first=first, last=last)


def before(days: str) -> str:
    """Return the SQL of the date so many ``days`` before today."""
    return BEFORE[connection.vendor].format(day=TODAY, days=days)


def _statements(crowd: Crowd) -> list[str]:
    """Return what fills each table; nothing but numbers of our own is written into the texts."""
    people, every = numbers(1, crowd.users), crowd.hidden_every
    no = "false" if connection.vendor == "postgresql" else "0"
    streak = f"(i * {PRIME} % 97)"
    expiry = f"CASE WHEN i % 3 = 0 THEN '{TODAY.replace(year=2030)} 00:00:00+00' ELSE '{TODAY} 00:00:00+00' END"
    if connection.vendor == "postgresql":
        expiry = f"({expiry})::timestamptz"
    statements = [
        (
            f"INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_superuser, is_staff, "
            f"is_active, date_joined) {people} SELECT i, 'user-' || i, '!', '', '', 'user-' || i || '@example.org', "
            f"{no}, {no}, i % {2 * every} <> 1, '2026-01-01 00:00:00+00' FROM s"
        ),
        (
            f"INSERT INTO gamification_userxp (user_id, total_xp, total_xp_earned, current_level, highest_level, "
            f"xp_to_next_level, level_progress_percentage, title, is_visible, version) {people} SELECT i, "
            f"{score_of('i')}, {score_of('i')}, 1, 1, 100, 0, 'Novice', i % {2 * every} <> 2, 1 FROM s"
        ),
        (
            f"INSERT INTO gamification_userstreak (user_id, current_streak, longest_streak, streak_freezes_available, "
            f"starting_freezes, total_active_days, timezone, expires_at) {people} SELECT i, {streak}, {streak} + 5, "
            f"3, 3, {streak}, 'UTC', {expiry} FROM s"
        ),
        (
            f"INSERT INTO gamification_usercounter (user_id, name, value) {people} SELECT i, 'scenarios_completed', "
            f"{score_of('i')} / 80 FROM s"
        ),
        (
            f"INSERT INTO gamification_usercounter (user_id, name, value) {people} SELECT i, 'achievements_unlocked', "
            f"i % 28 FROM s"
        ),
    ]
    # One in two was active in the last week, so that the week and the month differ.
    statements += [
        f"{INTO_DAYS} {people} SELECT i, {before(f'{ago} + 9 * (i % 2)')}, 'active', '', 1, "
        f"5 * (1 + i * {PRIME} % (191 + {ago})), 0, 0, 0, {no}, {no} FROM s"
        for ago in range(crowd.days)
    ]
    return [*statements, *_booked(crowd, no)] if crowd.ledger else statements


def _booked(crowd: Crowd, no: str) -> list[str]:
    """Return what fills a ledger, four rows for each day on which somebody was active, and the days from it."""
    active_days = max(1, crowd.ledger // crowd.users // BOOKED_A_DAY)
    earned_on = before(f"(i / {crowd.users} / {BOOKED_A_DAY}) * 365 / {active_days}")
    booked = (
        f"INSERT INTO gamification_xptransaction (user_id, xp_amount, reason, reference_id, created_at, metadata, "
        f"source, key, earned_on, content_hash, outcome) {numbers(0, crowd.ledger - 1)} SELECT 1 + i % {crowd.users}, "
        f"5 + i * {PRIME} % 199, 'gift', '', '2026-06-10 12:00:00+00', '{{}}', 'client', 'k' || i, {earned_on}, '', "
        f"'{{}}' FROM s"
    )
    days = (
        f"{INTO_DAYS} SELECT user_id, earned_on, 'active', '', 1, SUM(xp_amount), 0, 0, 0, {no}, {no} "
        f"FROM gamification_xptransaction GROUP BY user_id, earned_on"
    )
    return [booked, days]

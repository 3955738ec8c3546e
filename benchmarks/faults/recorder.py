"""A process that records all the time by plain SQL, whatever columns a migration adds or takes meanwhile."""

from __future__ import annotations

import random
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks.faults.beside import beside

NAME = "gamification-recorder"
XP = 5
LOCK = "SELECT current_streak FROM gamification_userstreak WHERE user_id = %(user)s FOR UPDATE"
SITE = "SELECT (SELECT count(*) FROM gamification_excuseddate), (SELECT count(*) FROM gamification_achievement)"
#: What recording an activity writes, table by table, in columns that are there since the first release.
ACTIVITY = """
INSERT INTO gamification_activity (user_id, kind, key, quantity, data, occurred_at, timezone, local_date, is_in_streak,
    counters, content_hash, outcome, recorded_at)
VALUES (%(user)s, 'daily_visit', %(key)s, 1, '{}', now(), 'UTC', current_date, true, '{}', '', '{}', now())
"""
DAY = """
INSERT INTO gamification_userday (user_id, date, status, reason, activities, xp, freezes_earned, freezes_used,
    freezes_returned, is_early, is_night)
VALUES (%(user)s, current_date, 'active', '', 1, %(xp)s, 0, 0, 0, false, false)
ON CONFLICT (user_id, date) DO UPDATE SET xp = gamification_userday.xp + excluded.xp
"""
COUNTER = """
INSERT INTO gamification_usercounter (user_id, name, value) VALUES (%(user)s, 'visits', 1)
ON CONFLICT (user_id, name) DO UPDATE SET value = gamification_usercounter.value + 1
"""
PROGRESS = """
INSERT INTO gamification_userachievement (user_id, achievement_id, progress, unlock_metadata, grants)
VALUES (%(user)s, 'visitor', 1, '{}', 0) ON CONFLICT (user_id, achievement_id) DO UPDATE SET progress = 2
"""
LEDGER = """
INSERT INTO gamification_xptransaction (user_id, xp_amount, reason, reference_id, created_at, metadata, source, key,
    earned_on, content_hash, outcome)
VALUES (%(user)s, %(xp)s, 'visit', '', now(), '{}', 'activity', %(key)s, current_date, '', '{}')
"""
TOTAL = """
UPDATE gamification_userxp SET total_xp = total_xp + %(xp)s, version = version + 1 WHERE user_id = %(user)s
"""
STATEMENTS = (LOCK, SITE, ACTIVITY, DAY, COUNTER, PROGRESS, LEDGER, TOTAL)


@dataclass(slots=True)
class Recorded:
    """What a recorder has done: how many were acknowledged, the longest that one took in seconds, what went wrong."""

    acknowledged: int = 0
    longest: float = 0
    errors: list[str] = field(default_factory=list)


def recording(url: str, users: int) -> AbstractContextManager[Recorded]:
    """Record in a process of its own while the block runs; what it has done is known behind the block."""
    return beside(_record, url, users, told=Recorded())


def _record(url: str, users: int, stop: Any, answer: Any) -> None:
    done, dice = Recorded(), random.Random(5)
    with psycopg.connect(url, application_name=NAME) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        answer.send(True)
        while not stop.is_set():
            begun = time.perf_counter()
            row = {"user": dice.randint(1, users), "key": f"during-{time.time_ns()}", "xp": XP}
            try:
                for statement in STATEMENTS:
                    connection.execute(statement, row)
                connection.commit()
                done.acknowledged += 1
            except psycopg.Error as error:
                done.errors.append(f"{error}")
                connection.rollback()
            done.longest = max(done.longest, time.perf_counter() - begun)
    answer.send(done)

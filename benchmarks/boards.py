"""Boards of a million people: somebody's rank, a snapshot, and the windows.

The windows are compared with 1,000,000 rows of the ledger, with ``FULL=1`` in the environment with ten million.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import redis
from django.contrib.auth import get_user_model
from django.db import connection

from benchmarks import people
from benchmarks.harness import Measurement, cost, seconds
from gamification.backends.base import BoardName
from gamification.backends.database import DatabaseBackend
from gamification.services import leaderboards
from gamification.tests import servers

DATABASES = ("sqlite", "postgresql")
NOW = datetime.combine(people.TODAY, time(12), UTC)
METRIC = "xp_all_time"
BACKEND = DatabaseBackend()
LOOKUP = "the score by primary key, through the driver"
VIEW = "REFRESH MATERIALIZED VIEW CONCURRENTLY"
LEDGER = "the same board from the ledger"
#: One row in so many is written to before ranks and snapshots are measured again.
CHANGED = 20
SEEN = (
    "u.is_active AND NOT EXISTS (SELECT 1 FROM gamification_userxp h WHERE h.user_id = x.user_id AND NOT h.is_visible)"
)
SCORES = {
    METRIC: "SELECT x.user_id, x.total_xp AS score FROM gamification_userxp x WHERE x.total_xp > 0",
    "streak_longest": "SELECT x.user_id, x.longest_streak AS score FROM gamification_userstreak x",
    "scenarios_completed": "SELECT x.user_id, x.value AS score FROM gamification_usercounter x "
    "WHERE x.name = 'scenarios_completed' AND x.value > 0",
    "xp_weekly": "SELECT x.user_id, SUM(x.xp) AS score FROM gamification_userday x "
    f"WHERE x.date >= '{people.TODAY - timedelta(days=6)}' GROUP BY x.user_id",
}


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    """Yield all of it: first few people, then many, then a ledger."""
    users, rounds = (20_000, 3) if is_quick else (1_000_000, 5)
    people.populate(people.Crowd(10_000, hidden_every=20))
    yield from _ranks(database, "10,000 users", rounds)
    people.empty()
    people.populate(people.Crowd(users, hidden_every=20, days=2))
    yield from _ranks(database, f"{users:,} users", rounds)
    yield from _counted_by_redis(database, users, rounds)
    if database == "postgresql":
        yield from _snapshots(database, is_quick=is_quick)
    people.change(CHANGED)
    yield from _ranks(database, f"{users:,} users, one row in {CHANGED} changed", rounds)
    people.empty()
    ledger = 100_000 if is_quick else 10_000_000 if os.environ.get("FULL") == "1" else 1_000_000
    people.populate(people.Crowd(max(1000, ledger // 100), ledger=ledger))
    yield from _windows(database, ledger)


class Asked:
    """People at the top, in the middle and at the bottom, with what the product asks the database for their ranks."""

    def __init__(self) -> None:
        self.snapshot = BACKEND.refresh(BoardName(METRIC), NOW)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT user_id, total_xp FROM gamification_userxp x WHERE {_among('x')} ORDER BY 2")
            found = cursor.fetchall()
        middle = len(found) // 2
        self.people = [*found[:5], *found[middle : middle + 5], *found[-5:]]
        self.statements = [(score, self._statements(user_id)) for user_id, score in self.people]
        self.lookups = [statements[0] for _, statements in self.statements]
        self.driver = connection.connection.cursor()

    def _statements(self, user_id: Any) -> list[tuple[str, Sequence[Any]]]:
        """Return the statements of one rank, in the driver's own words, once the rank proved to be right."""
        caught: list[tuple[str, Sequence[Any]]] = []

        def catch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            caught.append((sql.replace("%s", "?") if connection.vendor == "sqlite" else sql, tuple(params)))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(catch):
            rank = BACKEND.position(BoardName(METRIC), user_id, NOW, snapshot=self.snapshot).rank
        score = dict(self.people)[user_id]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 + COUNT(*) FROM ({SCORES[METRIC]}) x JOIN auth_user u ON u.id = x.user_id "
                f"WHERE {SEEN} AND x.score > %s",
                [score],
            )
            if cursor.fetchone() != (rank,):
                raise SystemExit(f"The rank of {user_id} is wrong: {rank}")
        return caught

    def look_up(self) -> None:
        for sql, params in self.lookups:
            self.driver.execute(sql, params).fetchall()

    def rank(self) -> None:
        ladder = self.snapshot.ladder
        for score, statements in self.statements:
            for sql, params in statements:
                self.driver.execute(sql, params).fetchall()
            if ladder is not None:
                _, step = ladder.above(score)
                ladder.hidden_between(score, step)


def _among(table: str) -> str:
    """Return the condition of a few dozen users, evenly spread over the board, and its ends."""
    return f"{table}.total_xp > 0 AND {table}.user_id % 97 = 3"


_costs: dict[str, float] = {}


def _ranks(database: str, crowd: str, rounds: int) -> Iterator[Measurement]:
    asked = Asked()
    number = len(asked.people)
    labels: dict[str, Any] = {"rounds": 3 * rounds, "operations": number}
    floor: Any = asked.look_up
    row = cost(f"rank: its statements, {crowd}", database, floor, asked.rank, goal="<= 5", against=LOOKUP, **labels)
    yield row
    before = _costs.setdefault("rank", row.product_us)
    if row.product_us != before:
        ratio = round(row.product_us / before, 3)
        yield Measurement(
            f"rank: its statements, {crowd}", database, ratio, ratio, ratio, "<= 2", "its own cost at 10,000 users",
            before, row.product_us, labels["rounds"], "not in turns: one database holds one crowd at a time",
        )  # fmt: skip
    users = list(get_user_model()._default_manager.filter(pk__in=[pk for pk, _ in asked.people]))

    def serve() -> None:
        for user in users:
            leaderboards.rank(user, METRIC, now=NOW)

    def serve_around() -> None:
        for user in users:
            leaderboards.around(user, METRIC, now=NOW)

    yield cost(f"leaderboards.rank(), {crowd}", database, floor, serve, against=LOOKUP, **labels)
    yield cost(f"leaderboards.around(), {crowd}", database, floor, serve_around, against=LOOKUP, **labels)


def _counted_by_redis(database: str, users: int, rounds: int) -> Iterator[Measurement]:
    asked = Asked()
    with servers.redis_server() as url, redis.Redis.from_url(url) as client:
        with connection.cursor() as cursor:
            cursor.execute("SELECT user_id, total_xp FROM gamification_userxp")
            while part := cursor.fetchmany(20_000):
                client.zadd("board", {f"{pk:019}": score for pk, score in part})

        def zcount() -> None:
            for _, score in asked.people:
                client.zcount("board", f"({score}", "+inf")

        goal = "<= 2" if database == "sqlite" else "<= 4"
        labels: dict[str, Any] = {"rounds": 3 * rounds, "operations": len(asked.people)}
        yield cost(
            f"rank: its statements, {users:,} users",
            database,
            zcount,
            asked.rank,
            goal=goal,
            against="ZCOUNT",
            **labels,
        )


def _snapshots(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    for metric, sql in SCORES.items():
        with _ranked_view(sql) as refresh:
            yield cost(
                f"snapshot of {metric}", database, refresh, partial(BACKEND.build, BoardName(metric), NOW),
                goal="" if is_quick else "<= 0.0333", against=VIEW, rounds=1,
            )  # fmt: skip


@contextmanager
def _ranked_view(sql: str) -> Iterator[Any]:
    """Make the materialized view that would hold a whole board, and yield what brings it up to date."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE MATERIALIZED VIEW board AS SELECT x.user_id, x.score, RANK() OVER (ORDER BY x.score DESC) AS rank "
            f"FROM ({sql}) x JOIN auth_user u ON u.id = x.user_id WHERE x.score > 0 AND {SEEN}"
        )
        cursor.execute("CREATE UNIQUE INDEX ON board (user_id)")
        cursor.execute("CREATE INDEX ON board (rank)")
        try:
            yield lambda: cursor.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY board")
        finally:
            cursor.execute("DROP MATERIALIZED VIEW board")


def _windows(database: str, ledger: int) -> Iterator[Measurement]:
    for metric, days in (("xp_weekly", 7), ("xp_monthly", 30)):
        sums = (
            "SELECT x.user_id, SUM(x.xp_amount) AS score FROM gamification_xptransaction x JOIN auth_user u "
            f"ON u.id = x.user_id WHERE x.earned_on >= '{people.TODAY - timedelta(days=days - 1)}' AND {SEEN} "
            "GROUP BY x.user_id HAVING SUM(x.xp_amount) > 0"
        )

        def from_ledger(sums: str = sums) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"{sums} ORDER BY 2 DESC, 1 LIMIT 1000")
                cursor.fetchall()
                cursor.execute(f"SELECT COUNT(*) FROM ({sums}) x")

        def build(metric: str = metric) -> None:
            BACKEND.build(BoardName(metric), NOW)

        def top(metric: str = metric) -> None:
            BACKEND.top(BoardName(metric), NOW, frozenset(), 1000)

        note = "" if ledger >= 10_000_000 else "FULL=1 measures ten million"
        work = f"{metric}, {ledger:,} rows of the ledger"
        goal = "<= 0.04" if ledger >= 10_000_000 else ""
        seconds(build)
        yield cost(f"{work}: snapshot", database, from_ledger, build, goal=goal, against=LEDGER, rounds=3, note=note)
        yield cost(f"{work}: top 1000", database, from_ledger, top, against=LEDGER, rounds=3, note=note)

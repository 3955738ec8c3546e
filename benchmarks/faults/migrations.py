"""Migrations of a large site that goes on: forward, back and forward with people in it, while somebody records all
the time; and the previous release's code on the newest tables.

With ``PREVIOUS_RELEASE`` in the environment that is another commit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from benchmarks import people
from benchmarks.faults.lock_watch import Seen, watching
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.recorder import NAME, XP, Recorded, recording
from benchmarks.harness import seconds
from gamification.services import achievements, integrity
from gamification.tests import servers
from gamification.tests.races.processes import database

#: The first state that a site can come from without a pause: indexes are built beside writers since then.
FIRST = "0004"
LONGEST_LOCK = 1.0
PREVIOUS = "5a756ee"
SUMS = {
    "ledger": "SELECT count(*), sum(xp_amount) FROM gamification_xptransaction",
    "totals": "SELECT count(*), sum(total_xp) FROM gamification_userxp",
    "days": "SELECT count(DISTINCT user_id), sum(xp) FROM gamification_userday",
}
VISITOR = (
    "INSERT INTO gamification_achievement (achievement_id, name, description, category, xp_reward, icon, rarity, "
    "conditions, is_active, is_hidden, \"order\", revision) VALUES ('visitor', 'Visitor', '', 'special', 0, '', "
    "'common', '{}', false, false, 0, 1)"
)


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield what the migrations came to, and what the previous release's code can do with the newest tables."""
    users, ledger = (2_000, 20_000) if is_quick else (1_000_000, 10_000_000)
    with servers.postgresql(durable=False) as url, database(url):
        call_command("migrate", verbosity=0)
        call_command("migrate", "gamification", FIRST, verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(VISITOR)
        people.populate(people.Crowd(users, ledger=ledger))
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence('auth_user', 'id'), max(id)) FROM auth_user")
        yield _there_and_back(url, users, ledger)
        yield _previous_release(url)


def _there_and_back(url: str, users: int, ledger: int) -> Outcome:
    """Migrate to the newest state, back to the first and to the newest again."""
    names = [name for app, name in MigrationLoader(connection).disk_migrations if app == "gamification"]
    number = 3 * len([name for name in names if name[:4] > FIRST])
    before = _sums()
    took: dict[str, float] = {}
    with watching(url, NAME) as seen, recording(url, users) as done:
        for step, target in (("forward", ()), ("back", (FIRST,)), ("forward again", ())):
            took[step] = seconds(lambda to=target: call_command("migrate", "gamification", *to, verbosity=0))  # type: ignore[misc]
    wrong = _wrong(before, _sums(), done, seen)
    figures = {
        "people": f"{users:,}",
        "rows of the ledger": f"{ledger:,}",
        "recorded meanwhile": f"{done.acknowledged:,}",
        "longest lock held": f"{seen.held * 1000:.0f} ms ({seen.lock or 'none seen'})",
        "longest wait for a lock": f"{seen.waited * 1000:.0f} ms ({seen.wait or 'none seen'})",
        "longest recording": f"{done.longest * 1000:.0f} ms",
        **{step: f"{duration:.0f} s" for step, duration in took.items()},
        **({"wrong": "; ".join(wrong)} if wrong else {}),
    }
    return Outcome("migrations beside a writer", "PostgreSQL", number, len(wrong), figures)


def _sums() -> dict[str, tuple[int, ...]]:
    with connection.cursor() as cursor:
        found = {}
        for name, statement in SUMS.items():
            cursor.execute(statement)
            found[name] = tuple(map(int, cursor.fetchone()))
    return found


def _wrong(before: dict[str, Any], after: dict[str, Any], done: Recorded, seen: Seen) -> list[str]:
    """Return a few words for each thing that is not as it should be."""
    found = [f"a recording failed: {error}" for error in done.errors]
    gained = {"ledger": (done.acknowledged, done.acknowledged * XP), "totals": (0, done.acknowledged * XP)}
    for name, (count, total) in before.items():
        more, sum_more = gained.get(name, (after[name][0] - count, done.acknowledged * XP))
        if after[name] != (count + more, total + sum_more):
            found.append(f"{name}: {before[name]} and {done.acknowledged} recorded became {after[name]}")
    if max(seen.held, seen.waited) > LONGEST_LOCK:
        found.append(f"a lock of more than {LONGEST_LOCK:.0f} s")
    return found


def _previous_release(url: str) -> Outcome:
    """Let the previous release do everything on the newest tables, and hold what it left against the rules of today."""
    commit = os.environ.get("PREVIOUS_RELEASE", PREVIOUS)
    title = f"release {commit} on the newest tables"
    achievements.initialize()
    with tempfile.TemporaryDirectory(prefix="gamification-previous-") as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=servers.ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
        script = Path(__file__).with_name("previous_release.txt").read_text()
        env = {**servers.environment({"DATABASE_URL": url}), "PYTHONPATH": folder}
        ran = subprocess.run([sys.executable, "-c", script], cwd=folder, env=env, capture_output=True, check=False)
    if ran.returncode:
        return Outcome(
            f"release {commit} on the newest tables", "PostgreSQL", 1, 1, {"error": ran.stderr.decode()[-500:]}
        )
    told: dict[str, str] = json.loads(ran.stdout)
    failed = {step: error for step, error in told.items() if error}
    users = get_user_model()._default_manager.filter(username__startswith="previous-")
    drifts = [str(drift) for drift in integrity.verify(users=users)]
    figures = {"failed": failed or "nothing", "drifts": drifts or 0}
    lost = len(failed) + len(drifts)
    return Outcome(title, "PostgreSQL", len(told), lost, figures)

"""Run benchmarks, each in a process and with a database of its own, print the tables and keep the figures as JSON.

A benchmark is a module of this package with ``DATABASES`` (``sqlite``, ``postgresql``, or none of them) and
``run(database, *, is_quick)``, which yields measurements. ``python -m benchmarks record ladder --quick`` runs two.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from benchmarks.tables import print_table
from gamification.tests import servers

ALL = (
    "record",
    "batches",
    "boards",
    "http",
    "redis_boards",
    "growth",
    "figures",
    "processes",
    "imports",
    "sizes",
    "admin",
    "triggers",
    "others",
)
RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    # Sites that are served without DEBUG take a secret of their own.
    os.environ.update(servers.environment({"SECRET_KEY": secrets.token_urlsafe(50)}))
    django.setup()
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", help=f"some of {', '.join(ALL)}; all when left out")
    options.add_argument("--quick", action="store_true", help="small numbers, to see that everything runs")
    options.add_argument("--json", type=Path, default=RESULTS, help="where the figures go (%(default)s)")
    chosen = options.parse_args()
    figures: dict[str, list[dict[str, Any]]] = {}
    for name in chosen.names or ALL:
        figures[name] = []
        for database in import_module(f"benchmarks.{name}").DATABASES or ("",):
            figures[name] += _run_apart(name, database, is_quick=chosen.quick)
        print_table(name, figures[name])
    kept = json.loads(chosen.json.read_text()) if chosen.json.exists() else {}
    chosen.json.write_text(json.dumps({**kept, **figures}, indent=1) + "\n")


def _run_apart(name: str, database: str, *, is_quick: bool) -> list[dict[str, Any]]:
    with _database(database) as url, tempfile.NamedTemporaryFile("r", suffix=".jsonl") as told:
        env = {"DATABASE_URL": url, "BENCHMARK": f"{name} {database or '-'} {int(is_quick)} {told.name}"}
        if database:
            servers.manage("migrate", "--skip-checks", "--verbosity=0", env=env)
        subprocess.run([sys.executable, "-m", "benchmarks"], env=servers.environment(env), check=True)
        return [json.loads(line) for line in told]


@contextmanager
def _database(kind: str) -> Iterator[str]:
    """Yield the URL of a private database: SQLite in WAL mode, or a PostgreSQL that syncs to the disk."""
    if kind == "postgresql":
        with servers.postgresql() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(prefix="gamification-benchmark-") as folder:
            yield f"sqlite:///{folder}/db.sqlite3"


def child(name: str, database: str, is_quick: str, told: str) -> None:
    """Be the process of one benchmark."""
    django.setup()
    settings.DEBUG = False  # else every statement would be written down
    with Path(told).open("a") as lines:
        for measurement in import_module(f"benchmarks.{name}").run(database.strip("-"), is_quick=is_quick == "1"):
            lines.write(json.dumps(measurement.as_dict()) + "\n")
            lines.flush()


if __name__ == "__main__":
    if task := os.environ.pop("BENCHMARK", ""):
        child(*task.split())
    else:
        main()

"""The whole API against its schema: schemathesis with all its checks and phases, as a user and as a trusted caller."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import Site, databases, site
from gamification.tests import servers

EXAMPLES, FEW = 200, 5
#: Who calls, and with which permissions of the app.
CALLERS = {
    "as a user": (),
    "as staff": ("award_xp", "reverse_xp", "record_activity", "initialize_achievements"),
}
SETUP = """
from django.contrib.auth.models import Permission, User
from rest_framework.authtoken.models import Token
from gamification.services import achievements, activities
achievements.initialize()
user = User.objects.create_user({name!r}, is_staff={is_staff})
user.user_permissions.set(
    Permission.objects.filter(content_type__app_label="gamification", codename__in={permissions!r})
)
activities.record(user, "scenario_completed", key="first", data={{"difficulty": "beginner"}})
print("token:" + Token.objects.create(user=user).key)
"""
#: A body can be all that the schema asks for and still be about somebody, or a place, that does not exist.
ABOUT_WHAT_EXISTS = ("POST", "PATCH", "DELETE")
CONFIG = """
[auth.openapi.tokenAuth]
api_key = "Token {token}"

[[operations]]
include-method = {methods}
checks.positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "/(history|leaderboard)"
checks.positive_data_acceptance.enabled = false
"""


def run(*, is_quick: bool) -> Iterator[Outcome]:
    for where, permissions in CALLERS.items():
        with databases("PostgreSQL") as urls, site(urls["PostgreSQL"]) as served:
            yield _attacked(served, where, permissions, FEW if is_quick else EXAMPLES)


def _attacked(served: Site, where: str, permissions: tuple[str, ...], examples: int) -> Outcome:
    code = SETUP.format(name=where.replace(" ", "_"), is_staff=bool(permissions), permissions=permissions)
    token = served.run(code).rpartition("token:")[2].strip()
    with tempfile.TemporaryDirectory(prefix="gamification-schemathesis-") as folder:
        config, report = Path(folder, "schemathesis.toml"), Path(folder, "report.json")
        config.write_text(CONFIG.format(token=token, methods=json.dumps(ABOUT_WHAT_EXISTS)))
        command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"]
        command += [f"{served.url}/api/schema/?format=json", "--include-path-regex", "^/api/v1/gamification/"]
        command += ["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure"]
        command += ["--max-examples", str(examples), "--seed", "1", "--suppress-health-check", "all"]
        command += ["--report", "json", "--report-json-path", str(report)]
        done = subprocess.run(
            command, cwd=folder, env=servers.environment({}), capture_output=True, text=True, check=False
        )
        if not report.exists():
            raise RuntimeError(f"schemathesis failed:\n{done.stdout}{done.stderr}")
        return _outcome(json.loads(report.read_text()), where, examples, done.stdout, served)


def _outcome(report: dict[str, Any], where: str, examples: int, printed: str, served: Site) -> Outcome:
    """Return what the report says; what failed is printed, and so is what the server wrote to its log."""
    cases, operations = report["test_cases"], report["operations"]
    is_whole = report["complete"] and operations["tested"] == operations["total"] and not report["errors"]
    lost = cases["with_failures"] + cases["errored"] + (not is_whole)
    if lost:
        sys.stderr.write(printed + served.said())
    figures = {"operations": operations["tested"], "examples each": examples, "seconds": round(report["running_time"])}
    return Outcome("the whole API", where, cases["generated"], lost, figures)

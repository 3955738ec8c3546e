"""Work in a process of its own, on a database of its own, and bring home what came out."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.test.utils import setup_test_environment

from gamification.tests import servers

ANSWER = "answer:"


def inside(database_url: str, function: str, **arguments: Any) -> Any:
    """Return what ``function``, as ``MODULE:NAME``, returns for ``arguments`` on a new database; all of it as JSON."""
    env = servers.environment({
        "DATABASE_URL": database_url, "DEBUG": "0", "SECRET_KEY": settings.SECRET_KEY, "SECURE_SSL_REDIRECT": "0",
        "ALLOWED_HOSTS": "testserver", "DJANGO_SETTINGS_MODULE": "benchmarks.faults.settings", "LOG_LEVEL": "CRITICAL",
    })  # fmt: skip
    servers.manage("migrate", "--skip-checks", "--verbosity=0", env=env)
    command = [sys.executable, "-m", "benchmarks.faults.inside", function, json.dumps(arguments)]
    done = subprocess.run(command, cwd=servers.ROOT, env=env, capture_output=True, text=True, check=False)
    before, found, answer = done.stdout.rpartition(ANSWER)
    if not found:
        raise RuntimeError(f"{function} failed:\n{before}{done.stdout[-3000:]}{done.stderr[-6000:]}")
    return json.loads(answer)


def main() -> None:
    django.setup()
    setup_test_environment()
    module, _, name = sys.argv[1].partition(":")
    answer = getattr(import_module(module), name)(**json.loads(sys.argv[2]))
    sys.stdout.write(ANSWER + json.dumps(answer))


if __name__ == "__main__":
    main()

"""What Lighthouse says of the pages on a phone, as they are served in production: ``python -m benchmarks.lighthouse``.

It needs Node, ``npm install lighthouse@12`` (``PUPPETEER_SKIP_DOWNLOAD=1``) in some folder, named by ``--node``, and a
quiet machine. Each page is looked at three times; each score is the median.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.utils.crypto import get_random_string

from gamification.tests import servers

ROUNDS = int(os.environ.get("ROUNDS", "3"))
PORT = 8765
PAGES = ("/gamification", "/", "/accounts/login/")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.lighthouse", description=__doc__)
    options.add_argument("--node", type=Path, default=Path(), help="the folder with node_modules (here)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="gamification-lighthouse-") as home:
        env = {"DATABASE_URL": f"sqlite:///{home}/db.sqlite3", "SECRET_KEY": get_random_string(50)}
        os.environ.update(servers.environment({**env, "DEBUG": "1"}))
        django.setup()
        headers = Path(home, "headers.json")
        headers.write_text(json.dumps({"Cookie": _signed_in()}))
        with _site({**env, "DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "0"}):
            for page in PAGES:
                reports = [_look(chosen.node, page, headers if page == PAGES[0] else None) for _ in range(ROUNDS)]
                _print(page, reports)


def _signed_in() -> str:
    """Fill the database with the demonstration's people, and return the cookie of the one with a full dashboard."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 -- once there are settings
    from django.test import Client  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    call_command("gamification_demo", stdout=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    client = Client()
    client.force_login(get_user_model()._default_manager.get_by_natural_key("ada"))
    client.get("/gamification", SERVER_NAME="127.0.0.1")  # what was unlocked so far is told once
    return f"sessionid={client.cookies['sessionid'].value}"


@contextmanager
def _site(env: dict[str, str]) -> Iterator[None]:
    servers.manage("collectstatic", "--no-input", "--verbosity=0", env=env)
    command = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{PORT}", "--log-level", "error"]
    command += ["--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
    process = subprocess.Popen(command, env=servers.environment(env))
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _look(node: Path, page: str, headers: Path | None) -> dict[str, Any]:
    command = [str(node / "node_modules/.bin/lighthouse"), f"http://127.0.0.1:{PORT}{page}", "--output=json", "--quiet"]
    command += ["--chrome-flags=--headless=new --no-sandbox", f"--only-categories={','.join(CATEGORIES)}"]
    command += [f"--extra-headers={headers}"] if headers else []
    done = subprocess.run(
        command, env={**os.environ, "CHROME_PATH": servers.chromium()}, check=True, capture_output=True, text=True
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _print(page: str, reports: list[dict[str, Any]]) -> None:
    """Print the median scores, and every audit of the last round that is not whole."""
    scores = {
        name: statistics.median(round(100 * (report["categories"][name]["score"] or 0)) for report in reports)
        for name in CATEGORIES
    }
    print(page, *(f"{name} {score:.0f}" for name, score in scores.items()), sep="  ")
    audits = reports[-1]["audits"].values()
    for audit in audits:
        if audit["score"] is not None and audit["score"] < 1:
            print(f"    {audit['id']}: {audit['score']} {audit.get('displayValue', '')}")
    scripts = [
        item["transferSize"]
        for item in reports[-1]["audits"]["network-requests"]["details"]["items"]
        if item.get("resourceType") == "Script"
    ]
    print(f"    JavaScript: {sum(scripts):,} bytes in {len(scripts)} files")


if __name__ == "__main__":
    main()

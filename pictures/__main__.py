"""Take the pictures of README and docs again, or some scenes of them: ``python -m pictures dashboards tags``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import django
import time_machine
from playwright.sync_api import sync_playwright

from gamification.tests import servers


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m pictures", description=__doc__)
    options.add_argument("scenes", nargs="*", help="all when left out")
    options.add_argument("--folder", type=Path, help="where the pictures go; docs/images when left out")
    chosen = options.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # what is drawn from a set must be the same each time
        again = [sys.executable, "-m", "pictures", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 -- itself
    with tempfile.TemporaryDirectory(prefix="gamification-pictures-") as home:
        env = {"DATABASE_URL": f"sqlite:///{home}/db.sqlite3", "DEBUG": "1", "LOG_LEVEL": "ERROR"}
        os.environ.update(servers.environment({**env, "ALLOWED_HOSTS": "practice.example.com"}))
        django.setup()
        _take(set(chosen.scenes), chosen.folder)


def _take(wanted: set[str], folder: Path | None) -> None:
    # What needs the settings is imported once there are some.
    from pictures import shots, stage  # noqa: PLC0415

    with time_machine.travel(stage.NOW, tick=False), stage.stage() as set_up, sync_playwright() as playwright:
        rules = f"--host-resolver-rules=MAP {urlsplit(shots.HOST).hostname}:80 127.0.0.1:{set_up.port}"
        arguments = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none", rules]
        browser = playwright.chromium.launch(executable_path=servers.chromium(), args=arguments)
        camera = shots.Camera(browser, set_up, folder or shots.FOLDER)
        for scene in shots.SCENES:
            if not wanted or scene.__name__ in wanted:
                scene(camera)
        browser.close()


if __name__ == "__main__":
    main()

"""Run scripts of this package and print what each tried and what was lost; the exit code is 1 if anything was.

A script is a module with ``run(*, is_quick)``, which yields outcomes. ``python -m benchmarks.faults kills --quick``
runs one with small numbers.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import secrets
import sys
from importlib import import_module
from pathlib import Path

import django

from gamification.tests import servers

#: What is no script.
FRAME = {"__main__", "outcomes"}


def main() -> int:
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    scripts = {name: import_module(f"benchmarks.faults.{name}") for name in names if name not in FRAME}
    scripts = {name: script for name, script in scripts.items() if hasattr(script, "run")}
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", help=f"some of {', '.join(scripts)}; all when left out")
    options.add_argument("--quick", action="store_true", help="small numbers, to see that everything runs")
    chosen = options.parse_args()
    lost = 0
    for name in chosen.names or scripts:
        for outcome in scripts[name].run(is_quick=chosen.quick):
            lost += outcome.lost
            told = "".join(f", {figure}: {value}" for figure, value in outcome.figures.items())
            print(f"{outcome.fault}, {outcome.where}: {outcome.tried:,} tried, {outcome.lost:,} lost{told}", flush=True)
    return int(lost > 0)


if __name__ == "__main__":
    # Sites that are served without DEBUG take a secret of their own.
    os.environ.update(servers.environment({"SECRET_KEY": secrets.token_urlsafe(50)}))
    django.setup()
    sys.exit(main())

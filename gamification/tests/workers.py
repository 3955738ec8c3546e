"""Real processes that do the same thing at the same moment: what threads and mocks cannot show about locks."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from gamification.tests.servers import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Outcome:
    """How one worker, counted from 0, ended. ``value`` is what its callable returned, None for a script."""

    number: int
    returncode: int
    value: Any
    stdout: str
    stderr: str


def run_workers(
    target: Path | str | Callable[[int], Any],
    n: int,
    env: Mapping[str, str],
    *,
    timeout: float = 120,
) -> list[Outcome]:
    """Run ``target`` in ``n`` processes that begin together once all have loaded Django; return how each ended.

    ``target`` is a function of a module, called with the worker's number, whose return value JSON can carry; its
    dotted path (``package.module:function``); or a script, which finds its number in ``NUMBER``. ``env`` holds at
    least ``DATABASE_URL``: the workers share a database, and not the one of the test. A worker that is not done after
    ``timeout`` seconds is killed and shows a negative return code.
    """
    name = f"{target.__module__}:{target.__qualname__}" if callable(target) else str(target)
    with tempfile.TemporaryDirectory(prefix="gamification-workers-") as folder:
        gate = Path(folder)
        processes = [_start(name, number, gate, env) for number in range(n)]
        deadline = time.monotonic() + timeout
        try:
            while any(p.poll() is None and not (gate / f"{i}.ready").exists() for i, p in enumerate(processes)):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.005)
            (gate / "go").touch()
            for process in processes:
                _wait(process, deadline)
        finally:
            for process in processes:
                process.kill()
                process.wait()
        return [_outcome(number, process.returncode, gate) for number, process in enumerate(processes)]


def _start(name: str, number: int, gate: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gamification.tests.workers", name, str(number), str(gate)]
    # Files, not pipes: a worker that waits for somebody to read would hold its locks meanwhile.
    with ExitStack() as stack:
        stdout, stderr = (stack.enter_context((gate / f"{number}.{end}").open("wb")) for end in ("out", "err"))
        return subprocess.Popen(command, cwd=ROOT, env=environment(env), stdout=stdout, stderr=stderr)


def _wait(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()


def _outcome(number: int, returncode: int, gate: Path) -> Outcome:
    value = gate / f"{number}.json"
    return Outcome(
        number=number,
        returncode=returncode,
        value=json.loads(value.read_text()) if value.exists() else None,
        stdout=(gate / f"{number}.out").read_text(errors="replace"),
        stderr=(gate / f"{number}.err").read_text(errors="replace"),
    )


def main(name: str, number: int, gate: Path) -> None:
    """Be worker ``number``: load everything, wait for the others, then go."""
    django.setup()
    module, _, function = name.partition(":")
    is_script = not function
    call = None if is_script else getattr(import_module(module), function)
    (gate / f"{number}.ready").touch()
    while not (gate / "go").exists():
        time.sleep(0.001)
    if is_script:
        runpy.run_path(name, init_globals={"NUMBER": number}, run_name="__main__")
    elif call is not None:
        (gate / f"{number}.json").write_text(json.dumps(call(number)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

"""What the tests of commands share: running one, and files for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from gamification.tests.helpers import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = at("2026-06-20T12:00")


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def manage() -> Callable[..., Outcome]:
    """Return a function that runs a command as ``manage.py`` does and returns how it ended."""

    def _manage(*arguments: object) -> Outcome:
        name, *rest = map(str, arguments)
        out, err = StringIO(), StringIO()
        try:
            call_command(name, *rest, stdout=out, stderr=err)
        except CommandError as error:
            return Outcome(error.returncode, out.getvalue(), f"{err.getvalue()}{error}")
        return Outcome(0, out.getvalue(), err.getvalue())

    return _manage


@pytest.fixture
def now() -> Iterator[None]:
    """Let it be ``NOW``."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file: lines of text, objects for JSONL, or bytes as they are."""

    def _file(name: str, *lines: Any) -> Path:
        path = tmp_path / name
        raw = (line if isinstance(line, str | bytes) else json.dumps(line) for line in lines)
        path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in raw) + b"\n")
        return path

    return _file

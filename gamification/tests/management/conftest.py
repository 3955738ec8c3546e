"""What the tests of commands share: running one, and files for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from gamification.models import Activity
from gamification.services import imports
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = at("2026-06-20T12:00")
HEADER = "user,kind,occurred_at,key"
FULL_HEADER = f"{HEADER},quantity,timezone,data"
VISIT = "ada,daily_visit,2026-06-01T12:00:00+00:00,k1"


def run(*lines: bytes | str, **options) -> tuple[imports.Imported, list[imports.Refusal]]:
    raw = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    refusals: list[imports.Refusal] = []
    done = imports.run(BytesIO(raw), now=NOW, report=refusals.append, **options)
    return done, refusals


def keys() -> list[str]:
    """Return the keys of all activities."""
    return sorted(Activity.objects.values_list("key", flat=True))


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


@pytest.fixture
def ada():
    """Return somebody who is there already."""
    return UserFactory(username="ada")

"""Racing processes: forked from a server that has loaded Django once, let go together, all on one database.

Loading Django eight times takes longer than most races; what is raced is as real either way.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest import mock

import django
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connections

from gamification.tests.servers import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

CONTEXT = multiprocessing.get_context("forkserver")
SECONDS = 300
#: Locks are the same, and nobody waits for the disk.
ASYNCHRONOUS = {"PGOPTIONS": "-c synchronous_commit=off"}
PRELOADED = ["gamification.tests.races.preloaded"]


@dataclass(frozen=True)
class Outcome:
    """How a process ended: what its function returned, what was raised, and the errors that were only logged."""

    number: int
    exitcode: int | None
    value: Any = None
    error: str = ""
    logged: list[str] = field(default_factory=list)


def race(target: Callable[[int], Any], url: str, number: int = 8) -> list[Outcome]:
    """Call ``target`` in ``number`` processes at the same moment, on the database at ``url``."""
    with mock.patch.dict(os.environ, environment(ASYNCHRONOUS), clear=True):
        CONTEXT.set_forkserver_preload(PRELOADED)
        gate = CONTEXT.Barrier(number)
        pipes = [CONTEXT.Pipe(duplex=False) for _ in range(number)]
        processes = [
            CONTEXT.Process(target=_run, args=(target, one, url, gate, answer), daemon=True)
            for one, (_, answer) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
    for _, answer in pipes:
        answer.close()
    try:
        return [_outcome(one, processes[one], pipe) for one, (pipe, _) in enumerate(pipes)]
    finally:
        for process in processes:
            process.kill()
            process.join()


def start(target: Callable[[], Any], url: str) -> Any:
    """Call ``target`` in a process on the database at ``url`` and return the process, which may be killed."""
    with mock.patch.dict(os.environ, environment(ASYNCHRONOUS), clear=True):
        CONTEXT.set_forkserver_preload(PRELOADED)
        process = CONTEXT.Process(target=_run_alone, args=(target, url), daemon=True)
        process.start()
    return process


@contextmanager
def database(url: str) -> Iterator[None]:
    """Let the default connection of this thread lead to ``url``, with the options that the project gives it."""
    with mock.patch.dict(os.environ, {"DATABASE_URL": url}):
        config = import_module("project.settings")._database()
    options = connections.configure_settings({"default": config})["default"]
    before = connections["default"]
    connections["default"] = import_module(f"{options['ENGINE']}.base").DatabaseWrapper(options, "default")
    ContentType.objects.clear_cache()  # which remembers the ids of one database
    try:
        yield
    finally:
        ContentType.objects.clear_cache()
        connections["default"].close()
        connections["default"] = before


def _run_alone(target: Callable[[], Any], url: str) -> None:
    django.setup()
    settings.DEBUG = False
    with database(url):
        target()


def _run(target: Callable[[int], Any], number: int, url: str, gate: Any, answer: Connection) -> None:
    django.setup()
    settings.DEBUG = False  # which would remember every query
    logged = _Kept(logging.ERROR)
    logging.getLogger().addHandler(logged)
    with database(url):
        try:
            connections["default"].ensure_connection()
            gate.wait(SECONDS)
            answer.send((target(number), "", logged.texts))
        except BaseException:  # noqa: BLE001 -- told to the test, whatever it is
            answer.send((None, traceback.format_exc(), logged.texts))
            sys.exit(1)


def _outcome(number: int, process: Any, pipe: Connection) -> Outcome:
    try:
        value, error, logged = pipe.recv() if pipe.poll(SECONDS) else (None, "not done in time", [])
    except EOFError:
        value, error, logged = None, "ended without an answer", []
    if error != "not done in time":
        process.join(SECONDS)
    return Outcome(number, process.exitcode, value, error, logged)


class _Kept(logging.Handler):
    """Keep what is logged: what goes wrong after commit is told nowhere else."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[1] if record.exc_info else None
        self.texts.append(f"{record.getMessage()} [{raised}]"[:300])

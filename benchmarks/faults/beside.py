"""A process that does something beside what is tried, and tells at the end what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from multiprocessing import get_context
from typing import Any, TypeVar

Told = TypeVar("Told")


@contextmanager
def beside(target: Callable[..., None], *args: Any, told: Told) -> Iterator[Told]:
    """Call ``target(*args, stop, answer)`` in a process of its own while the block runs.

    It sends ``True`` by ``answer`` once it has begun, and a dataclass like ``told`` after the event ``stop``. The
    fields of that are in ``told`` behind the block.
    """
    context = get_context("spawn")
    stop, (ours, theirs) = context.Event(), context.Pipe()
    process = context.Process(target=target, args=(*args, stop, theirs), daemon=True)
    process.start()
    theirs.close()  # so that its end is noticed here
    ours.recv()  # it has begun
    try:
        yield told
    finally:
        stop.set()
        found = ours.recv()
        process.join()
        for entry in fields(found):
            setattr(told, entry.name, getattr(found, entry.name))

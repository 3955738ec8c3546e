"""Locks that a forked process finds free: the thread that held one in its parent does not exist in it."""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType

_locks: weakref.WeakSet[Lock] = weakref.WeakSet()


class Lock:
    """A lock for ``with``. What it guards must be fit for use in whatever state the fork found it."""

    def __init__(self) -> None:
        self.free()
        _locks.add(self)

    def free(self) -> None:
        """Begin anew, held by nobody."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


def _free_all() -> None:
    for lock in list(_locks):
        lock.free()


os.register_at_fork(after_in_child=_free_all)

"""Work that a reader starts and does not wait for: a thread of its own, one at a time for each name."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from django.db import connections

from gamification.backends.forks import Lock

REST_SECONDS = 5.0

logger = logging.getLogger(__name__)
_lock = Lock()
_begun: dict[str, float] = {}
_running: set[tuple[int, str]] = set()  # with the process id, for a fork takes no threads along


def run(name: str, work: Callable[[], object]) -> None:
    """Start ``work`` unless it is running in this process, or was started less than 5 seconds ago."""
    mine = (os.getpid(), name)
    with _lock:
        if mine in _running or time.monotonic() - _begun.get(name, -REST_SECONDS) < REST_SECONDS:
            return
        _begun[name] = time.monotonic()
        _running.add(mine)
    threading.Thread(target=_work, args=(name, work), name=f"gamification-{name}", daemon=True).start()


def _work(name: str, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        logger.exception("%s failed; it will be tried again.", name)
    finally:
        connections.close_all()
        with _lock:
            _running.discard((os.getpid(), name))

"""Locks in a process that was forked while another thread held them."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from contextlib import contextmanager

import pytest

from gamification.backends import aside
from gamification.backends.base import Snapshot
from gamification.backends.reads import Tally
from gamification.backends.snapshots import Memory
from gamification.tests.helpers import noon

SECONDS = 10


@contextmanager
def held_elsewhere(lock):
    """Let another thread hold ``lock`` meanwhile."""
    taken, enough = threading.Event(), threading.Event()

    def hold():
        with lock:
            taken.set()
            enough.wait(SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(SECONDS)
    try:
        yield
    finally:
        enough.set()
        thread.join()


def ends(work):
    """Do ``work`` in a fork and tell whether it came to an end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that threads and forks do not mix is what is tried
        pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    deadline = time.monotonic() + SECONDS
    while not (is_over := os.waitpid(pid, os.WNOHANG)[0] == pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    if not is_over:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return is_over


def looked():
    tally = Tally()
    return tally._lock, lambda: tally.looked(1, noon(20))


def remembered():
    memory = Memory()
    snapshot = Snapshot((), 0, frozenset(), noon(20), noon(20))
    return memory._lock, lambda: memory._remember("xp_all_time", 1, snapshot)


def set_going():
    return aside._lock, lambda: aside.run("forked", lambda: None)


@pytest.mark.parametrize("case", [looked, remembered, set_going])
def test_a_lock_that_a_thread_held_at_the_fork_is_free_in_the_child(case):
    lock, work = case()

    with held_elsewhere(lock):
        assert ends(work)

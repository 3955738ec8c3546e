"""How often boards are read, how often that took a rebuild, and by whom: counted in memory, written now and then.

A read costs a lock and an addition. What came together is written by a thread of its own, so that no reader waits for
the database or fails with it; what cannot be written is kept for the next time. A process that ends takes up to
``FLUSH_SECONDS`` of counts with it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.models import F
from django.utils import timezone

from gamification.backends.forks import Lock
from gamification.models import BoardReader, DailyFigure, UserStreak
from gamification.models.figures import Name

HIT, MISS = "hit", "miss"
FLUSH_SECONDS = 20.0
#: Of a database that cannot be written to for long, no more people than this are remembered.
READERS_KEPT = 100_000
READERS_AT_ONCE = 500
#: Where nobody ever counts them, those who read are forgotten after so long all the same.
FORGOTTEN_AFTER = timedelta(days=30)

logger = logging.getLogger(__name__)


class Tally:
    """The counts of this process that are not written yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reset()

    def drop(self) -> None:
        """Forget what was not written."""
        with self._lock:
            self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._reads: Counter[tuple[date, str]] = Counter()
        self._readers: set[tuple[date, Any]] = set()
        self._is_scheduled = False

    def looked(self, user_id: Any, at: datetime) -> None:
        """Count a read as of ``at`` (UTC), by somebody or nobody known; a hit until :meth:`rebuilt` says otherwise."""
        on = at.date()
        with self._lock:
            self._begin()
            self._reads[on, HIT] += 1
            if user_id is not None and len(self._readers) < READERS_KEPT:
                self._readers.add((on, user_id))

    def rebuilt(self, at: datetime) -> None:
        """Say that the read that is being answered found no snapshot to use, and had to build one."""
        with self._lock:
            self._begin()
            self._reads[at.date(), HIT] -= 1
            self._reads[at.date(), MISS] += 1

    def forget(self, user_id: Any) -> None:
        """Drop who is being erased; their reads stay counted."""
        with self._lock:
            self._readers = {(on, pk) for on, pk in self._readers if pk != user_id}

    def flush(self, now: datetime | None = None) -> bool:
        """Write what came together; False when the database could not, and it was kept."""
        with self._lock:
            reads, readers = self._reads, self._readers
            self._reset()
        try:
            _write(reads, readers, now or timezone.now())
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Reads of leaderboards are counted, but could not be written: %s", error)
            with self._lock:
                self._reads.update(reads)
                self._readers |= readers
            return False
        return True

    def _begin(self) -> None:
        """See to it that what is counted now is written soon. A fork takes neither threads nor counts along."""
        if self._pid != os.getpid():
            self._reset()
        if not self._is_scheduled:
            self._is_scheduled = True
            later(self._flush_apart)

    def _flush_apart(self) -> None:
        try:
            self.flush()
        finally:
            connections.close_all()


def later(work: Any) -> None:
    """Run ``work`` in a thread of its own, in a while."""
    timer = threading.Timer(FLUSH_SECONDS, work)
    timer.daemon = True
    timer.start()


tally = Tally()


def _write(reads: Mapping[tuple[date, str], int], readers: Iterable[tuple[date, Any]], now: datetime) -> None:
    with transaction.atomic():
        for (on, label), number in sorted(reads.items()):
            _add(on, label, number, now)
        _keep(sorted(readers, key=str))
        BoardReader.objects.filter(date__lt=now.date() - FORGOTTEN_AFTER).delete()


def _add(on: date, label: str, number: int, now: datetime) -> None:
    """Add to what other processes have counted; only the first of them inserts."""
    which = {"date": on, "name": str(Name.BOARD_READS), "label": label}
    raised = {"value": F("value") + number, "computed_at": now}
    if number and not DailyFigure.objects.filter(**which).update(**raised):
        _, is_new = DailyFigure.objects.get_or_create(**which, defaults={"value": number, "computed_at": now})
        if not is_new:
            DailyFigure.objects.filter(**which).update(**raised)


def _keep(readers: list[tuple[date, Any]]) -> None:
    """Note who read, each once a date; only people who take part, so that nobody comes back who was erased."""
    for start in range(0, len(readers), READERS_AT_ONCE):
        part = readers[start : start + READERS_AT_ONCE]
        ids = {pk for _, pk in part}
        known = set(UserStreak.objects.filter(user_id__in=ids).values_list("user_id", flat=True))
        rows = [BoardReader(date=on, user_id=pk) for on, pk in part if pk in known]
        BoardReader.objects.bulk_create(rows, ignore_conflicts=True)

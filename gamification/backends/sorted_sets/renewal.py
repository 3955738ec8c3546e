"""Keeping the copy right: building it, finding what differs, hiding whom the host hides, following the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from gamification.backends import scores
from gamification.backends.sorted_sets import people, writing
from gamification.backends.sorted_sets.connection import REST_SECONDS, Unavailable
from gamification.backends.sorted_sets.copies import AT_ONCE, TRIES, Copy, in_parts
from gamification.models import LeaderboardCache, UserXP

#: The name of a row among the snapshots that says: a write has not reached Redis.
LOST = "~lost"


def renew(
    copy: Copy, now: datetime, *, is_whole: bool = False, report: Callable[[int], object] = lambda number: None
) -> bool:
    """Bring the copy in step with the database while others write; False when another process is at it.

    Users whose version is the database's are left as they are, unless ``is_whole`` or the copy was built for other
    boards. ``report`` is told from time to time how many users were looked at. Memory does not grow with their number.
    """
    with copy.lock("renew") as lock:
        if lock is None:
            return False
        builder = str(uuid4())
        built = _begin(copy, builder, now, is_whole=is_whole)
        LeaderboardCache.objects.filter(metric=LOST).delete()  # before reading: what is lost from now on is a new loss
        number = 0
        for part in versions():
            _patiently(partial(_catch_up, copy, part, is_whole=is_whole or built != copy.fingerprint))
            number += len(part)
            report(number)
            lock.renew()
        if former := [copy.board(name) for name in set(built.split("\n")[1:]) - set(copy.boards)]:
            copy.store.run(lambda client: client.unlink(*former))
        _remove_ghosts(copy, lock.renew)
        check_hidden(copy, now, lock.renew)
        while not tidy_up(copy, now):
            lock.renew()
        return _finish(copy, builder, now)


def _begin(copy: Copy, builder: str, now: datetime, *, is_whole: bool) -> str:
    """Say that the copy is being built, and return what it was built for before."""
    day = people.today(now)

    def begin(client: Any) -> str:
        pipeline = client.pipeline(transaction=True)
        pipeline.hget(copy.state, "built")
        pipeline.hdel(copy.state, "boards")
        pipeline.hset(copy.state, "building", builder)
        if is_whole:
            pipeline.hset(copy.state, mapping={"day": day, "rolling": 1})
            pipeline.hdel(copy.state, "swept")
        else:
            pipeline.hsetnx(copy.state, "day", day)
        return pipeline.execute()[0] or ""

    built: str = copy.store.run(begin)
    return built


def _finish(copy: Copy, builder: str, now: datetime) -> bool:
    fields = ("boards", "\n".join(copy.boards), "built", copy.fingerprint, "run", copy.run_id())
    checked = ("checked", people.micros(now))
    return bool(copy.store.call(writing.FINISH, [copy.state], [builder, *fields, *checked]))


def _catch_up(copy: Copy, versions: Mapping[Any, int], *, is_whole: bool) -> None:
    """Replace those of ``versions`` (by id) whose version in the copy is another one, or all."""
    kept = {} if is_whole else dict(zip(versions, copy.versions(list(versions)), strict=True))
    copy.replace([pk for pk, version in versions.items() if kept.get(pk) != str(version)])


def versions() -> Iterator[dict[Any, int]]:
    """Yield everybody's version, by id, some at a time and in order of id."""
    rows = people.known().order_by("user_id").values_list("user_id", "version")
    part = dict(rows[:AT_ONCE])
    while part:
        yield part
        part = dict(rows.filter(user_id__gt=list(part)[-1])[:AT_ONCE])


def _patiently(work: Callable[[], None]) -> None:
    """Do ``work``, again after a rest where Redis was away for a moment."""
    for _ in range(TRIES - 1):
        try:
            return work()
        except Unavailable:
            time.sleep(REST_SECONDS * 1.1)
    return work()


def _remove_ghosts(copy: Copy, keep: Callable[[], None]) -> None:
    """Remove those who are no longer in the database; ``keep`` keeps the lock."""
    for part in copy.members():
        keep()
        known = set(people.known().filter(user_id__in=part).values_list("user_id", flat=True))
        copy.remove([pk for pk in part if pk not in known])


def check_hidden(copy: Copy, now: datetime, keep: Callable[[], None] = lambda: None) -> None:
    """Hide whom the host hides, show again whom it shows again, and forget whom it has deleted.

    ``keep`` is called now and then; it keeps the lock.
    """
    for part in in_parts(people.hideable().iterator(chunk_size=2000)):
        keep()
        reasons = {user.pk: people.hidden_by_host(user) for user in part}
        copy.hide({pk: reason for pk, reason in reasons.items() if reason})
    for ids in copy.hidden_ids():
        keep()
        rows = UserXP.objects.filter(user_id__in=ids).select_related("user")
        hidden = {row.user_id for row in rows if people.hidden_by_host(row.user)}
        copy.replace([pk for pk in ids if pk not in hidden])
    if copy.store.run(lambda client: client.zcard(copy.people)) > people.known().count():
        _remove_ghosts(copy, keep)
    copy.store.run(lambda client: client.hset(copy.state, "checked", people.micros(now)))


def tidy_up(copy: Copy, now: datetime) -> bool:
    """Take a bounded part of what is over off the boards: days that left a window, streaks; True when all is."""
    today, turn = people.today(now), [copy.state, copy.people]
    is_turned = copy.store.call(writing.TURN, turn, [today])
    if not is_turned:
        due = copy.store.run(lambda client: client.zrangebyscore(copy.people, "-inf", today, 0, AT_ONCE))
        keys = [copy.state, copy.people, copy.expiry, copy.hidden, *map(copy.board, scores.WINDOWS)]
        if due:
            copy.store.call(writing.ROLL, [*keys, *map(copy.user, due)], due)
        is_turned = copy.store.call(writing.TURN, turn, [today])
    keys = [copy.state, copy.expiry, copy.board(scores.STREAK_CURRENT)]
    swept = copy.store.call(writing.SWEEP, keys, [people.micros(now), AT_ONCE])
    return bool(is_turned) and swept < AT_ONCE


def tidy_up_under_lock(copy: Copy, now: datetime, *, steps: int) -> bool:
    """Tidy up in at most ``steps`` bounded parts; False when something is left, or another process is at it."""
    with copy.lock("tidy") as lock:
        if lock is None:
            return False
        for _ in range(steps):
            if tidy_up(copy, now):
                return True
            lock.renew()
    return False


def check_hidden_under_lock(copy: Copy, now: datetime) -> None:
    """Compare the hidden with the database, unless another process is at it."""
    with copy.lock("hidden") as lock:
        if lock is not None:
            check_hidden(copy, now, lock.renew)

"""Leaderboards from sorted sets in Redis or Valkey, for sites past one machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction

from gamification.backends import aside, database, scores
from gamification.backends.base import BoardName, Entry, Position, Snapshot, UserScores
from gamification.backends.sorted_sets import people, reading, renewal
from gamification.backends.sorted_sets.connection import (
    PREFIX,
    TIMEOUT,
    Store,
    Unavailable,
    connect,
    logger,
    problem_of,
)
from gamification.backends.sorted_sets.copies import Copy
from gamification.backends.sorted_sets.differences import differences as found_differences
from gamification.backends.sorted_sets.renewal import LOST
from gamification.backends.sorted_sets.scripts import Script
from gamification.conf import get_settings
from gamification.models import LeaderboardCache

OPTIONS = frozenset({"url", "depth", "prefix", "timeout"})


class RedisBackend(database.DatabaseBackend):
    """Ranks from sorted sets; snapshots are kept as the database backend keeps them.

    The database answers for groups, for moments that the sets are past, and whenever Redis cannot.
    """

    def __init__(self) -> None:
        super().__init__()
        self._looked_at = float("-inf")

    @classmethod
    def problems(cls) -> list[str]:
        options = get_settings().LEADERBOARD_OPTIONS
        unknown = sorted(map(str, options.keys() - OPTIONS))
        problem = problem_of(options.get("url"))
        known = f"known are {', '.join(sorted(OPTIONS))}."
        return [
            *([problem] if problem else []),
            *(f"GAMIFICATION['LEADERBOARD_OPTIONS'] has no {name!r} for RedisBackend; {known}" for name in unknown),
        ]

    # Reading

    def build(self, board: BoardName, now: datetime) -> Snapshot:
        depth = int(get_settings().LEADERBOARD_OPTIONS.get("depth", database.DEPTH))
        self._looked_at = float("-inf")  # what is kept for a quarter of an hour must not lack what was just lost
        reply = self._ask(reading.TOP, board, now, depth)
        if reply is None:
            return super().build(board, now)
        total, rows = reply
        return Snapshot(
            entries=_entries(rows),
            total=total,
            excluded=self._kept_excluded(),
            cached_at=now,
            expires_at=database.ends_at(board, now),
        )

    def after(self, board: BoardName, score: int, user_id: Any, limit: int, now: datetime) -> list[Entry]:
        reply = self._ask(reading.AFTER, board, now, score, people.member_of(user_id), limit)
        return super().after(board, score, user_id, limit, now) if reply is None else list(_entries(reply[0]))

    def position(
        self, board: BoardName, user_id: Any, now: datetime, *, neighbours: int = 0, snapshot: Snapshot | None = None
    ) -> Position:
        member = people.member_of(user_id)
        reply = self._ask(reading.POSITION, board, now, member, neighbours, "")
        if reply == []:  # on no board: without a score, or hidden with a rank of their own
            own = scores.scores(board.metric, now).filter(user_id=user_id).values_list("score", flat=True)
            score = next(iter(own), 0)
            if not score:
                return Position(0, None)
            reply = self._ask(reading.POSITION, board, now, member, neighbours, score)
        if reply is None:
            return super().position(board, user_id, now, neighbours=neighbours, snapshot=snapshot)
        found, rank, nearest, above, below = reply
        return Position(_number(found), rank, _entries(above), _entries(below), _number(nearest) if nearest else None)

    def _ask(self, script: Script, board: BoardName, now: datetime, *arguments: str | int) -> list[Any] | None:
        """Return the reply of a reading script without its first part, or None where the database has to answer."""
        if board.members is not None:
            return None
        try:
            copy = self.copy()
            if not self._is_in_step(copy, now):
                return None
            ask = partial(_read, copy, script, board.metric, now, arguments)
            reply = ask()
            if reply == "late" and renewal.tidy_up_under_lock(copy, now, steps=1):
                reply = ask()
        except Unavailable:
            return None
        if reply == "absent":
            aside.run("renewal", partial(_renew, copy, now))
        elif reply == "late":
            aside.run("tidying", partial(_tidy, copy, now))
        if isinstance(reply, str):
            return None
        return reply[1:] if self._is_checked(copy, int(reply[0]), now) else None

    def _is_in_step(self, copy: Copy, now: datetime) -> bool:
        """Look, once in a while, whether writes were lost or the server came back with old data; then renew."""
        if time.monotonic() - self._looked_at < get_settings().LEADERBOARD_MAX_STALENESS:
            return True
        built, run = copy.store.run(lambda client: client.hmget(copy.state, "built", "run"))
        if built is None or (
            built == copy.fingerprint
            and run == copy.run_id()
            and not LeaderboardCache.objects.filter(metric=LOST).exists()
        ):
            self._looked_at = time.monotonic()
            return True
        copy.distrust()
        aside.run("renewal", partial(_renew, copy, now))
        return False

    def _is_checked(self, copy: Copy, checked: int, now: datetime) -> bool:
        """Tell whether the hidden were compared with the database within the time to live; half-way, do so aside."""
        age = timedelta(microseconds=people.micros(now) - checked)
        lasts = timedelta(seconds=get_settings().LEADERBOARD_TTL)
        if age >= lasts / 2:
            aside.run("hiding", partial(_check_hidden, copy, now))
        return age < lasts

    def _kept_excluded(self) -> frozenset[Any]:
        """Return whom the project's hook hides, so that the database can answer with the same ranks."""
        if not get_settings().IS_EXCLUDED:
            return frozenset()
        copy = self.copy()
        try:
            kept = copy.store.run(lambda client: client.hgetall(copy.hidden))
        except Unavailable:
            return frozenset()
        return frozenset(people.id_of(member) for member, reason in kept.items() if reason == people.EXCLUDED)

    # Writing

    def changed(self, scores: Sequence[UserScores]) -> None:
        try:
            self.copy().push(scores)
        except (Unavailable, DatabaseError):
            self._lose()
        super().changed(scores)

    def forget(self, user_id: Any) -> None:
        has_lost = LeaderboardCache.objects.filter(metric=LOST).exists()
        super().forget(user_id)
        if has_lost:
            self._lose()
        # Not before: after a rollback the user would be on no board.
        transaction.on_commit(lambda: self._remove(user_id), robust=True)

    def _remove(self, user_id: Any) -> None:
        try:
            self.copy().remove([user_id])
            self.copy().replace([user_id])  # who went on at once was written before that, and removed with it
        except (Unavailable, DatabaseError):
            self._lose()

    def _lose(self) -> None:
        """Note where every process sees it that a write has not reached Redis."""
        self._looked_at = float("-inf")
        try:
            # A read first, so that a site without Redis does not write on every award.
            if not LeaderboardCache.objects.filter(metric=LOST).exists():
                LeaderboardCache.objects.get_or_create(metric=LOST)
        except DatabaseError:
            logger.exception(
                "A lost write could not be noted; check_leaderboards finds it, rebuild_leaderboards mends it."
            )

    # For operators

    def rebuild(self, now: datetime, report: Callable[[int], object]) -> None:
        try:
            is_done = renewal.renew(self.copy(), now, is_whole=True, report=report)
        except Unavailable as error:
            raise OSError(f"Redis broke off: {error.__cause__ or error}") from error
        if not is_done:
            raise OSError("Another process is building the leaderboards in Redis; try again when it is done.")

    def differences(self, now: datetime) -> Iterator[str]:
        try:
            yield from found_differences(self.copy(), now)
        except Unavailable as error:
            raise OSError(f"Redis broke off: {error.__cause__ or error}") from error

    def copy(self) -> Copy:
        """Return the sorted sets that the settings name.

        Raises:
            ImproperlyConfigured: the settings do not name any.
        """
        return Copy(_store(), scores.metrics())


def _store() -> Store:
    options = get_settings().LEADERBOARD_OPTIONS
    return connect(options.get("url"), float(options.get("timeout", TIMEOUT)), str(options.get("prefix", PREFIX)))


def _read(copy: Copy, script: Script, metric: str, now: datetime, arguments: Sequence[str | int]) -> Any:
    kind = "window" if metric in scores.WINDOWS else "streak" if metric == scores.STREAK_CURRENT else ""
    keys = [copy.state, copy.expiry, copy.board(metric)]
    return copy.store.call(script, keys, [metric, kind, people.micros(now), people.today(now), *arguments])


def _entries(flat: Sequence[Any]) -> tuple[Entry, ...]:
    """Return entries from member, score, rank, member, ..."""
    return tuple(
        Entry(rank, people.id_of(member), _number(score))
        for member, score, rank in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    )


def _number(score: str) -> int:
    return int(score) if score.isdigit() else int(float(score))  # Redis writes very great ones with an exponent


def _quietly(work: Any) -> None:
    try:
        work()
    except Unavailable as error:
        logger.warning("Keeping the leaderboards in Redis in step was broken off: %s", error)


def _renew(copy: Copy, now: datetime) -> None:
    _quietly(partial(renewal.renew, copy, now))


def _tidy(copy: Copy, now: datetime) -> None:
    _quietly(partial(renewal.tidy_up_under_lock, copy, now, steps=100_000))


def _check_hidden(copy: Copy, now: datetime) -> None:
    _quietly(partial(renewal.check_hidden_under_lock, copy, now))

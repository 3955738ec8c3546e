"""The copy of everybody's scores in Redis, and how one user's part of it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from uuid import uuid4

from gamification.backends.base import UserScores
from gamification.backends.sorted_sets import people, writing
from gamification.backends.sorted_sets.connection import Call, Store, Unavailable
from gamification.backends.sorted_sets.people import Person

AT_ONCE = 500
TRIES = 5
LOCK_SECONDS = 30
LAYOUT = "1"  # of the keys; another one is built anew

Item = TypeVar("Item")


class Copy:
    """Sorted sets for ``boards`` in ``store``. Every method may raise ``Unavailable``."""

    def __init__(self, store: Store, boards: Sequence[str]) -> None:
        self.store = store
        self.boards = tuple(boards)
        self.state, self.people, self.expiry, self.hidden = map(store.key, ("state", "people", "expiry", "hidden"))

    def board(self, metric: str) -> str:
        return self.store.key("board", metric)

    def user(self, member: str) -> str:
        return self.store.key("user", member)

    # One user or some

    def push(self, changed: Iterable[UserScores]) -> None:
        """Take in what a commit changed; whoever has missed a write is read from the database."""
        for part in in_parts(changed):
            calls = [self._call(each, "1" if each.is_visible else "0", is_whole=False) for each in part]
            replies = self.store.call_each(writing.PUSH, calls)
            self.replace([each.user_id for each, reply in zip(part, replies, strict=True) if reply == 2])

    def replace(self, ids: Sequence[Any]) -> None:
        """Set all scores of these users to what the database says."""
        for _ in range(TRIES):
            if not ids:
                return
            # The epoch before the rows: whoever is erased between the two raises it, and nothing of them is written.
            day, epoch = self.store.run(lambda client: client.hmget(self.state, "day", "epoch"))
            if day is None:
                return
            found = people.read(ids, int(day))
            self.remove([pk for pk in ids if pk not in found])
            if not found:
                return
            written = self.write(found.values(), epoch or "0")
            ids = [pk for pk, is_written in zip(found, written, strict=True) if not is_written]
        if ids:
            raise Unavailable(f"{len(ids)} users kept changing.")

    def write(self, found: Iterable[Person], epoch: str = "0") -> list[bool]:
        """Set all scores of these people, and tell for each whether it is done; False: they have to be read again."""
        calls = [self._call(each.scores, each.hidden, epoch=epoch, is_whole=True) for each in found]
        return [reply != 2 for reply in self.store.call_each(writing.REPLACE, calls)]

    def remove(self, ids: Sequence[Any]) -> None:
        """Leave nothing of these users."""
        if ids:
            self.store.call_each(writing.REMOVE, [(self._keys(member := people.member_of(pk)), [member]) for pk in ids])

    def _call(self, found: UserScores, flag: str, *, epoch: str = "", is_whole: bool) -> Call:
        arguments = people.arguments(found, flag, self.boards, epoch=epoch, is_whole=is_whole)
        return self._keys(str(arguments[0])), arguments

    def _keys(self, member: str) -> list[str]:
        shared = [self.state, self.people, self.expiry, self.hidden]
        return [*shared, self.user(member), *map(self.board, self.boards)]

    def hide(self, reasons: Mapping[Any, str]) -> None:
        """Take these users off the boards, for the reason given by id; those that already are are left alone."""
        if not reasons:
            return
        by_member = {people.member_of(pk): reason for pk, reason in reasons.items()}
        kept = self.store.run(lambda client: client.hmget(self.hidden, list(by_member)))
        fresh = [pair for pair, known in zip(by_member.items(), kept, strict=True) if pair[1] != known]
        if fresh:
            calls: list[Call] = [(self._keys(member), [member, "", reason]) for member, reason in fresh]
            self.store.call_each(writing.HIDE, calls)

    # Everybody

    def versions(self, ids: Sequence[Any]) -> list[str | None]:
        """Return the version that wrote last, for each of these users; None for whom the copy does not know."""

        def ask(client: Any) -> list[Any]:
            pipeline = client.pipeline(transaction=False)
            for pk in ids:
                pipeline.hget(self.user(people.member_of(pk)), "v")
            return list(pipeline.execute())

        found: list[str | None] = self.store.run(ask, is_long=True)
        return found

    def members(self) -> Iterator[list[Any]]:
        """Yield the ids of all whom the copy knows, some at a time; who comes or goes meanwhile may be missed."""
        return self._scanned(partial(_scan, self.people))

    def everywhere(self) -> Iterator[list[Any]]:
        """Yield the ids that stand in any of the sets, those in several of them several times."""
        yield from self.members()
        yield from self.hidden_ids()
        for key in (self.expiry, *map(self.board, self.boards)):
            yield from self._scanned(partial(_scan, key))

    def hidden_ids(self) -> Iterator[list[Any]]:
        """Yield the ids of those whom the host hides, some at a time."""
        return self._scanned(lambda client, cursor: client.hscan(self.hidden, cursor, count=AT_ONCE))

    def _scanned(self, scan: Callable[..., Any]) -> Iterator[list[Any]]:
        cursor, is_begun = 0, False
        while cursor or not is_begun:
            cursor, members = self.store.run(partial(scan, cursor=cursor))
            is_begun = True
            yield [people.id_of(member) for member in dict(members)]

    # The whole

    @property
    def fingerprint(self) -> str:
        """What the copy has to be built for."""
        return "\n".join((LAYOUT, *self.boards))

    def distrust(self) -> None:
        """Let the database answer until the copy was renewed."""
        self.store.run(lambda client: client.hdel(self.state, "boards"))

    def run_id(self) -> str:
        """Return what names this run of the server: another one may have come back with old data."""
        return str(self.store.run(lambda client: client.info("server"))["run_id"])

    @contextmanager
    def lock(self, name: str) -> Iterator[Lock | None]:
        """Hold a lock, or get None where another process does; left alone, it ends by itself after 30 seconds."""
        lock = Lock(self.store, self.store.key("lock", name))
        if not lock.take():
            yield None
            return
        try:
            yield lock
        finally:
            lock.give_back()


def _scan(key: str, client: Any, cursor: int) -> Any:
    return client.zscan(key, cursor, count=AT_ONCE)


class Lock:
    """A key that only its owner renews and removes."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key
        self._owner = str(uuid4())

    def take(self) -> bool:
        return bool(self._store.run(lambda client: client.set(self._key, self._owner, nx=True, ex=LOCK_SECONDS)))

    def renew(self) -> None:
        """Hold it for another 30 seconds.

        Raises:
            Unavailable: it is held no longer.
        """
        if not self._store.call(writing.HOLD, [self._key], [self._owner, LOCK_SECONDS]):
            raise Unavailable("The lock was lost.")

    def give_back(self) -> None:
        self._store.call(writing.HOLD, [self._key], [self._owner, 0])


def in_parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield ``items``, at most 500 at a time."""
    remaining = iter(items)
    while part := list(islice(remaining, AT_ONCE)):
        yield part

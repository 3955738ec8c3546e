"""Leaderboards from the database: snapshots in a table, live ranks by counting from them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from gamification.backends import climbing, places, scores, snapshots
from gamification.backends.base import BoardName, Entry, LeaderboardBackend, Position, Snapshot, UserScores
from gamification.backends.ladder import Ladder
from gamification.backends.places import Places
from gamification.backends.reads import tally
from gamification.backends.snapshots import Head
from gamification.conf import get_settings
from gamification.models import LeaderboardCache, UserStreak
from gamification.outages import impatient

CLAIM_LASTS = timedelta(seconds=30)
CLOCK_TOLERANCE = timedelta(seconds=1)
DEPTH = 1000
REVISION_BITS = 60
#: After every commit: the ORM would take ten times as long to build it as it takes to run.
FRESH = f"SELECT id FROM {LeaderboardCache._meta.db_table} WHERE stale_at IS NULL"  # noqa: S608


class DatabaseBackend(LeaderboardBackend):
    """The default: exact, with one rebuild at a time.

    ``LEADERBOARD_OPTIONS``: ``depth`` is how many people a snapshot holds (1,000), ``step`` how many stand between two
    steps of the ladder of a board that is deeper (250).

    A subclass that keeps scores elsewhere reads ``top_and_ladder``, ``total``, ``position`` and ``after`` from there.
    """

    def __init__(self) -> None:
        self._memory = snapshots.Memory()

    def snapshot(self, board: BoardName, now: datetime) -> Snapshot:
        head = snapshots.head(board)
        kept = self._memory.current(head)
        if head is not None and kept is not None and _is_usable(head, kept, now):
            return kept
        if kept is not None and kept.cached_at > now + CLOCK_TOLERANCE:
            return self._built_for_a_read(board, now)  # a question about the past: answered, but not kept
        built = self._rebuild(board, now)
        if built is not None:
            tally.rebuilt(now)
        return built or kept or self._built_for_a_read(board, now)

    def _built_for_a_read(self, board: BoardName, now: datetime) -> Snapshot:
        tally.rebuilt(now)
        return self.build(board, now)

    def refresh(self, board: BoardName, now: datetime) -> Snapshot:
        return self._rebuild(board, now) or self.build(board, now)

    def earlier_snapshot(self, board: BoardName, cached_at: datetime) -> Snapshot | None:
        kept = self._memory.current(snapshots.head(board))
        if kept is None or kept.cached_at == cached_at:
            return kept
        data = LeaderboardCache.objects.filter(metric=str(board)).values_list("data", flat=True).first() or {}
        before = snapshots.decode(data.get("previous"))
        return before if before is not None and before.cached_at == cached_at else None

    def build(self, board: BoardName, now: datetime) -> Snapshot:
        """Read a board anew."""
        depth = int(get_settings().LEADERBOARD_OPTIONS.get("depth", DEPTH))
        excluded = _hidden_by_hook(board, now)
        entries, ladder = self.top_and_ladder(board, now, excluded, depth)
        total = len(entries)
        if total == depth:
            total = ladder.total if ladder else self.total(board, now, excluded)
        return Snapshot(
            entries=tuple(entries),
            total=total,
            excluded=excluded,
            cached_at=now,
            expires_at=ends_at(board, now),
            ladder=ladder,
        )

    def top_and_ladder(
        self, board: BoardName, now: datetime, excluded: frozenset[Any], depth: int
    ) -> tuple[list[Entry], Ladder | None]:
        """Return the first ``depth`` visible people on a board and, where there are so many, its ladder."""
        if board.metric in scores.WINDOWS:
            rows, ladder = climbing.window(board, now, excluded, depth)
            return places.in_order(sorted(rows, key=places.place)), ladder if len(rows) == depth else None
        entries = self.top(board, now, excluded, depth)
        return entries, self.ladder(board, now, excluded) if len(entries) == depth else None

    def top(self, board: BoardName, now: datetime, excluded: frozenset[Any], depth: int) -> list[Entry]:
        """Return the first ``depth`` visible people on a board that is no window."""
        return places.top(scores.visible(scores.scores(board.metric, now), board, excluded), depth)

    def total(self, board: BoardName, now: datetime, excluded: frozenset[Any]) -> int:
        """Return how many visible people have a score; asked only of deep boards without a ladder."""
        return scores.visible(scores.scores(board.metric, now), board, excluded).count()

    def ladder(self, board: BoardName, now: datetime, excluded: frozenset[Any]) -> Ladder | None:
        """Return what ranks are counted from; asked only of deep boards that are no windows."""
        return climbing.ladder_of(board, now, excluded)

    def position(
        self, board: BoardName, user_id: Any, now: datetime, *, neighbours: int = 0, snapshot: Snapshot | None = None
    ) -> Position:
        return self._places(board, now, snapshot).of(user_id, neighbours=neighbours)

    def after(self, board: BoardName, score: int, user_id: Any, limit: int, now: datetime) -> list[Entry]:
        return self._places(board, now).after(score, user_id, limit)

    def _places(self, board: BoardName, now: datetime, snapshot: Snapshot | None = None) -> Places:
        """Return the live board; the ladder of a snapshot that nobody could renew for long is not counted from."""
        found = snapshot or self.snapshot(board, now)
        is_old = not found.cached_at - CLOCK_TOLERANCE <= now < found.expires_at + CLAIM_LASTS
        return Places(board, now, found, None if is_old else found.ladder)

    def changed(self, scores: Sequence[UserScores]) -> None:
        # A read first, so that a busy site does not write on every award; then row by row, so that no two can deadlock.
        with connection.cursor() as cursor:
            cursor.execute(FRESH)
            fresh = [pk for (pk,) in cursor.fetchall()]
        for pk in fresh:
            LeaderboardCache.objects.filter(pk=pk, stale_at__isnull=True).update(stale_at=timezone.now())

    def forget(self, user_id: Any) -> None:
        LeaderboardCache.objects.all().delete()

    def _rebuild(self, board: BoardName, now: datetime) -> Snapshot | None:
        """Build and keep the next snapshot; None when another reader is at it, or nothing can be written here."""
        claim = str(uuid4())
        try:
            with impatient(), transaction.atomic():
                LeaderboardCache.objects.get_or_create(metric=str(board))
                free = Q(claim="") | Q(claimed_until__lte=timezone.now())
                rows = LeaderboardCache.objects.filter(free, metric=str(board))
                if connection.features.has_select_for_update_skip_locked:
                    rows = rows.select_for_update(skip_locked=True)  # nobody waits for a reader in a long transaction
                mine = list(rows.values_list("pk", flat=True))
                # Marks that come while it is being built must stay, so the flag is cleared before, not after.
                is_mine = LeaderboardCache.objects.filter(free, pk__in=mine).update(
                    claim=claim, claimed_until=timezone.now() + CLAIM_LASTS, stale_at=None
                )
            if not is_mine:
                return None
            built = self.build(board, now)
            with impatient():
                is_marked = _is_within_a_transaction()
                with transaction.atomic():
                    _keep(board, claim, built, is_marked=is_marked)
        except DatabaseError:
            return None
        return built


def _is_usable(head: Head, kept: Snapshot, now: datetime) -> bool:
    if now < kept.cached_at - CLOCK_TOLERANCE or now >= kept.expires_at:
        return False
    return not head.is_stale or now - kept.cached_at < timedelta(seconds=get_settings().LEADERBOARD_MAX_STALENESS)


def _is_within_a_transaction() -> bool:
    """Tell whether the caller, or Django for a whole request, has begun a transaction that is still open."""
    try:
        with transaction.atomic(durable=True):
            return False
    except RuntimeError:
        return True


def _keep(board: BoardName, claim: str, built: Snapshot, *, is_marked: bool) -> None:
    """Store the snapshot, unless the claim has passed to somebody else in the meantime.

    Until a transaction of the caller ends, nobody else sees that the mark was cleared, so nobody sets it again: what
    was built in one may lack any award since, and ``is_marked`` from the start.
    """
    marked = {"stale_at": timezone.now()} if is_marked else {}
    rows = LeaderboardCache.objects.filter(metric=str(board), claim=claim)
    before = (rows.values_list("data", flat=True).first() or {}).get("current")
    rows.update(
        # Pages that were begun on it need what was on it, and no ranks.
        data={"current": snapshots.encode(built), "previous": {**before, "ladder": None} if before else None},
        revision=secrets.randbits(REVISION_BITS),
        cached_at=built.cached_at,
        expires_at=built.expires_at,
        claim="",
        claimed_until=None,
        **marked,
    )


def _hidden_by_hook(board: BoardName, now: datetime) -> frozenset[Any]:
    hook = get_settings().hook("IS_EXCLUDED")
    if hook is None:
        return frozenset()
    on_board = scores.scores(board.metric, now).values("user_id")
    users = get_user_model()._default_manager.filter(pk__in=on_board)
    return frozenset(user.pk for user in users.iterator(chunk_size=2000) if hook(user))


def ends_at(board: BoardName, now: datetime) -> datetime:
    """Return the earliest of the time to live, the next UTC midnight and the first expiry of a streak."""
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time.min, UTC)
    ends = min(now + timedelta(seconds=get_settings().LEADERBOARD_TTL), midnight)
    if board.metric == scores.STREAK_CURRENT:
        running = UserStreak.objects.filter(expires_at__gt=now, current_streak__gt=0).order_by("expires_at")
        first = running.values_list("expires_at", flat=True).first()
        ends = min(ends, first or ends)
    return ends

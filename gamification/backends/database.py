"""Leaderboards from the database: snapshots in a table, live ranks by counting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Min, Q
from django.utils import timezone

from gamification.backends import scores
from gamification.backends.base import BoardName, Entry, LeaderboardBackend, Position, Snapshot, UserScores
from gamification.conf import get_settings
from gamification.models import LeaderboardCache, UserStreak

if TYPE_CHECKING:
    from django.db.models import QuerySet

CLAIM_LASTS = timedelta(seconds=30)
CLOCK_TOLERANCE = timedelta(seconds=1)
DEPTH = 1000


class DatabaseBackend(LeaderboardBackend):
    """The default: exact, with one rebuild at a time."""

    def snapshot(self, board: BoardName, now: datetime) -> Snapshot:
        row = LeaderboardCache.objects.filter(metric=str(board)).first()
        kept = _decode(row.data.get("current")) if row is not None else None
        if row is not None and kept is not None and _is_usable(row, kept, now):
            return kept
        if kept is not None and kept.cached_at > now + CLOCK_TOLERANCE:
            return self.build(board, now)  # a question about the past: answered, but not kept
        return self._rebuild(board, now) or kept or self.build(board, now)

    def refresh(self, board: BoardName, now: datetime) -> Snapshot:
        return self._rebuild(board, now) or self.build(board, now)

    def build(self, board: BoardName, now: datetime) -> Snapshot:
        """Return a new snapshot, without keeping it; for backends that have scores from elsewhere."""
        return _build(board, now)

    def earlier_snapshot(self, board: BoardName, cached_at: datetime) -> Snapshot | None:
        row = LeaderboardCache.objects.filter(metric=str(board)).first()
        found = [_decode(row.data.get(name)) for name in ("current", "previous")] if row is not None else []
        return next((snapshot for snapshot in found if snapshot and snapshot.cached_at == cached_at), None)

    def after(self, board: BoardName, score: int, user_id: Any, limit: int, now: datetime) -> list[Entry]:
        rows = _visible(board, now, self._excluded(board, now))
        page = list(_in_order(rows.filter(scores.behind(score, user_id)))[:limit])
        if not page:
            return []
        first_rank = 1 + rows.filter(score__gt=page[0]["score"]).count()
        tied_before = rows.filter(Q(score=page[0]["score"], user_id__lt=page[0]["user_id"])).count()
        return _ranked(page, first_rank, first_rank + tied_before)

    def position(self, board: BoardName, user_id: Any, now: datetime, *, neighbours: int = 0) -> Position:
        own = scores.scores(board.metric, now).filter(user_id=user_id).values_list("score", flat=True)
        mine = next(iter(own), 0)
        if not mine:
            return Position(0, None)
        rows = _visible(board, now, self._excluded(board, now))
        greater = rows.filter(score__gt=mine).aggregate(number=Count("user_id"), nearest=Min("score"))
        above, below = _neighbours(rows, mine, user_id, neighbours) if neighbours else ([], [])
        ranks = _ranks(rows, {row["score"] for row in (*above, *below)})
        return Position(
            score=mine,
            rank=1 + greater["number"],
            above=tuple(Entry(ranks[row["score"]], row["user_id"], row["score"]) for row in above),
            below=tuple(Entry(ranks[row["score"]], row["user_id"], row["score"]) for row in below),
            next_score=greater["nearest"],
        )

    def changed(self, scores: Sequence[UserScores]) -> None:
        fresh = LeaderboardCache.objects.filter(stale_at__isnull=True)
        # A read first, so that a busy site does not write on every award; then row by row, so that no two can deadlock.
        for pk in list(fresh.values_list("pk", flat=True)):
            fresh.filter(pk=pk).update(stale_at=timezone.now())

    def forget(self, user_id: Any) -> None:
        LeaderboardCache.objects.all().delete()

    def _excluded(self, board: BoardName, now: datetime) -> frozenset[Any]:
        return self.snapshot(board, now).excluded if get_settings().IS_EXCLUDED else frozenset()

    def _rebuild(self, board: BoardName, now: datetime) -> Snapshot | None:
        """Build and keep the next snapshot; None when another reader is at it, or nothing can be written here."""
        claim = str(uuid4())
        try:
            with transaction.atomic():
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
            with transaction.atomic():
                _keep(board, claim, built)
        except DatabaseError:
            return None
        return built


def _is_usable(row: LeaderboardCache, kept: Snapshot, now: datetime) -> bool:
    if now < kept.cached_at - CLOCK_TOLERANCE or now >= kept.expires_at:
        return False
    is_stale = row.stale_at is not None or row.claim != ""
    return not is_stale or now - kept.cached_at < timedelta(seconds=get_settings().LEADERBOARD_MAX_STALENESS)


def _build(board: BoardName, now: datetime) -> Snapshot:
    depth = int(get_settings().LEADERBOARD_OPTIONS.get("depth", DEPTH))
    excluded = _hidden_by_hook(board, now)
    rows = _visible(board, now, excluded)
    top = list(_in_order(rows)[:depth])
    return Snapshot(
        entries=tuple(_ranked(top, 1, 1)),
        total=len(top) if len(top) < depth else rows.count(),
        excluded=excluded,
        cached_at=now,
        expires_at=ends_at(board, now, [row["user_id"] for row in top]),
    )


def _keep(board: BoardName, claim: str, built: Snapshot) -> None:
    """Store the snapshot, unless the claim has passed to somebody else in the meantime."""
    rows = LeaderboardCache.objects.filter(metric=str(board), claim=claim)
    before = rows.values_list("data", flat=True).first() or {}
    rows.update(
        data={"current": _encode(built), "previous": before.get("current")},
        cached_at=built.cached_at,
        expires_at=built.expires_at,
        claim="",
        claimed_until=None,
    )


def _visible(board: BoardName, now: datetime, excluded: frozenset[Any]) -> QuerySet[Any, Any]:
    return scores.visible(scores.scores(board.metric, now), board, excluded)


def _in_order(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    return rows.order_by("-score", "user_id")


def _ranked(rows: Iterable[dict[str, Any]], rank: int, place: int) -> list[Entry]:
    """Give ordered rows their ranks; the first has ``rank`` and is the ``place``-th of all."""
    entries: list[Entry] = []
    for offset, row in enumerate(rows):
        if entries and row["score"] != entries[-1].score:
            rank = place + offset
        entries.append(Entry(rank, row["user_id"], row["score"]))
    return entries


def _neighbours(
    rows: QuerySet[Any, Any], score: int, user_id: Any, number: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    above = rows.filter(scores.ahead_of(score, user_id)).order_by("score", "-user_id")[:number]
    return list(above)[::-1], list(_in_order(rows.filter(scores.behind(score, user_id)))[:number])


def _ranks(rows: QuerySet[Any, Any], wanted: set[int]) -> dict[int, int]:
    """Return the rank of each score, in one query."""
    counts = {f"above_{score}": Count("user_id", filter=Q(score__gt=score)) for score in wanted}
    found = rows.aggregate(**counts) if counts else {}
    return {score: 1 + found[f"above_{score}"] for score in wanted}


def _hidden_by_hook(board: BoardName, now: datetime) -> frozenset[Any]:
    hook = get_settings().hook("IS_EXCLUDED")
    if hook is None:
        return frozenset()
    on_board = scores.scores(board.metric, now).values("user_id")
    users = get_user_model()._default_manager.filter(pk__in=on_board)
    return frozenset(user.pk for user in users.iterator(chunk_size=2000) if hook(user))


def ends_at(board: BoardName, now: datetime, ids: list[Any]) -> datetime:
    """Return the earliest of the time to live, the next UTC midnight and the first expiry of a streak on the board."""
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time.min, UTC)
    ends = min(now + timedelta(seconds=get_settings().LEADERBOARD_TTL), midnight)
    if board.metric == scores.STREAK_CURRENT and ids:
        first = UserStreak.objects.filter(user_id__in=ids, expires_at__gt=now).aggregate(first=Min("expires_at"))[
            "first"
        ]
        ends = min(ends, first or ends)
    return ends


def _encode(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "entries": [[entry.rank, _plain(entry.user_id), entry.score] for entry in snapshot.entries],
        "total": snapshot.total,
        "excluded": [_plain(pk) for pk in snapshot.excluded],
        "cached_at": snapshot.cached_at.isoformat(),
        "expires_at": snapshot.expires_at.isoformat(),
    }


def _decode(data: dict[str, Any] | None) -> Snapshot | None:
    if not data:
        return None
    to_key = get_user_model()._meta.pk.to_python
    return Snapshot(
        entries=tuple(Entry(rank, to_key(pk), score) for rank, pk, score in data["entries"]),
        total=data["total"],
        excluded=frozenset(to_key(pk) for pk in data["excluded"]),
        cached_at=datetime.fromisoformat(data["cached_at"]),
        expires_at=datetime.fromisoformat(data["expires_at"]),
    )


def _plain(pk: Any) -> Any:
    return pk if isinstance(pk, int) else str(pk)

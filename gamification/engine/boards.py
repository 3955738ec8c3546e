"""Boards: a page of the snapshot, and where somebody stands right now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing

from gamification.backends import get_backend, scores
from gamification.backends.base import BoardName, Entry, Position, Snapshot
from gamification.backends.reads import tally
from gamification.conf import get_settings
from gamification.engine import inputs
from gamification.engine.faces import Faces
from gamification.engine.results import Board, Standing
from gamification.exceptions import InvalidInput, UnknownScope

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

LIMIT_MAX = 100
NEIGHBOURS = 2
CURSOR_SALT = "gamification.pages"
Page = tuple[datetime, int, Any]


def page(
    metric: str,
    *,
    limit: int = 10,
    viewer: AbstractBaseUser | None = None,
    scope: str | None = None,
    cursor: str = "",
    is_placed: bool = True,
    now: datetime,
) -> Board:
    """Return a page of a board, as ``services.leaderboards.top`` says."""
    limit = inputs.clean_whole(limit, "limit", low=1, high=LIMIT_MAX)
    board = named(metric, scope, viewer)
    last = _decode_cursor(cursor)
    tally.looked(viewer.pk if viewer else None, now)
    begun = get_backend().earlier_snapshot(board, last[0]) if last else None
    snapshot = begun or get_backend().snapshot(board, now)
    faces = Faces(viewer)
    entries = _entries(board, snapshot, last, limit, now)
    first = list(islice(entries, limit + 1))
    faces.expect(entry.user_id for entry in first)
    asking = viewer if is_placed else None
    me, around_me = me_and_around(board, asking, now, faces, snapshot=None if begun else snapshot)
    shown, has_more = _rows(chain(first, entries), limit, faces)
    cursor = _encode_cursor(snapshot, shown[-1]) if has_more else ""
    if me is not None:
        shown = [me if row.is_me else row for row in shown]
    return Board(
        metric=metric,
        entries=tuple(shown),
        me=me,
        around=around_me,
        total=snapshot.total,
        cached_at=snapshot.cached_at,
        expires_at=snapshot.expires_at,
        next=cursor,
    )


def named(metric: str, scope: str | None, viewer: AbstractBaseUser | None) -> BoardName:
    """Return the board that a caller asked for.

    Raises:
        UnknownMetric, UnknownScope: there is no such board or group.
    """
    scores.check_metric(metric)
    if not scope:
        return BoardName(metric)
    hook = get_settings().hook("SCOPES")
    members = hook(scope, viewer) if hook and len(scope) <= 100 and scope.isprintable() else None
    if members is None:
        raise UnknownScope(field="scope")
    return BoardName(metric, scope, members)


def place(
    user: AbstractBaseUser, metric: str, scope: str | None, now: datetime
) -> tuple[Standing, tuple[Standing, ...]]:
    """Return the live place of ``user`` and those around it, as ``services.leaderboards.place`` says."""
    board = named(metric, scope, user)
    tally.looked(user.pk, now)
    me, around_me = me_and_around(board, user, now)
    return cast("Standing", me), around_me


def standing(user: AbstractBaseUser, metric: str, scope: str | None, now: datetime) -> Standing:
    """Return the live place of ``user`` alone."""
    board = named(metric, scope, user)
    tally.looked(user.pk, now)
    return standing_of(user, get_backend().position(board, user.pk, now))


def me_and_around(
    board: BoardName,
    user: AbstractBaseUser | None,
    now: datetime,
    faces: Faces | None = None,
    *,
    snapshot: Snapshot | None = None,
) -> tuple[Standing | None, tuple[Standing, ...]]:
    """Return the live place of ``user`` and, with a score, those around it: two above, the user, two below."""
    if user is None:
        return None, ()
    faces = faces or Faces(user)
    asked = NEIGHBOURS
    while True:
        position = get_backend().position(board, user.pk, now, neighbours=asked, snapshot=snapshot)
        faces.expect((user.pk, *(row.user_id for row in (*position.above, *position.below))))
        above, below = faces.standings(position.above), faces.standings(position.below)
        sides = ((above, position.above), (below, position.below))
        if asked > LIMIT_MAX or all(len(shown) >= NEIGHBOURS or len(live) < asked for shown, live in sides):
            break
        asked *= 4  # some were hidden since the snapshot: look further
    me = standing_of(user, position, faces)
    return me, (*above[-NEIGHBOURS:], me, *below[:NEIGHBOURS]) if position.rank is not None else ()


def standing_of(user: AbstractBaseUser, position: Position, faces: Faces | None = None) -> Standing:
    """Return a user's own row for a live position, with the points missing to the next rank."""
    to_next = position.next_score - position.score if position.next_score is not None else None
    own = (faces or Faces(user)).own(Entry(cast("int", position.rank), user.pk, position.score))
    return replace(own, to_next_rank=to_next)


def _rows(entries: Iterator[Entry], limit: int, faces: Faces) -> tuple[list[Standing], bool]:
    """Return the rows to show, hidden ones dropped and refilled, and whether there are more."""
    shown: list[Standing] = []
    while len(shown) <= limit:
        part = list(islice(entries, limit + 1 - len(shown)))
        if not part:
            break
        shown += faces.standings(part)
    return shown[:limit], len(shown) > limit


def _entries(board: BoardName, snapshot: Snapshot, begun: Page | None, limit: int, now: datetime) -> Iterator[Entry]:
    """Yield the entries behind the page before: those of the snapshot, and past its depth those of the database."""
    last = begun[1:] if begun else None
    for entry in snapshot.entries:
        if last is None or (-entry.score, entry.user_id) > (-last[0], last[1]):
            yield entry
    if len(snapshot.entries) >= snapshot.total:
        return
    deepest = (snapshot.entries[-1].score, snapshot.entries[-1].user_id)
    last = deepest if last is None or (-last[0], last[1]) < (-deepest[0], deepest[1]) else last
    while rows := get_backend().after(board, last[0], last[1], limit + 1, now):
        yield from rows
        last = (rows[-1].score, rows[-1].user_id)


def _encode_cursor(snapshot: Snapshot, last: Standing) -> str:
    return _signed(snapshot.cached_at.isoformat(), last.score, str(last.user_id), settings.SECRET_KEY)


@lru_cache(maxsize=1024)
def _signed(cached_at: str, score: int, user_id: str, _key: str) -> str:
    """Return a cursor, signed with ``_key``, which is here so that none outlives it; first pages end in the same."""
    return signing.dumps([cached_at, score, user_id], salt=CURSOR_SALT)


def _decode_cursor(cursor: str) -> Page | None:
    if not cursor:
        return None
    try:
        cached_at, score, user_id = signing.loads(cursor, salt=CURSOR_SALT)
    except signing.BadSignature as error:
        raise InvalidInput("cursor is not one that was given out.", field="cursor") from error
    return datetime.fromisoformat(cached_at), score, get_user_model()._meta.pk.to_python(user_id)

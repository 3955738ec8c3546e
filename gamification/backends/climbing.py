"""Reads a whole board once and makes its ladder."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import Count, IntegerField

from gamification.backends import ladder, scores
from gamification.backends.base import BoardName
from gamification.backends.ladder import Ladder, Step
from gamification.conf import get_settings
from gamification.models import UserXP

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: People between two steps: few enough to be counted for each rank, enough to keep a ladder of a million short.
STEP = 250
#: With more hidden people than this, those who are seen are read one by one, so that no snapshot holds them all.
HIDDEN_MAX = 100_000


def ladder_of(board: BoardName, now: datetime, excluded: frozenset[Any]) -> Ladder:
    """Return the ladder of a board as it is now; that of a window comes with its top.

    Boards with an index by score are walked along it. Of streaks, which are few, and of groups every score becomes a
    step.
    """
    everybody = scores.scores(board.metric, now)
    hidden = _hidden(everybody, excluded) if board.members is None else None
    if hidden is None:
        seen = scores.visible(everybody, board, excluded)
        return ladder.build(_grouped(seen), (), is_complete=True)
    if board.metric not in scores.STREAKS:
        steps = _walked(board.metric)
        below = everybody.filter(score__lt=steps[-1].score) if steps else everybody
        return ladder.build(steps, hidden, is_complete=False, below=below.count())
    return ladder.build(_grouped(everybody), hidden, is_complete=True)


def window(
    board: BoardName, now: datetime, excluded: frozenset[Any], depth: int
) -> tuple[list[tuple[Any, int]], Ladder]:
    """Return the first ``depth`` users of a window with their scores, and its ladder, on which every score is a step.

    Nothing but the days knows a sum, so they are added up once for both, and a step names somebody who has its score.
    """
    seen = scores.visible(scores.scores(board.metric, now), board, excluded).order_by()
    key = get_user_model()._meta.pk
    # Not every database has a least UUID; as texts they are in the same order.
    user = "user_id" if isinstance(key, IntegerField) else "CAST(user_id AS VARCHAR(64))"
    sums, params = seen.query.sql_with_params()
    # What is read twice is kept by the database meanwhile; as whole numbers, because those are quicker to compare.
    statement = (
        f"WITH seen AS (SELECT user_id, CAST(score AS BIGINT) AS score FROM ({sums}) added) "  # noqa: S608
        f"SELECT score, 0, {user}, {user} FROM (SELECT * FROM seen ORDER BY score DESC, user_id LIMIT {depth}) first "
        f"UNION ALL SELECT score, COUNT(*), MIN({user}), MAX({user}) FROM seen GROUP BY score"
    )
    with connections[seen.db].cursor() as cursor:
        cursor.execute(statement, params)
        found = cursor.fetchall()
    top = [(key.to_python(pk), score) for score, tied, pk, _ in found if not tied]
    steps = [
        Step(score, 0, tied, (key.to_python(least), key.to_python(last))) for score, tied, least, last in found if tied
    ]
    steps.sort(key=lambda step: -step.score)
    return top, ladder.build(steps, (), is_complete=True)


def _hidden(everybody: QuerySet[Any, Any], excluded: frozenset[Any]) -> list[int] | None:
    """Return the scores of the hidden people on a board; None where there are too many of them."""
    unseen: QuerySet[Any, Any] = UserXP.objects.hidden().values("user_id")
    if scores.has_active_flag():  # in one query for both: neither those who are active nor their scores are looked up
        unseen = unseen.union(get_user_model()._default_manager.filter(is_active=False).values("pk"))
    hidden = everybody.filter(user_id__in=unseen)
    parts = [hidden.exclude(user_id__in=excluded), everybody.filter(user_id__in=excluded)] if excluded else [hidden]
    found: list[int] = []
    for rows in parts:
        found += rows.order_by().values_list("score", flat=True)[: HIDDEN_MAX + 1]
    return found if len(found) <= HIDDEN_MAX else None


def _grouped(rows: QuerySet[Any, Any]) -> list[Step]:
    """Return every score of a board as a step, from the top."""
    found = rows.values("score").annotate(tied=Count("user_id")).order_by("-score").values_list("score", "tied")
    return [Step(score, 0, tied) for score, tied in found]


def _walked(metric: str) -> list[Step]:
    """Return a step for every so many people, by one walk along the board's index.

    Each step of the recursion jumps over ``STEP`` rows below the score before. The row that it lands on tells how many
    of those have its own score; so with a look at those who are tied there, nothing is counted twice.
    """
    rows = int(get_settings().LEADERBOARD_OPTIONS.get("step", STEP))
    model, score, condition = scores.indexed(metric)
    connection = connections[router.db_for_read(model)]
    quote = connection.ops.quote_name
    table, score = quote(model._meta.db_table), quote(score)
    on_board = " AND ".join([f"{score} > 0", *(f"{quote(name)} = %s" for name in condition)])
    # Only names of our own, and a number, are written into the texts.
    landing = (
        f"SELECT user_id FROM {table} WHERE {on_board}{{}} ORDER BY {score} DESC, user_id LIMIT 1 OFFSET {rows - 1}"  # noqa: S608
    )
    named = "".join(f" AND x.{quote(name)} = %s" for name in condition)
    statement = (
        f"WITH RECURSIVE steps(score, who) AS ("  # noqa: S608
        f"SELECT x.{score}, x.user_id FROM {table} x WHERE x.user_id = ({landing.format('')}){named} "
        f"UNION ALL SELECT x.{score}, x.user_id FROM steps JOIN {table} x ON x.user_id = "
        f"({landing.format(f' AND {score} < steps.score')}){named}) "
        f"SELECT score, (SELECT COUNT(*) FROM {table} WHERE {on_board} AND {score} = steps.score AND user_id <= who), "
        f"(SELECT COUNT(*) FROM {table} WHERE {on_board} AND {score} = steps.score) FROM steps ORDER BY score DESC"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*condition.values()] * 6)
        return [Step(value, rows - before, tied) for value, before, tied in cursor.fetchall()]

"""Leaderboards."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from rest_framework.decorators import action
from rest_framework.response import Response

from gamification.api.schema import Query, document, one_of
from gamification.api.serializers.inputs import BoardQuerySerializer, ScopeQuerySerializer
from gamification.api.serializers.leaderboards import BoardSerializer, RankSerializer, board_data
from gamification.api.views.base import GamificationViewSet
from gamification.services import leaderboards

if TYPE_CHECKING:
    from rest_framework.request import Request

SCOPE = Query("scope", "Narrows the board to a group that the project knows.", {"type": "string"})
QUERY = (
    Query("limit", "Entries a page.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}),
    Query("cursor", "Where the page begins; `next` has it.", {"type": "string"}),
    Query("me", "`false` leaves `me` and `around` out, which is cheaper.", one_of(["true", "false"])),
    SCOPE,
)


class LeaderboardViewSet(GamificationViewSet):
    """Boards, and where the caller stands on them."""

    lookup_field = "metric"
    lookup_value_converter = "str"

    @document("A leaderboard", {200: BoardSerializer}, query=QUERY, problems=(400, 404))
    def retrieve(self, request: Request, metric: str) -> Response:
        """Return a page of a board, with my own place whether or not I am on it, unless ``me`` is false.

        404 lists the boards there are.
        """
        query = _read(BoardQuerySerializer, request)
        board = leaderboards.top(metric, viewer=self.me, is_placed=query.pop("me", True), **query)
        data = board_data(board)
        if board.next:
            data["next"] = _with_cursor(request, board.next)
        return Response(data)

    @document("My rank", {200: RankSerializer}, query=(SCOPE,), problems=(400, 404))
    @action(detail=True)
    def rank(self, request: Request, metric: str) -> Response:
        """Return where I stand, live, with my neighbours and the points missing to the next rank."""
        scope = _read(ScopeQuerySerializer, request).get("scope")
        me, neighbours = leaderboards.place(self.me, metric, scope=scope)
        return Response(
            RankSerializer(
                {
                    "metric": metric,
                    "rank": me.rank,
                    "score": me.score,
                    "to_next_rank": me.to_next_rank,
                    "around": neighbours,
                }
            ).data
        )


def _with_cursor(request: Request, cursor: str) -> str:
    """Return the address that was asked for, with another ``cursor``."""
    query = {**dict(request.query_params.lists()), "cursor": [cursor]}
    return f"{request.build_absolute_uri(request.path)}?{urlencode(sorted(query.items()), doseq=True)}"


def _read(serializer: type[ScopeQuerySerializer], request: Request) -> dict[str, Any]:
    """Return the checked query parameters."""
    return dict(_checked(serializer, *request.query_params.dict().items())) if request.GET else {}


@lru_cache(maxsize=256)
def _checked(serializer: type[ScopeQuerySerializer], *query: tuple[str, str]) -> Mapping[str, Any]:
    """Return query parameters that proved to be right, as almost all do that are asked for again and again."""
    return dict(_reader(serializer).run_validation(dict(query)))


@cache
def _reader(serializer: type[ScopeQuerySerializer]) -> ScopeQuerySerializer:
    """Return an instance that reads for everybody: to make its fields takes longer than to read."""
    return serializer()

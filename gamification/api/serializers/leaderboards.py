"""Leaderboards. Entries carry no id of a user."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gamification.api.fields import MomentField
from gamification.engine.results import Board, Standing

MOMENT = MomentField()
TO_NEXT_RANK = "Points missing to the next rank; null when first."


def row(standing: Standing) -> dict[str, Any]:
    """Return the fields of an entry: written out, because a page has many and each would look every field up."""
    return {
        "rank": standing.rank,
        "name": standing.name,
        "avatar_url": standing.avatar_url or None,
        "level": standing.level,
        "title": standing.title,
        "score": standing.score,
        "is_me": standing.is_me,
    }


def my_row(standing: Standing) -> dict[str, Any]:
    """Return the fields of my own entry."""
    return {**row(standing), "to_next_rank": standing.to_next_rank}


def board_data(board: Board) -> dict[str, Any]:
    """Return the fields of a board, written out as those of its rows are."""
    return {
        "metric": board.metric,
        "entries": [row(standing) for standing in board.entries],
        "me": my_row(board.me) if board.me else None,
        "around": [row(standing) for standing in board.around],
        "total": board.total,
        "cached_at": MOMENT.to_representation(board.cached_at),
        "expires_at": MOMENT.to_representation(board.expires_at),
        "next": board.next or None,
    }


class EntrySerializer(serializers.Serializer[Standing]):
    """A row of a board. Equal scores share a rank: 1, 2, 2, 4."""

    rank = serializers.IntegerField(allow_null=True, help_text="From 1; null at score 0.")
    name = serializers.CharField(help_text="The public name.")
    avatar_url = serializers.SerializerMethodField()
    level = serializers.IntegerField()
    title = serializers.CharField()
    score = serializers.IntegerField()
    is_me = serializers.BooleanField()

    def get_avatar_url(self, standing: Standing) -> str | None:
        return standing.avatar_url or None

    def to_representation(self, standing: Standing) -> dict[str, Any]:
        return row(standing)


class MyEntrySerializer(EntrySerializer):
    """My own row, live."""

    to_next_rank = serializers.IntegerField(allow_null=True, help_text=TO_NEXT_RANK)

    def to_representation(self, standing: Standing) -> dict[str, Any]:
        return my_row(standing)


class BoardSerializer(serializers.Serializer[Board]):
    """A page of a board."""

    metric = serializers.CharField()
    entries = EntrySerializer(many=True)
    me = MyEntrySerializer(allow_null=True, help_text="Null where it was not asked for.")
    around = EntrySerializer(many=True, help_text="Up to two above me, me, up to two below.")
    total = serializers.IntegerField(help_text="Users on the board.")
    cached_at = MomentField()
    expires_at = MomentField()
    next = serializers.SerializerMethodField()

    def get_next(self, board: Board) -> str | None:
        """Return the address of the next page; null on the last."""
        return board.next or None

    def to_representation(self, board: Board) -> dict[str, Any]:
        return board_data(board)


class RankSerializer(serializers.Serializer[Any]):
    """Where I stand."""

    metric = serializers.CharField()
    rank = serializers.IntegerField(allow_null=True, help_text="From 1; null at score 0.")
    score = serializers.IntegerField()
    to_next_rank = serializers.IntegerField(allow_null=True, help_text=TO_NEXT_RANK)
    around = EntrySerializer(many=True, help_text="Up to two above me, me, up to two below.")

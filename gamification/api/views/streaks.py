"""Streaks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rest_framework.decorators import action
from rest_framework.response import Response

from gamification.api.schema import document
from gamification.api.serializers.streaks import FreezeSerializer, StreakStatusSerializer, StreakUpdateSerializer
from gamification.api.views.base import GamificationViewSet
from gamification.services import streaks

if TYPE_CHECKING:
    from rest_framework.request import Request


class StreakViewSet(GamificationViewSet):
    """The caller's streak."""

    @document("How my streak stands", {200: StreakStatusSerializer})
    @action(detail=False)
    def status(self, request: Request) -> Response:
        """Return how my streak reads now, the week and the freezes that I used; nothing is written."""
        user, row = self.me, streaks.stored(self.me)
        told = {
            **asdict(streaks.status(user)),
            "timezone": row.timezone,
            "last_at": row.last_at,
            "week": streaks.week(user),
            "freeze_history": streaks.freeze_history(user),
        }
        return Response(StreakStatusSerializer(told).data)

    @document("Record a visit of today", {200: StreakUpdateSerializer})
    @action(detail=False, methods=["post"], url_path="update", url_name="update")
    def touch(self, request: Request) -> Response:
        """Count today as an active day; again on the same day the streak is ``maintained``."""
        return Response(StreakUpdateSerializer(streaks.touch(self.me)).data)

    @document("Freeze today", {200: FreezeSerializer}, problems=(409,))
    @action(detail=False, methods=["post"])
    def freeze(self, request: Request) -> Response:
        """Cover today with a freeze; asked again on the same day it answers the same and uses no second one.

        409 `already_active_today`, `no_active_streak` or `no_freezes_left` when there is nothing to freeze.
        """
        return Response(FreezeSerializer(streaks.freeze(self.me)).data)

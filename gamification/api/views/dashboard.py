"""The dashboard's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.response import Response

from gamification.api.schema import document
from gamification.api.serializers.dashboard import DashboardSerializer
from gamification.api.views.base import GamificationViewSet
from gamification.services import dashboard

if TYPE_CHECKING:
    from rest_framework.request import Request


class DashboardViewSet(GamificationViewSet):
    """All that the caller's dashboard shows."""

    @document("My dashboard", {200: DashboardSerializer})
    def retrieve(self, request: Request) -> Response:
        """Return level, streak, achievements, a leaderboard, a year of days and the newest XP in one answer."""
        return Response(DashboardSerializer(dashboard.overview(self.me)).data)

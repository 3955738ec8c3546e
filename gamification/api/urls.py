"""The API's addresses: ``path("api/v1/gamification/", include("gamification.api.urls"))``. None ends with a slash."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from gamification.api.views.achievements import AchievementViewSet
from gamification.api.views.activities import ActivityViewSet
from gamification.api.views.dashboard import DashboardViewSet
from gamification.api.views.leaderboards import LeaderboardViewSet
from gamification.api.views.me import DataViewSet, MeViewSet
from gamification.api.views.streaks import StreakViewSet
from gamification.api.views.xp import HistoryViewSet, XPViewSet

app_name = "gamification-api"

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("achievements", AchievementViewSet, basename="achievement")
router.register("streaks", StreakViewSet, basename="streak")
router.register("xp", XPViewSet, basename="xp")
router.register("xp/history", HistoryViewSet, basename="xp-history")
router.register("leaderboard", LeaderboardViewSet, basename="leaderboard")
router.register("activities", ActivityViewSet, basename="activity")

urlpatterns = [
    path("", include(router.urls)),
    path("dashboard", DashboardViewSet.as_view({"get": "retrieve"}), name="dashboard"),
    path("me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="me"),
    path("me/data", DataViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="me-data"),
]

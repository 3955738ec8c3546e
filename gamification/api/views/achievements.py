"""Achievements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from gamification.api.permissions import MayInitializeAchievements
from gamification.api.schema import Example, Query, document
from gamification.api.serializers import achievements as answers
from gamification.api.serializers.inputs import AchievementFilterSerializer
from gamification.api.views.base import GamificationViewSet, rows
from gamification.domain.catalogue import CATEGORIES
from gamification.exceptions import UnknownAchievement
from gamification.services import achievements

if TYPE_CHECKING:
    from rest_framework.request import Request

FILTERS = (
    Query("category", "Only this category; without secrets.", {"type": "string", "enum": list(CATEGORIES)}),
    Query("unlocked", "Only what I have, or have not; without secrets.", {"type": "boolean"}),
)


class AchievementViewSet(GamificationViewSet):
    """Achievements, as the caller sees them."""

    lookup_field = "achievement_id"
    lookup_value_converter = "str"

    @document("List achievements", {200: answers.LISTED}, query=FILTERS, problems=(400,))
    def list(self, request: Request) -> Response:
        """Return all definitions in order, with how far I am; a secret is ``{"is_hidden": true, "position": n}``."""
        filters = AchievementFilterSerializer(data=request.query_params.dict())
        filters.is_valid(raise_exception=True)
        states = achievements.catalogue(self.me)
        if filters.validated_data:
            states = [state for state in states if not state.is_masked and _matches(state, **filters.validated_data)]
        return Response([answers.listed(state) for state in states])

    @document("Get an achievement", {200: answers.AchievementDetailSerializer}, problems=(404,))
    def retrieve(self, request: Request, achievement_id: str) -> Response:
        """Return one definition with how far I am and how rare it is; 404 while it is hidden from me."""
        if not achievement_id.isprintable():  # PostgreSQL cannot even look for a NUL
            raise UnknownAchievement("There is no such achievement.", field="achievement_id")
        state = achievements.get(achievement_id, self.me)
        share = achievements.share_of_holders(achievement_id)
        return Response(answers.AchievementDetailSerializer(state, context={"share_of_holders": share}).data)

    @document("List what I have", {200: answers.UnlockedAchievementSerializer(many=True)})
    @action(detail=False, url_path="user")
    def user(self, request: Request) -> Response:
        """Return the achievements that I have, in order."""
        return Response(rows(answers.UnlockedAchievementSerializer, achievements.for_user(self.me)))

    @document("List my progress", {200: answers.ProgressSerializer(many=True)})
    @action(detail=False)
    def progress(self, request: Request) -> Response:
        """Return how far I am with every achievement that is no secret."""
        return Response(rows(answers.ProgressSerializer, achievements.progress(self.me)))

    @document(
        "Unlock what I have met",
        {200: answers.UnlockedIdsSerializer},
        examples=[Example("First time", {"achievements_unlocked": ["first_scenario"]}, 200)],
    )
    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> Response:
        """Unlock whatever I have met by now and return it; asked again, nothing is left to unlock."""
        return Response({"achievements_unlocked": list(achievements.check(self.me))})

    @document(
        "Create the shipped achievements",
        {200: answers.SeededSerializer},
        examples=[Example("First time", {"created": 27, "updated": 0, "unchanged": 0}, 200)],
    )
    @action(detail=False, methods=["post"], permission_classes=[IsAuthenticated, MayInitializeAchievements])
    def initialize(self, request: Request) -> Response:
        """Create the shipped definitions that are missing; what staff edited stays."""
        return Response(answers.SeededSerializer(achievements.initialize()).data)


def _matches(state: Any, category: str | None = None, unlocked: str | None = None) -> bool:
    is_of_category = category is None or state.achievement.category == category
    return is_of_category and (unlocked is None or state.unlocked == (unlocked == "true"))

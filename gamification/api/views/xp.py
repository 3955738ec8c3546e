"""Levels, awards and the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_filters.rest_framework import DjangoFilterBackend  # type: ignore[import-untyped]
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from gamification.api import throttles
from gamification.api.filters import LedgerFilterSet
from gamification.api.idempotency import answer, resolve_key
from gamification.api.pagination import LedgerPagination
from gamification.api.permissions import MayAwardXP, MayReverseXP
from gamification.api.schema import Example, document
from gamification.api.serializers.inputs import AwardInputSerializer, ReverseInputSerializer
from gamification.api.serializers.xp import AwardSerializer, LevelSerializer, StatsSerializer, TransactionSerializer
from gamification.api.views.base import GamificationViewSet, row_id
from gamification.models import XPTransaction
from gamification.services import xp

if TYPE_CHECKING:
    from rest_framework.request import Request

    from gamification.models.xp import XPTransactionQuerySet

AWARD = {"user": 7, "amount": 120, "reason": "essay", "reference_id": "essay-31", "metadata": {"grade": "A"}}
AWARDED = {
    "transaction_id": 5121,
    "xp_awarded": 120,
    "total_xp": 220,
    "previous_level": 2,
    "current_level": 3,
    "level_up": True,
    "title": "Novice",
    "achievements_unlocked": [],
}


class XPViewSet(GamificationViewSet):
    """The caller's XP, and what trusted callers give to others."""

    throttle_scopes = {"award": throttles.AWARDS, "reverse": throttles.AWARDS}

    @document("My level", {200: LevelSerializer})
    @action(detail=False)
    def level(self, request: Request) -> Response:
        """Return my total, level, title and the way to the next level."""
        return Response(LevelSerializer(xp.level(self.me)).data)

    @document("My XP in numbers", {200: StatsSerializer})
    @action(detail=False)
    def stats(self, request: Request) -> Response:
        """Return sums of my XP over my local dates and by reason."""
        return Response(StatsSerializer(xp.stats(self.me)).data)

    @document(
        "Award XP",
        {201: AwardSerializer, 200: AwardSerializer},
        body=AwardInputSerializer,
        problems=(409,),
        is_keyed=True,
        examples=[Example("Award", AWARD), Example("Awarded", AWARDED, 201)],
    )
    @action(detail=False, methods=["post"], permission_classes=[IsAuthenticated, MayAwardXP])
    def award(self, request: Request) -> Response:
        """Award XP to a user, once for each key; needs the permission `gamification.award_xp`.

        409 `insufficient_xp` when the total would fall below 0, 422 `idempotency_conflict` when the key was used for
        something else.
        """
        body = AwardInputSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        key = resolve_key(request, values.pop("key", None))
        award = xp.award(values.pop("user"), values.pop("amount"), key=key, actor=self.me, **values)
        return answer(AwardSerializer(award).data, is_replay=award.is_replay)

    @document(
        "Reverse a transaction",
        {201: AwardSerializer, 200: AwardSerializer},
        body=ReverseInputSerializer,
        problems=(404, 409),
        is_keyed=True,
        examples=[Example("Reverse", {"reason": "graded twice"})],
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="transactions/<str:transaction_id>/reverse",
        permission_classes=[IsAuthenticated, MayReverseXP],
    )
    def reverse(self, request: Request, transaction_id: str) -> Response:
        """Book the opposite of a transaction; needs the permission `gamification.reverse_xp`.

        409 `already_reversed`, `not_reversible` or `insufficient_xp` when that cannot be.
        """
        body = ReverseInputSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = resolve_key(request, body.validated_data.get("key"))
        original = _transaction(transaction_id)
        reversal = xp.reverse(original, reason=body.validated_data["reason"], key=key, actor=self.me)
        return answer(AwardSerializer(reversal).data, is_replay=reversal.is_replay)


class HistoryViewSet(GamificationViewSet, ListModelMixin, GenericViewSet[XPTransaction]):
    """The caller's ledger."""

    queryset = XPTransaction.objects.none()
    serializer_class = TransactionSerializer
    pagination_class = LedgerPagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = LedgerFilterSet

    def get_queryset(self) -> XPTransactionQuerySet:
        return xp.history(self.me)

    @document("My ledger", {200: TransactionSerializer(many=True)}, problems=(400,))
    def list(self, request: Request) -> Response:
        """Return my transactions, newest first, a page at a time."""
        return super().list(request)


def _transaction(transaction_id: str) -> XPTransaction:
    """Return the row with the id in an address, whatever stands there."""
    found = XPTransaction.objects.filter(pk=row_id(transaction_id)).select_related("user").first()
    if found is None:
        raise NotFound("There is no such transaction.")
    return found

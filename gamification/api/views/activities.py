"""Recording activities, and voiding them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.serializers import ListSerializer

from gamification.api import throttles
from gamification.api.idempotency import answer, resolve_key
from gamification.api.permissions import MayVoidActivities, is_trusted, may_report, require_own_reports
from gamification.api.schema import Either, Example, document
from gamification.api.serializers.activities import ReceiptSerializer, VoidSerializer
from gamification.api.serializers.inputs import (
    BATCH_MAX,
    ActivityInputSerializer,
    VoidInputSerializer,
    read_activities,
    with_users,
)
from gamification.api.views.base import GamificationViewSet, row_id, rows
from gamification.models import Activity
from gamification.services import activities

if TYPE_CHECKING:
    from rest_framework.request import Request

MANY: ListSerializer[Any] = ListSerializer(child=ActivityInputSerializer(), allow_empty=False, max_length=BATCH_MAX)
ONE_OR_MANY = Either("ActivityOrList", (ActivityInputSerializer, MANY))
RECEIPTS = Either("ReceiptOrList", (ReceiptSerializer, ReceiptSerializer(many=True)))
SCENARIO = {
    "kind": "scenario_completed",
    "key": "lesson-812",
    "data": {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"},
    "occurred_at": "2026-06-01T18:30:00+02:00",
}

VISIT = {"kind": "daily_visit", "key": "visit-9", "user": 7}

BAD_ITEM = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": "number 1, quantity: Ensure this value is less than or equal to 10000.",
    "code": "invalid",
    "errors": [
        {
            "index": 1,
            "field": "quantity",
            "code": "max_value",
            "message": "Ensure this value is less than or equal to 10000.",
        }
    ],
}


class ActivityViewSet(GamificationViewSet):
    """What people did."""

    throttle_scopes = {"create": throttles.ACTIVITIES, "void": throttles.AWARDS}

    @document(
        "Record activities",
        {201: RECEIPTS, 200: RECEIPTS},
        body=ONE_OR_MANY,
        is_keyed=True,
        examples=[Example("One", SCENARIO), Example("List", [SCENARIO, VISIT]), Example("One is bad", BAD_ITEM, 400)],
    )
    def create(self, request: Request) -> Response:
        """Record one activity, or up to 1,000 in one transaction, each once for its key.

        Without the permission `gamification.record_activity` only my own, of the kinds in `SELF_REPORTED_KINDS`. In a
        list every item has its `key`. One bad item of a list refuses them all: each of `errors` has its `index`.
        """
        if not may_report(self.me):
            raise PermissionDenied
        if isinstance(request.data, list):
            return self._create_many(request.data)
        body = ActivityInputSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        item = {**body.validated_data, "key": resolve_key(request, body.validated_data.get("key"))}
        trusted, (found,) = self._allowed([item], in_list=False)
        receipt = activities.record(found.pop("user"), found.pop("kind"), trusted=trusted, **found)
        return answer(ReceiptSerializer(receipt).data, is_replay=receipt.is_replay)

    @document(
        "Void an activity",
        {200: VoidSerializer},
        body=VoidInputSerializer,
        problems=(404, 409),
        examples=[Example("Void", {"reason": "reported by a script"})],
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="<str:activity_id>/void",
        permission_classes=[IsAuthenticated, MayVoidActivities],
    )
    def void(self, request: Request, activity_id: str) -> Response:
        """Take back all that an activity has brought; needs the permission `gamification.void_activity`.

        Its XP, counters, day and streak are as if it had not been; it stays in the log, and its key stays used.
        409 `already_voided` the second time, `insufficient_xp` when the total would fall below 0.
        """
        body = VoidInputSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        voided = activities.void(_activity(activity_id), actor=self.me, **body.validated_data)
        return Response(VoidSerializer(voided).data)

    def _create_many(self, body: list[Any]) -> Response:
        items = [{"key": "", **item} for item in read_activities(body)]
        trusted, found = self._allowed(items, in_list=True)
        receipts = activities.record_many((activities.Event(**item) for item in found), trusted=trusted)
        is_replay = all(receipt.is_replay for receipt in receipts)
        return answer(rows(ReceiptSerializer, receipts), is_replay=is_replay)

    def _allowed(self, items: list[dict[str, Any]], *, in_list: bool) -> tuple[bool, list[dict[str, Any]]]:
        """Return whether the caller is trusted, and the items with their users.

        Raises:
            PermissionDenied, KindNotAllowed: the caller may not report this; asked before anybody is looked up.
        """
        trusted = is_trusted(self.me)
        if not trusted:
            require_own_reports(self.me, ((item.get("user", self.me.pk), item["kind"]) for item in items))
        return trusted, with_users(items, self.me, in_list=in_list)


def _activity(activity_id: str) -> Activity:
    """Return the row with the id in an address, whatever stands there."""
    found = Activity.objects.filter(pk=row_id(activity_id)).select_related("user").first()
    if found is None:
        raise NotFound("There is no such activity.")
    return found

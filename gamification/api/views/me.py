"""The caller's own settings and data."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.db import transaction
from rest_framework.response import Response

from gamification.api import throttles
from gamification.api.permissions import require_consent
from gamification.api.schema import document
from gamification.api.serializers.inputs import EraseInputSerializer, MeInputSerializer
from gamification.api.serializers.me import ExportSerializer, MeSerializer
from gamification.api.views.base import GamificationViewSet
from gamification.services import privacy, streaks

if TYPE_CHECKING:
    from rest_framework.request import Request


class MeViewSet(GamificationViewSet):
    """The caller's own settings."""

    @document("My settings", {200: MeSerializer})
    def retrieve(self, request: Request) -> Response:
        """Return my time zone and whether others see me on leaderboards."""
        return Response(_settings_of(self.me))

    @document("Change my settings", {200: MeSerializer}, body=MeInputSerializer, problems=(422,))
    def partial_update(self, request: Request) -> Response:
        """Change what is sent; all of it or nothing. The time zone can be changed once in 24 hours."""
        body = MeInputSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user, values = self.me, body.validated_data
        with transaction.atomic():
            if "timezone" in values:
                streaks.set_timezone(user, values["timezone"], by_staff=False)
            if "is_visible" in values:
                privacy.set_visibility(user, values["is_visible"])
        return Response(_settings_of(user))


class DataViewSet(GamificationViewSet):
    """All that is kept about the caller."""

    throttle_scopes = {"retrieve": throttles.EXPORT, "destroy": throttles.ERASE}

    @document("Take my data", {200: ExportSerializer})
    def retrieve(self, request: Request) -> Response:
        """Return every row that is kept about me, as a file to save."""
        disposition = {"Content-Disposition": 'attachment; filename="gamification.json"'}
        return Response(privacy.export(self.me), headers=disposition)

    @document("Erase my data", {204: None}, body=EraseInputSerializer)
    def destroy(self, request: Request) -> Response:
        """Delete every row that is kept about me; the account stays.

        Asks for its password, or for an account without one a confirmation: 403 `wrong_password`, `not_confirmed`.
        """
        body = EraseInputSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        require_consent(self.me, **body.validated_data)
        privacy.erase(self.me, actor=self.me)
        return Response(status=HTTPStatus.NO_CONTENT)


def _settings_of(user: Any) -> dict[str, Any]:
    return dict(MeSerializer({"timezone": streaks.timezone(user), "is_visible": privacy.is_visible(user)}).data)

"""What the app's views share, so that the host's own API keeps its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.db import transaction
from django.utils.functional import LazyObject
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.viewsets import ViewSet

from gamification.api import errors, throttles
from gamification.api.negotiation import JSONNegotiation
from gamification.api.parsers import StrictJSONParser
from gamification.api.schema import schema_of_views

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.throttling import BaseThrottle


class GamificationViewSet(ViewSet):
    """JSON in, JSON out, refusals as problems, throttled by scope; authentication is the host's.

    ``throttle_scopes`` maps an action to its scope; others are throttled as reading or as writing.
    """

    permission_classes = [IsAuthenticated]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JSONNegotiation
    versioning_class = None
    http_method_names = ["get", "head", "post", "patch", "delete"]
    schema = schema_of_views()
    throttle_scopes: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        """Return the view, outside of ``ATOMIC_REQUESTS``: the services open the transactions that there are."""
        return transaction.non_atomic_requests(super().as_view(actions, **initkwargs))

    @property
    def me(self) -> AbstractBaseUser:
        """Return who calls, without the lazy object around a session's user: receivers and hooks look at types."""
        user: Any = self.request.user
        return cast("AbstractBaseUser", user._wrapped if isinstance(user, LazyObject) else user)

    def get_throttles(self) -> list[BaseThrottle]:
        kind = throttles.READ if self.request.method in SAFE_METHODS else throttles.WRITE
        return [throttles.ScopeThrottle(self.throttle_scopes.get(self.action, kind))]

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return errors.handle

    def finalize_response(self, request: Request | HttpRequest, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep what is about a person out of caches."""
        response = super().finalize_response(cast("Request", request), response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def rows(serializer_class: Any, items: Any) -> list[Any]:
    """Return a list of ``items`` as ``serializer_class`` shows each."""
    return list(serializer_class(items, many=True).data)


def row_id(text: str) -> int:
    """Return the id of a row in an address, 0 for what can be none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0

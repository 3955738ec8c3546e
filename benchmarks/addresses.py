"""The project's addresses, and the least that a view behind a login can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.urls import include, path

if TYPE_CHECKING:
    from django.http import HttpRequest


def bare(request: HttpRequest) -> JsonResponse:
    """Say who calls."""
    return JsonResponse({"user": request.user.pk}, status=200 if request.user.is_authenticated else 401)


urlpatterns = [path("bare", bare), path("", include("project.urls"))]

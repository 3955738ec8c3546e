"""The site's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Return the page that makes somebody want to try."""
    return render(request, "home.html")


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process serves and its database answers: what a load balancer asks for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})

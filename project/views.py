"""The site's own pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.utils.dates import WEEKDAYS_ABBR
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from gamification.prometheus import FiguresCollector

if TYPE_CHECKING:
    from django.http import HttpRequest

registry = CollectorRegistry()
registry.register(FiguresCollector())

#: The week that the landing page shows: five days, a freeze, and a Sunday to come.
WEEK = ("done", "done", "done", "frozen", "done", "done", "open")
ICONS = {"done": "check", "frozen": "snowflake", "open": ""}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Return the page that makes somebody want to try."""
    week = [{"name": WEEKDAYS_ABBR[at], "status": status, "icon": ICONS[status]} for at, status in enumerate(WEEK)]
    return render(request, "home.html", {"week": week})


@login_required
@require_safe
def widgets(request: HttpRequest) -> HttpResponse:
    """Return a page like a host's own, with each of the app's template tags in it: while DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "widgets.html")


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process serves and its database answers: what a load balancer asks for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, which brings the token as ``Authorization: Bearer``; where none is set, nothing is here."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

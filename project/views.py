"""The site's own pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.db import connection
from django.http import JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gamification.api.throttles import login_wait

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class ThrottledLoginView(LoginView):
    """Sign in, a few times a minute from one address: every attempt is counted, whoever it is for."""

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wait = login_wait(request)
        if wait is None:
            return super().post(request, *args, **kwargs)
        message = _("Too many attempts. Try again in %(seconds)s seconds.") % {"seconds": wait}
        context = self.get_context_data(form=self.form_class(), throttled=message)
        response = self.render_to_response(context, status=HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = str(wait)
        return response


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Return the page that makes somebody want to try."""
    return render(request, "home.html")


@login_required
@require_safe
def widgets(request: HttpRequest) -> HttpResponse:
    """Return a page like a host's own, with each of the app's template tags in it."""
    return render(request, "widgets.html")


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process serves and its database answers: what a load balancer asks for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})

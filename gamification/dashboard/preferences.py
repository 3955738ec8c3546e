"""The settings page: time zone, visibility, my data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gamification.dashboard import words
from gamification.dashboard.forms import EraseForm, PreferencesForm
from gamification.dashboard.requests import render_page
from gamification.exceptions import GamificationError
from gamification.services import privacy, streaks

if TYPE_CHECKING:
    from gamification.dashboard.requests import UserRequest


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: UserRequest) -> HttpResponse:
    """Return the settings page, or save what was posted to it."""
    zone, is_visible = streaks.timezone(request.user), privacy.is_visible(request.user)
    initial = {"timezone": zone, "is_visible": is_visible}
    if request.method != "POST":
        return _page(request, PreferencesForm(current_zone=zone, initial=initial))
    form = PreferencesForm(request.POST, current_zone=zone, initial=initial)
    if form.is_valid() and _save(request, form):
        messages.success(request, _("Your settings are saved."), fail_silently=True)
        return redirect("gamification:settings")
    return _page(request, form)


@never_cache
@login_required
@require_safe
def download(request: UserRequest) -> JsonResponse:
    """Return everything that is kept about the user, as a file."""
    data = privacy.export(request.user)
    response = JsonResponse(data, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="my-progress.json"'
    return response


@sensitive_post_parameters("confirmation")
@never_cache
@login_required
@require_POST
def erase(request: UserRequest) -> HttpResponse:
    """Erase everything that is kept about the user, once it was confirmed; the account itself stays."""
    form = EraseForm(request.POST, user=request.user)
    if not form.is_valid():
        zone, is_visible = streaks.timezone(request.user), privacy.is_visible(request.user)
        preferences = PreferencesForm(current_zone=zone, initial={"timezone": zone, "is_visible": is_visible})
        return _page(request, preferences, form)
    privacy.erase(request.user, actor=request.user)
    messages.success(request, _("Your progress was erased. You can start anew whenever you like."), fail_silently=True)
    return redirect("gamification:dashboard")


def _save(request: UserRequest, form: PreferencesForm) -> bool:
    """Write what was changed and return True, or add to ``form`` why not."""
    if "timezone" in form.changed_data:
        try:
            streaks.set_timezone(request.user, form.cleaned_data["timezone"], by_staff=False)
        except GamificationError as error:
            form.add_error("timezone", words.refusal(error))
            return False
    if "is_visible" in form.changed_data:
        privacy.set_visibility(request.user, form.cleaned_data["is_visible"])
    return True


def _page(request: UserRequest, form: PreferencesForm, erase_form: EraseForm | None = None) -> HttpResponse:
    context = {"form": form, "erase_form": erase_form or EraseForm(user=request.user)}
    status = 422 if form.errors or (erase_form and erase_form.errors) else 200
    return render_page(request, "settings.html", context, status)

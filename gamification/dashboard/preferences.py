"""The settings page: time zone, visibility, my data."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gamification.dashboard import words
from gamification.dashboard.forms import PLACES, EraseForm, PreferencesForm, ProfileForm
from gamification.dashboard.requests import render_page
from gamification.engine import throttling
from gamification.exceptions import GamificationError
from gamification.services import achievements, privacy, profiles, streaks

if TYPE_CHECKING:
    from django.forms import Form

    from gamification.dashboard.requests import UserRequest
    from gamification.services.profiles import Sharing


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: UserRequest) -> HttpResponse:
    """Return the settings page, or save what was posted to it."""
    if request.method != "POST":
        return settings_page(request)
    zone, is_visible = streaks.timezone(request.user), privacy.is_visible(request.user)
    initial = {"timezone": zone, "is_visible": is_visible}
    form = PreferencesForm(request.POST, current_zone=zone, initial=initial)
    if form.is_valid() and _save(request, form):
        messages.success(request, _("Your settings are saved."), fail_silently=True)
        return redirect("gamification:settings")
    return settings_page(request, form=form)


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
    """Erase everything that is kept about the user, once it was confirmed; the account itself stays.

    Attempts are counted together with those through the API: a session that was stolen is no way to the password.
    """
    form = EraseForm(request.POST, user=request.user)
    wait = throttling.seconds_to_wait(throttling.ERASE, throttling.ident_of_user(request.user.pk))
    if wait is not None:
        form.refuse(wait)
        response = settings_page(request, erase_form=form)
        response.status_code, response["Retry-After"] = HTTPStatus.TOO_MANY_REQUESTS, str(wait)
        return response
    if not form.is_valid():
        return settings_page(request, erase_form=form)
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


def settings_page(request: UserRequest, **forms: Form) -> HttpResponse:
    """Return the settings page; ``forms`` are those that were sent and refused, by their names in the template."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if forms else HTTPStatus.OK
    sharing = profiles.sharing(request.user)
    context = {
        "form": forms.get("form") or _preferences(request),
        "profile_form": forms.get("profile_form") or _profile(request, sharing),
        "erase_form": forms.get("erase_form") or EraseForm(user=request.user),
        "sharing": sharing,
        "profile_url": _address(request, sharing.slug) if sharing.is_public else "",
    }
    return render_page(request, "settings.html", context, status)


def _preferences(request: UserRequest) -> PreferencesForm:
    zone, is_visible = streaks.timezone(request.user), privacy.is_visible(request.user)
    return PreferencesForm(current_zone=zone, initial={"timezone": zone, "is_visible": is_visible})


def _profile(request: UserRequest, sharing: Sharing) -> ProfileForm:
    chosen = dict(zip(PLACES, sharing.showcase, strict=False))
    return ProfileForm(unlocked=achievements.for_user(request.user), initial={"is_public": sharing.is_public, **chosen})


def _address(request: UserRequest, slug: str) -> str:
    return request.build_absolute_uri(reverse("gamification:profile", args=[slug]))

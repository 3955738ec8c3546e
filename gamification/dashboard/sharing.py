"""The public profile: the page, the card that other sites show of it, and the person's own switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gamification.dashboard import share_card, share_png
from gamification.dashboard.forms import ProfileForm
from gamification.dashboard.preferences import settings_page
from gamification.dashboard.requests import render_page
from gamification.engine import cards
from gamification.services import achievements, profiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from gamification.dashboard.requests import UserRequest
    from gamification.dashboard.share_card import ShareCard

#: For how many seconds others may keep a card.
CARD_MAX_AGE = 300


@never_cache
@login_required
@require_POST
def edit(request: UserRequest) -> HttpResponse:
    """Save whether there is a public profile and what it shows."""
    form = ProfileForm(request.POST, unlocked=achievements.for_user(request.user))
    if not form.is_valid():
        return settings_page(request, profile_form=form)
    sharing = profiles.share(request.user, is_public=form.cleaned_data["is_public"], showcase=form.showcase)
    said = _("Your profile is public now.") if sharing.is_public else _("Your profile is private.")
    messages.success(request, said, fail_silently=True)
    return redirect(f"{reverse('gamification:settings')}#gx-profile")


@never_cache
@login_required
@require_POST
def renew(request: UserRequest) -> HttpResponse:
    """Give the profile another address."""
    profiles.renew(request.user)
    messages.success(request, _("Your profile has a new link. The old one leads nowhere."), fail_silently=True)
    return redirect(f"{reverse('gamification:settings')}#gx-profile")


@never_cache
@require_safe
def profile(request: HttpRequest, slug: str) -> HttpResponse:
    """Return somebody's public profile, to anybody."""
    found, card = _card(slug)
    name = "gamification:card-png" if share_png.is_possible() else "gamification:card-svg"
    context = {
        "profile": found,
        "card": card,
        "year": card.year,
        "is_public": True,
        "page_url": request.build_absolute_uri(request.path),
        "card_url": request.build_absolute_uri(f"{reverse(name, args=[slug])}?v={card.etag[:8]}"),
        "card_type": "image/png" if share_png.is_possible() else "image/svg+xml",
    }
    response = render_page(request, "profile.html", context)
    return _unlisted(response)


@require_safe
def card_png(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the card as a PNG of 1200 x 630 pixels; 404 where Pillow is not installed."""
    if not share_png.is_possible():
        raise Http404
    return _image(request, slug, "image/png", share_png.draw)


@require_safe
def card_svg(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the card as an SVG of the same size."""
    return _image(request, slug, "image/svg+xml", _svg)


def _svg(card: ShareCard) -> bytes:
    return render_to_string("gamification/card.svg", {"card": card}).encode()


def _card(slug: str) -> tuple[profiles.Profile, ShareCard]:
    found = profiles.find(slug)
    if found is None:
        raise Http404(_("There is no such profile."))
    return found, share_card.build(found)


def _image(request: HttpRequest, slug: str, kind: str, draw: Callable[[ShareCard], bytes]) -> HttpResponse:
    """Return the card, drawn once for each of its states; whoever has it already is told so."""
    _found, card = _card(slug)
    etag = f'"{card.etag}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(cards.kept(slug, kind, card.etag, lambda: draw(card)), content_type=kind)
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=CARD_MAX_AGE)
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is made to be shown on other sites
    return _unlisted(response)


def _unlisted(response: HttpResponse) -> HttpResponse:
    """Keep the page out of search engines, and its address from the sites that it leads to."""
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    return response

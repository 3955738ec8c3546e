"""Signing in: attempts are counted by address and by account, and those that fail are logged.

A client from which somebody signed in before keeps a signed cookie, and is counted by that instead: attempts of
strangers, however many, never keep people out on a device of theirs. (OWASP calls these device cookies.)
"""

from __future__ import annotations

import logging
import math
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gamification.engine import throttling

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    _Form = AuthenticationForm
    _Site = AdminSite
else:
    _Form = object
    _Site = object

COOKIE = "gamification_device"
COOKIE_SECONDS = 365 * 24 * 60 * 60
MINUTE = 60
#: Where a form leaves its attempt, for the view that answers.
ATTEMPT = "_gamification_attempt"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt:
    """Somebody tries to sign in as ``name``; ``wait`` is how many seconds are left when that is one too many."""

    request: HttpRequest
    name: str
    wait: int | None = field(default=None, init=False)
    has_succeeded: bool = field(default=False, init=False)

    def count(self) -> None:
        """Count before the password is looked at, so that of attempts at the same moment none gets past."""
        account = throttling.ident_of_account(self.name)
        device = _device(self.request, self.name)
        if device:
            self.wait = throttling.seconds_to_wait(throttling.LOGIN_ACCOUNT, f"{account}:{device}")
            return
        self.wait = throttling.seconds_to_wait(throttling.LOGIN, throttling.ident_of_address(self.request))
        if self.wait is None:
            self.wait = throttling.seconds_to_wait(throttling.LOGIN_ACCOUNT, account)

    def log(self) -> None:
        """Log a failure so that what belongs together is seen, and who it was is not: no name, no whole address."""
        model: Any = get_user_model()
        found = model._default_manager.filter(**{model.USERNAME_FIELD: self.name}).values_list("pk", flat=True).first()
        logger.warning(
            "Sign-in at %s %s: %s, from address %s.",
            self.request.path,
            "failed" if self.wait is None else "refused after too many attempts",
            "an unknown account" if found is None else f"user {found}",
            throttling.ident_of_address(self.request)[:12],
        )


class ThrottledForm(_Form):
    """In front of a form that asks for name and password: counts, refuses what is too many, and logs what failed."""

    def clean(self) -> dict[str, Any]:
        request = cast("HttpRequest", self.request)
        attempt = Attempt(request, str(self.cleaned_data.get("username") or ""))
        attempt.count()
        setattr(request, ATTEMPT, attempt)
        if attempt.wait is not None:
            attempt.log()
            raise ValidationError(_refusal(attempt.wait), code="throttled")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            attempt.log()
            raise
        attempt.has_succeeded = self.get_user() is not None
        return cleaned


class ThrottledAuthenticationForm(ThrottledForm, AuthenticationForm):
    """Django's own form, throttled."""


class ThrottledAdminForm(ThrottledForm, AdminAuthenticationForm):
    """The admin's own form, throttled."""


class ThrottledLoginView(LoginView):
    """Django's own page to sign in, throttled: 429 and ``Retry-After`` for what is too many."""

    authentication_form = ThrottledAuthenticationForm

    @method_decorator(login_not_required)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _settled(request, super().dispatch(request, *args, **kwargs))


class ThrottledAdminMixin(_Site):
    """In front of a project's own ``AdminSite``: its page to sign in is throttled like the site's."""

    login_form = ThrottledAdminForm

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return _settled(request, super().login(request, extra_context))


class ThrottledAdminSite(ThrottledAdminMixin, AdminSite):
    """Django's own, throttled; for ``default_site`` of an ``AdminConfig``."""


def trust(response: HttpResponseBase, name: str) -> None:
    """Let the client that gets ``response`` sign in as ``name`` from now on, whatever strangers try.

    For whoever has proved who they are: it is done after signing in; a project may do it after a password was reset.
    """
    value = signing.dumps([_owner(name), secrets.token_urlsafe(12)], salt=COOKIE)
    response.set_cookie(
        COOKIE,
        value,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def release(name: str) -> None:
    """Forget the attempts to sign in as ``name``, so that its owner can do so from a new device during an attack."""
    throttling.forget_account(name)


def _refusal(seconds: int) -> str:
    if seconds < 2 * MINUTE:
        return _("Too many attempts. Try again in %(seconds)s seconds.") % {"seconds": seconds}
    minutes = math.ceil(seconds / MINUTE)
    said = ngettext(
        "Too many attempts. Try again in %(minutes)s minute.",
        "Too many attempts. Try again in %(minutes)s minutes.",
        minutes,
    )
    return said % {"minutes": minutes}


def _settled(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    attempt: Attempt | None = getattr(request, ATTEMPT, None)
    if attempt is None:
        return response
    if attempt.wait is not None:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(attempt.wait)
    elif attempt.has_succeeded and not _device(request, attempt.name):
        trust(response, attempt.name)
    return response


def _device(request: HttpRequest, name: str) -> str:
    """Return what the client's cookie says it is, if it was given one for ``name``; else the empty text."""
    try:
        owner, device = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, TypeError, ValueError):
        return ""
    return str(device) if owner == _owner(name) else ""


def _owner(name: str) -> str:
    """Return a digest of the account ``name``, to the letter, and its password: who changes that starts anew."""
    model: Any = get_user_model()
    found = model._default_manager.filter(**{model.USERNAME_FIELD: name}).values_list("password", flat=True).first()
    return salted_hmac(COOKIE, f"{name}\0{found or ''}", algorithm="sha256").hexdigest()

"""Throttles of the API: by scope, for whoever calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.throttling import BaseThrottle

from gamification.engine.throttling import (
    ACTIVITIES,
    AWARDS,
    DEFAULT_RATES,
    ERASE,
    EXPORT,
    LOGIN,
    LOGIN_ACCOUNT,
    READ,
    STRICT,
    WRITE,
    Rate,
    ident_of_address,
    ident_of_user,
    rate_of,
    seconds_to_wait,
)

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView

__all__ = [
    "ACTIVITIES",
    "AWARDS",
    "DEFAULT_RATES",
    "ERASE",
    "EXPORT",
    "LOGIN",
    "LOGIN_ACCOUNT",
    "READ",
    "STRICT",
    "WRITE",
    "LoginThrottle",
    "Rate",
    "ScopeThrottle",
    "login_wait",
    "rate_of",
    "seconds_to_wait",
]


class ScopeThrottle(BaseThrottle):
    """Throttle by scope: a signed-in user by primary key, others by a digest of the address."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self._wait: int | None = None

    def get_ident(self, request: HttpRequest | Request) -> str:
        user: Any = getattr(request, "user", None)
        is_known = user is not None and user.is_authenticated
        return ident_of_user(user.pk) if is_known else ident_of_address(request)

    def allow_request(self, request: HttpRequest | Request, view: APIView | None = None) -> bool:
        self._wait = seconds_to_wait(self.scope, self.get_ident(request))
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


class LoginThrottle(ScopeThrottle):
    """For a view that exchanges a password for a token: ``throttle_classes = [LoginThrottle]``."""

    def __init__(self) -> None:
        super().__init__(LOGIN)

    def get_ident(self, request: HttpRequest | Request) -> str:
        """Return the address: whoever is signed in must not have a limit of their own for each account they have."""
        return ident_of_address(request)


def login_wait(request: HttpRequest) -> int | None:
    """Count an attempt to sign in through a page, and return the seconds to wait when it is one too many, else None."""
    return seconds_to_wait(LOGIN, ident_of_address(request))

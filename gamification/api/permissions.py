"""Who may do what for others; everything else needs a signed-in user only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission

from gamification.api.errors import NotConfirmed, WrongPassword
from gamification.conf import get_settings
from gamification.exceptions import KindNotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AbstractBaseUser
    from rest_framework.request import Request
    from rest_framework.views import APIView


def is_granted(user: Any, permission: str) -> bool:
    """Tell whether ``user`` has ``permission``; a user model without permissions grants none."""
    has_perm = getattr(user, "has_perm", None)
    return bool(has_perm is not None and has_perm(permission))


class _Granted(BasePermission):
    permission: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        return is_granted(request.user, self.permission)


class MayAwardXP(_Granted):
    permission = "gamification.award_xp"


class MayReverseXP(_Granted):
    permission = "gamification.reverse_xp"


class MayVoidActivities(_Granted):
    permission = "gamification.void_activity"


class MayInitializeAchievements(_Granted):
    permission = "gamification.initialize_achievements"


def is_trusted(user: Any) -> bool:
    """Tell whether ``user`` may record any activity for anybody."""
    return is_granted(user, "gamification.record_activity")


def may_report(user: Any) -> bool:
    """Tell whether ``user`` may record anything at all."""
    return bool(get_settings().SELF_REPORTED_KINDS) or is_trusted(user)


def require_own_reports(user: Any, reports: Iterable[tuple[Any, str]]) -> None:
    """Hold what an untrusted ``user`` sent, (primary key, kind) each, against what one may report of oneself.

    Raises:
        PermissionDenied: it is about somebody else.
        KindNotAllowed: its kind is not in ``SELF_REPORTED_KINDS``.
    """
    allowed = get_settings().SELF_REPORTED_KINDS
    for key, kind in reports:
        if key != user.pk:
            raise PermissionDenied("Only a trusted caller may record activities of somebody else.")
        if kind not in allowed:
            raise KindNotAllowed(field="kind")


def require_consent(user: AbstractBaseUser, password: str = "", confirm: str = "") -> None:
    """Make sure that it is the account's owner who asks for what cannot be undone.

    Raises:
        WrongPassword: the account has a password, and this is not it.
        NotConfirmed: it has none, and ``confirm`` is not the word ``erase``.
    """
    if user.password and user.has_usable_password():
        if not user.check_password(password):
            raise WrongPassword(field="password")
    elif confirm != "erase":
        raise NotConfirmed(field="confirm")

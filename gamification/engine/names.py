"""What others see of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


Hook = Callable[..., Any] | None


def public_name(user: AbstractBaseUser, hook: Hook) -> str:
    """Return what the project's ``hook`` says, or "Player" and six characters that say nothing about the person."""
    chosen = str(hook(user) or "").strip() if hook else ""
    return chosen or f"Player {salted_hmac('gamification.names', str(user.pk)).hexdigest()[:6]}"


def avatar_url(user: AbstractBaseUser, hook: Hook) -> str:
    """Return the address of a picture that the project's ``hook`` knows, or the empty text."""
    return str(hook(user) or "") if hook else ""

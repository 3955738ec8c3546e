"""What others see of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

from gamification.conf import get_settings

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def public_name(user: AbstractBaseUser) -> str:
    """Return what the project's hook says, or "Player" and six characters that say nothing about the person."""
    hook = get_settings().hook("DISPLAY_NAME")
    chosen = str(hook(user) or "").strip() if hook else ""
    return chosen or f"Player {salted_hmac('gamification.names', str(user.pk)).hexdigest()[:6]}"


def avatar_url(user: AbstractBaseUser) -> str:
    """Return the address of a picture, or the empty text."""
    hook = get_settings().hook("AVATAR_URL")
    return str(hook(user) or "") if hook else ""

"""What this project answers when the app asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


def username(user: AbstractBaseUser) -> str:
    """Return the name that other people see. Usernames are public here; elsewhere they may well be private."""
    return user.get_username()

"""What the commands about leaderboards outside of the database share."""

from __future__ import annotations

from django.core.management.base import CommandError

from gamification.backends import get_backend
from gamification.backends.base import KeepsScores
from gamification.conf import get_settings


def copied() -> KeepsScores:
    """Return the backend that keeps scores outside of the database.

    Raises:
        CommandError: the one in the settings keeps none.
    """
    backend = get_backend()
    if not isinstance(backend, KeepsScores):
        name = get_settings().LEADERBOARD_BACKEND
        raise CommandError(f"{name} keeps no scores outside of the database: there is nothing to rebuild or to check.")
    return backend

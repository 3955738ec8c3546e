"""Where leaderboards live."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from gamification.conf import get_settings

if TYPE_CHECKING:
    from gamification.backends.base import LeaderboardBackend


def get_backend() -> LeaderboardBackend:
    """Return the backend that the settings name."""
    return _load(get_settings().LEADERBOARD_BACKEND)


@lru_cache(maxsize=8)
def _load(path: str) -> LeaderboardBackend:
    backend: LeaderboardBackend = import_string(path)()
    return backend

"""The moment of a call."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from gamification.engine import inputs


def moment(now: datetime | None) -> datetime:
    """Return ``now`` in UTC, or the clock's time when it was left out."""
    cleaned = inputs.clean_moment(now, "now")
    return cleaned if cleaned is not None else timezone.now().astimezone(UTC)

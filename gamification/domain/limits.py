"""Limits of a kind: what one activity more pays, and whether it counts at all, given what its day came to so far."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta

MAX_XP_PER_EVENT = "max_xp_per_event"
MAX_XP_PER_DAY = "max_xp_per_day"
MAX_EVENTS_PER_DAY = "max_events_per_day"
COOLDOWN_SECONDS = "cooldown_seconds"
#: From the one that takes most to the one that takes least.
LIMITS = (COOLDOWN_SECONDS, MAX_EVENTS_PER_DAY, MAX_XP_PER_DAY, MAX_XP_PER_EVENT)

#: A cooldown is at most a day.
MOST = {name: 86_400 if name == COOLDOWN_SECONDS else 10**9 for name in LIMITS}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a kind allows each person; None is no limit.

    The two of XP bound what is paid, and an activity counts whatever they say. The two of events say which activities
    count: so many a local date, and those alone that lie ``cooldown_seconds`` or more from each other that counts.
    """

    max_xp_per_event: int | None = None
    max_xp_per_day: int | None = None
    max_events_per_day: int | None = None
    cooldown_seconds: int | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, entry.name) is not None for entry in fields(self))

    def problems(self) -> list[str]:
        """Return what is wrong with each limit that cannot be held."""
        return [
            f"{name!r} must be a whole number from 1 to {MOST[name]:,}"
            for name in LIMITS
            if (value := getattr(self, name)) is not None and not (type(value) is int and 1 <= value <= MOST[name])
        ]

    @property
    def cooldown(self) -> timedelta:
        return timedelta(seconds=self.cooldown_seconds or 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an activity counts, the XP that it pays, and the limit that made either less, if any did."""

    counts: bool
    xp: int
    capped_by: str | None = None


def judge(limits: Limits, xp: int, *, events_so_far: int, xp_so_far: int, is_too_soon: bool) -> Verdict:
    """Return what an activity that would pay ``xp`` comes to, after so many that counted on its date, and their XP."""
    if is_too_soon:
        return Verdict(counts=False, xp=0, capped_by=COOLDOWN_SECONDS)
    if limits.max_events_per_day is not None and events_so_far >= limits.max_events_per_day:
        return Verdict(counts=False, xp=0, capped_by=MAX_EVENTS_PER_DAY)
    paid, capped_by = xp, None
    if limits.max_xp_per_event is not None and paid > limits.max_xp_per_event:
        paid, capped_by = limits.max_xp_per_event, MAX_XP_PER_EVENT
    if limits.max_xp_per_day is not None and paid > max(0, limits.max_xp_per_day - xp_so_far):
        paid, capped_by = max(0, limits.max_xp_per_day - xp_so_far), MAX_XP_PER_DAY
    return Verdict(counts=True, xp=paid, capped_by=capped_by)

"""An activity before it is recorded: what was sent, and what it comes to once it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gamification.conf import get_settings
from gamification.engine import inputs
from gamification.exceptions import BackdatingNotAllowed, FutureEvent, GamificationError, UnknownKind

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.domain.activity_types import ActivityType

QUANTITY_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that ``user`` did, as it was sent. Without ``occurred_at`` it happens when it is recorded.

    ``timezone`` is the IANA name of the zone it is counted in; left out, the user's own.
    """

    user: AbstractBaseUser
    kind: str
    key: str
    quantity: int = 1
    data: dict[str, Any] | None = None
    occurred_at: datetime | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may report what: ``now`` is the moment of the call, ``backdate_limit`` is off for imports."""

    now: datetime
    is_trusted: bool = True
    backdate_limit: bool = True


@dataclass(frozen=True, slots=True)
class CheckedEvent:
    """An event in order: ``raised`` maps counters to amounts, ``at`` is when it happened, in UTC.

    ``refusal`` says that it comes too early or too late, unless it is a replay of what went in when it was in time.
    """

    user: AbstractBaseUser
    kind: ActivityType
    key: str
    quantity: int
    data: dict[str, Any]
    at: datetime
    zone: ZoneInfo | None
    raised: dict[str, int]
    xp: int
    content_hash: str
    is_in_window: bool
    refusal: GamificationError | None = None


def check(event: Event, rules: Rules) -> CheckedEvent:
    """Return what ``event`` comes to.

    Raises:
        KeyRequired, InvalidInput, UnknownKind, UnknownTimezone: the input is wrong; the error names the field.
    """
    settings = get_settings()
    key = inputs.clean_key(event.key)
    kinds = settings.activity_types
    name: object = event.kind
    if not isinstance(name, str) or name not in kinds:
        raise UnknownKind(
            f"{ascii(name)[:100]} is not a known kind; known are {', '.join(sorted(kinds))}.", field="kind"
        )
    kind = kinds[name]
    quantity = inputs.clean_whole(event.quantity, "quantity", low=1, high=QUANTITY_MAX)
    data = inputs.clean_object(event.data, "data")
    inputs.check_data(kind, data)
    zone = None if event.timezone is None else inputs.clean_timezone(event.timezone)
    sent_at = inputs.clean_moment(event.occurred_at)
    refusal = _refusal(sent_at, rules)
    at = min(sent_at or rules.now, rules.now)
    return CheckedEvent(
        user=event.user,
        kind=kind,
        key=key,
        quantity=quantity,
        data=data,
        at=at,
        zone=zone,
        raised=kind.raised_by(data, quantity),
        xp=kind.pays(data, quantity),
        content_hash=inputs.content_hash(
            user=str(event.user.pk),
            kind=kind.name,
            quantity=quantity,
            data=data,
            occurred_at=sent_at,
            timezone=event.timezone,
        ),
        is_in_window=not rules.backdate_limit or rules.now - at <= timedelta(days=settings.BACKDATE_DAYS),
        refusal=refusal,
    )


def _refusal(sent_at: datetime | None, rules: Rules) -> GamificationError | None:
    """Return why the moment is out of bounds; up to 5 minutes ahead of the clock is taken as now."""
    if sent_at is not None and sent_at > rules.now + inputs.FUTURE_TOLERANCE:
        return FutureEvent(field="occurred_at")
    if sent_at is not None and not rules.is_trusted and sent_at < rules.now - inputs.FUTURE_TOLERANCE:
        return BackdatingNotAllowed(field="occurred_at")
    return None

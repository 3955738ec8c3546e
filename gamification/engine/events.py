"""An activity before it is recorded: what was sent, and what it comes to once it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gamification.conf import get_settings
from gamification.engine import inputs
from gamification.exceptions import BackdatingNotAllowed, FutureEvent, UnknownKind

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
    """An event that can be recorded: ``raised`` maps counters to amounts, ``at`` is when it happened, in UTC."""

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


def check(event: Event, rules: Rules) -> CheckedEvent:
    """Return what ``event`` comes to.

    Raises:
        KeyRequired, InvalidInput, UnknownKind, UnknownTimezone: the input is wrong; the error names the field.
        FutureEvent: it would happen more than 5 minutes from now.
        BackdatingNotAllowed: it happened more than 5 minutes ago and the caller is not trusted.
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
    at = _moment(sent_at, rules)
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
    )


def _moment(sent_at: datetime | None, rules: Rules) -> datetime:
    """Return when it happened; up to 5 minutes ahead of the clock is taken as now."""
    if sent_at is None:
        return rules.now
    if sent_at > rules.now + inputs.FUTURE_TOLERANCE:
        raise FutureEvent(field="occurred_at")
    if not rules.is_trusted and sent_at < rules.now - inputs.FUTURE_TOLERANCE:
        raise BackdatingNotAllowed(field="occurred_at")
    return min(sent_at, rules.now)

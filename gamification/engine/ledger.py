"""The ledger: every change of XP is a row, and totals and levels follow. The user must be locked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gamification import signals
from gamification.conf import get_settings
from gamification.engine.results import LevelInfo
from gamification.exceptions import InsufficientXP
from gamification.models import Activity, UserXP, XPTransaction
from gamification.models.notices import NoticeKind
from gamification.models.xp import Source

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Player

XP_METRICS = frozenset({"total_xp_earned", "level"})


@dataclass(frozen=True, slots=True)
class Booking:
    """A row to be booked. ``earned_on`` is the date it belongs to, None counts in no window; ``actor`` decided it.

    The key of what an ``activity`` pays is left empty: it is the activity's id, known once that is written.
    """

    amount: int
    source: str
    reason: str
    key: str = ""
    earned_on: date | None = None
    reference_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    activity: Activity | None = None
    reverses: XPTransaction | None = None
    actor: AbstractBaseUser | None = None
    content_hash: str = ""


def book(player: Player, booking: Booking, now: datetime) -> XPTransaction:
    """Append a row to the ledger and raise or lower total and level to match.

    Raises:
        InsufficientXP: the total would fall below 0.
    """
    if player.xp.total_xp + booking.amount < 0:
        raise InsufficientXP(field="amount")
    transaction = XPTransaction(
        user_id=player.user.pk,
        xp_amount=booking.amount,
        reason=booking.reason,
        reference_id=booking.reference_id,
        created_at=now,
        metadata=booking.metadata,
        source=str(booking.source),
        key=booking.key,
        earned_on=booking.earned_on,
        reverses=booking.reverses,
        actor_id=booking.actor.pk if booking.actor else None,
        content_hash=booking.content_hash,
    )
    player.transactions.append((transaction, booking.activity))
    if booking.earned_on is not None:
        player.day(booking.earned_on).xp += booking.amount
    _add(player, booking)
    player.announce(signals.xp_awarded, transaction=transaction)
    return transaction


def opposite(paid: XPTransaction, reason: str, **columns: Any) -> Booking:
    """Return what takes ``paid`` back, on the date that it was earned on."""
    columns = {"key": f"row:{paid.pk}", "reference_id": str(paid.pk), **columns}
    return Booking(-paid.xp_amount, Source.REVERSAL, reason, earned_on=paid.earned_on, reverses=paid, **columns)


def level_of(row: UserXP) -> LevelInfo:
    """Return the level of a stored row under the settings in force."""
    return get_settings().levels.describe(row.total_xp, highest_level=row.highest_level)


def announce_level(player: Player, highest_before: int) -> bool:
    """Tell whether a level was reached for the first time, and announce it if so."""
    if player.xp.highest_level <= highest_before:
        return False
    level = level_of(player.xp)
    player.announce(signals.level_up, previous_level=highest_before, level=level)
    player.notices.append((NoticeKind.LEVEL.value, str(level.highest_level), 0))
    return True


def settle(row: UserXP) -> LevelInfo:
    """Write level, title and progress of the row's total, and return them."""
    info = level_of(row)
    row.current_level = info.current_level
    row.highest_level = info.highest_level
    row.xp_to_next_level = info.xp_to_next_level
    row.level_progress_percentage = info.level_progress_percentage
    row.title = info.title
    return info


def _add(player: Player, booking: Booking) -> None:
    row = player.xp
    row.total_xp += booking.amount
    row.total_xp_earned += max(0, booking.amount)
    if booking.reverses is not None:
        row.total_xp_earned -= max(0, booking.reverses.xp_amount)
    player.level = settle(row)

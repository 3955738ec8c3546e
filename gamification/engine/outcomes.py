"""What a caller was told the first time, kept as JSON on the row, so that a replay answers the same."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gamification.conf import get_settings
from gamification.engine.results import Award, LevelInfo, Receipt, StreakChange

if TYPE_CHECKING:
    from gamification.models import Activity, XPTransaction

STREAK_NAMES = tuple(entry.name for entry in fields(StreakChange))


def of_receipt(receipt: Receipt) -> dict[str, Any]:
    """Return the parts of a receipt that cannot be derived later."""
    streak = {name: getattr(receipt.streak, name) for name in STREAK_NAMES}
    streak["expires_at"] = streak["expires_at"] and streak["expires_at"].isoformat()
    streak["last_activity_date"] = streak["last_activity_date"] and streak["last_activity_date"].isoformat()
    capped = {"capped_by": receipt.capped_by} if receipt.capped_by else {}
    return {"xp": receipt.xp_awarded, "streak": streak, **_level(receipt.level, receipt.level_up, receipt), **capped}


def receipt_again(activity: Activity) -> Receipt:
    """Return the receipt of an activity that was recorded before."""
    outcome = activity.outcome
    streak = dict(outcome["streak"])
    if streak["expires_at"]:
        streak["expires_at"] = datetime.fromisoformat(streak["expires_at"])
    if streak["last_activity_date"]:
        streak["last_activity_date"] = date.fromisoformat(streak["last_activity_date"])
    streak["transitions"] = tuple(streak["transitions"])
    return Receipt(
        activity=activity,
        is_replay=True,
        xp_awarded=outcome["xp"],
        streak=StreakChange(**streak),
        level=_level_again(outcome),
        level_up=outcome["level_up"],
        achievements_unlocked=tuple(outcome["unlocked"]),
        capped_by=outcome.get("capped_by"),
    )


def of_award(award: Award) -> dict[str, Any]:
    """Return the parts of an award that cannot be derived later."""
    return {"previous_level": award.previous_level, **_level(award.level, award.level_up, award)}


def award_again(transaction: XPTransaction) -> Award:
    """Return the award that ``transaction`` was booked by."""
    outcome = transaction.outcome
    return Award(
        transaction=transaction,
        is_replay=True,
        xp_awarded=transaction.xp_amount,
        level=_level_again(outcome),
        level_up=outcome["level_up"],
        achievements_unlocked=tuple(outcome["unlocked"]),
        previous_level=outcome["previous_level"],
    )


def _level(level: LevelInfo, level_up: bool, told: Receipt | Award) -> dict[str, Any]:
    return {
        "total_xp": level.total_xp,
        "highest_level": level.highest_level,
        "level_up": level_up,
        "unlocked": list(told.achievements_unlocked),
    }


def _level_again(outcome: dict[str, Any]) -> LevelInfo:
    return get_settings().levels.describe(outcome["total_xp"], highest_level=outcome["highest_level"])

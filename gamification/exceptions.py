"""Everything that can be refused, each with the stable ``code`` and the HTTP status that it stands for."""

from __future__ import annotations

from typing import ClassVar


class GamificationError(Exception):
    """Base of all refusals: nothing was changed. ``field`` names what was wrong with the input, if it was the input."""

    code: ClassVar[str] = "error"
    status_code: ClassVar[int] = 400
    default_message: ClassVar[str] = "The request was refused."

    def __init__(self, message: str = "", *, field: str = "") -> None:
        self.message = message or self.default_message
        self.field = field
        super().__init__(self.message)


class InvalidInput(GamificationError):
    """A value breaks a rule of its field."""

    code = "invalid"


class KeyRequired(GamificationError):
    code = "key_required"
    default_message = "A key is required: 1 to 255 printable ASCII characters that name this event."


class UnknownKind(GamificationError):
    code = "unknown_kind"


class InvalidCondition(GamificationError):
    """A condition that cannot be evaluated: ``place`` is where, such as ``all[1].value``, ``rule`` what is wrong."""

    code = "invalid_condition"

    def __init__(self, message: str = "", *, field: str = "", place: str = "", rule: str = "") -> None:
        super().__init__(message, field=field)
        self.place = place
        self.rule = rule or self.message


class KindNotAllowed(GamificationError):
    code = "kind_not_allowed"
    status_code = 403
    default_message = "This kind of activity may only be reported by a trusted caller."


class BackdatingNotAllowed(GamificationError):
    code = "backdating_not_allowed"
    status_code = 403
    default_message = "occurred_at may be at most 5 minutes ago."


class UnknownAchievement(GamificationError):
    code = "unknown_achievement"
    status_code = 404


class UnknownMetric(GamificationError):
    code = "unknown_metric"
    status_code = 404


class UnknownScope(GamificationError):
    code = "unknown_scope"
    status_code = 404
    default_message = "There is no such group."


class AlreadyActiveToday(GamificationError):
    code = "already_active_today"
    status_code = 409
    default_message = "Today already counts: there is nothing to freeze."


class NoActiveStreak(GamificationError):
    code = "no_active_streak"
    status_code = 409
    default_message = "There is no running streak to freeze."


class NoFreezesLeft(GamificationError):
    code = "no_freezes_left"
    status_code = 409
    default_message = "No freeze is left."


class InsufficientXP(GamificationError):
    code = "insufficient_xp"
    status_code = 409
    default_message = "The total would fall below 0."


class AlreadyReversed(GamificationError):
    code = "already_reversed"
    status_code = 409
    default_message = "This transaction was reversed before."


class NotReversible(GamificationError):
    code = "not_reversible"
    status_code = 409


class AlreadyVoided(GamificationError):
    code = "already_voided"
    status_code = 409
    default_message = "This activity was voided before."


class UnknownActivity(GamificationError):
    code = "unknown_activity"
    status_code = 404
    default_message = "There is no such activity."


class NotUnlocked(GamificationError):
    code = "not_unlocked"
    status_code = 409
    default_message = "The user does not have this achievement."


class AchievementInUse(GamificationError):
    code = "achievement_in_use"
    status_code = 409
    default_message = "Somebody has this achievement: retire it instead of deleting it."


class RuleNotActive(GamificationError):
    code = "rule_not_active"
    status_code = 409
    default_message = "The achievement is not active: activate it first."


class RuleInForce(GamificationError):
    code = "rule_in_force"
    status_code = 409
    default_message = (
        "The achievement is active with the rule of this back-fill: change or retire it first, or everybody would "
        "unlock it again."
    )


class BackfillOpen(GamificationError):
    code = "backfill_open"
    status_code = 409


class BackfillUndone(GamificationError):
    code = "backfill_undone"
    status_code = 409
    default_message = "This back-fill was undone before."


class FutureEvent(GamificationError):
    code = "future_event"
    status_code = 422
    default_message = "occurred_at is more than 5 minutes in the future."


class IdempotencyConflict(GamificationError):
    code = "idempotency_conflict"
    status_code = 422
    default_message = "This key was used before, for something else."


class UnknownTimezone(GamificationError):
    code = "unknown_timezone"
    status_code = 422


class TimezoneChangedRecently(GamificationError):
    code = "timezone_changed_recently"
    status_code = 429
    default_message = "The time zone may be changed once in 24 hours."

    def __init__(self, message: str = "", *, field: str = "timezone", retry_after: int | None = None) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class TimezoneTooFar(GamificationError):
    """Days could be gained by moving back and forth between the ends of the world."""

    code = "timezone_too_far"
    status_code = 422
    default_message = (
        "This time zone is more than 24 hours apart from one that your days were counted in. Ask the staff to set it."
    )

    def __init__(self, message: str = "", *, field: str = "timezone") -> None:
        super().__init__(message, field=field)


class BatchRefused(GamificationError):
    """Some events of a batch were refused, and so nothing was written. ``errors`` maps an index to its refusal."""

    code = "invalid_batch"

    def __init__(self, errors: dict[int, GamificationError]) -> None:
        self.errors = errors
        index, first = min(errors.items())
        super().__init__(f"{len(errors)} of the events were refused; the first is number {index}: {first.message}")


class AppendOnly(GamificationError):
    """The log and the ledger are never changed and never deleted, save by ``privacy.erase``."""

    code = "append_only"
    status_code = 409
    default_message = "This is an append-only record: write a correction, or use privacy.erase for a whole user."


class AlreadyExcused(GamificationError):
    code = "already_excused"
    status_code = 409
    default_message = "This date is excused already."


class AlreadyExcluded(GamificationError):
    code = "already_excluded"
    status_code = 409
    default_message = "This user is excluded from leaderboards already."


class NotExcluded(GamificationError):
    code = "not_excluded"
    status_code = 409
    default_message = "This user is not excluded from leaderboards."


class NotExcused(GamificationError):
    code = "not_excused"
    status_code = 409
    default_message = "This date is not excused."


class SecretAlreadyShown(GamificationError):
    code = "secret_already_shown"
    status_code = 409
    default_message = "This secret was shown before. Make a new one."

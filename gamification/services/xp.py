"""XP: awards, their reversal, and what somebody has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Sum

from gamification.domain import calendar
from gamification.engine import announcing, inputs, ledger, newcomers, outcomes, players, saving, unlocking
from gamification.engine.clock import moment
from gamification.engine.ledger import Booking
from gamification.engine.results import Award, LevelInfo, XPStats
from gamification.engine.rules import rulebook
from gamification.exceptions import AlreadyReversed, IdempotencyConflict, InvalidInput, NotReversible
from gamification.models import UserDay, UserXP, XPTransaction
from gamification.models.xp import Source, XPTransactionQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.players import Players

AMOUNT_MAX = 100_000


def initialize(user: AbstractBaseUser) -> LevelInfo:
    """Give ``user`` the rows of a beginner; what exists stays as it is."""
    with transaction.atomic():
        return ledger.level_of(players.lock([user])[user.pk].xp)


def lock(*users: AbstractBaseUser) -> None:
    """Lock several users, in order of id, until the surrounding transaction ends.

    Call it first in a transaction that awards to more than one user, so that two of them cannot wait for each other.
    """
    players.lock(users)


def award(
    user: AbstractBaseUser,
    amount: int,
    *,
    reason: str,
    key: str,
    reference_id: str = "",
    metadata: dict[str, Any] | None = None,
    actor: AbstractBaseUser | None = None,
    now: datetime | None = None,
) -> Award:
    """Append ``amount`` XP to the ledger of ``user`` and raise the level to match.

    The same ``key`` pays once: a second call returns the first award, marked as replayed. ``amount`` is a whole number
    other than 0 from -100,000 to 100,000; ``actor`` is who decided it.

    Raises:
        InvalidInput, KeyRequired: the error names the field and the rule.
        InsufficientXP: a negative amount would take the total below 0.
        IdempotencyConflict: ``key`` was used for something else.
    """
    at = moment(now)
    key = inputs.clean_key(key)
    if inputs.clean_whole(amount, "amount", low=-AMOUNT_MAX, high=AMOUNT_MAX) == 0:
        raise InvalidInput("amount must not be 0.", field="amount")
    row: dict[str, Any] = {
        "reason": inputs.clean_text(reason, "reason"),
        "reference_id": inputs.clean_text(reference_id, "reference_id", required=False),
        "metadata": inputs.clean_object(metadata, "metadata"),
    }
    content = inputs.content_hash(user=str(user.pk), amount=amount, **row)
    with transaction.atomic():
        locked = players.lock([user], calendar.earliest_date(at))
        player = locked[user.pk]
        before = XPTransaction.objects.filter(user_id=user.pk, source=Source.CLIENT, key=key).first()
        if before is not None:
            return _again(before, content)
        today = calendar.local_date(at, player.zone)
        booking = Booking(amount, Source.CLIENT, key=key, earned_on=today, actor=actor, content_hash=content, **row)
        return _book(locked, booking, at)


def reverse(
    original: XPTransaction,
    *,
    reason: str,
    key: str = "",
    actor: AbstractBaseUser | None = None,
    now: datetime | None = None,
) -> Award:
    """Book the opposite of ``original``, on the date that it was earned on. Unlocked achievements stay.

    The same ``key`` reverses once: a second call returns the first answer, marked as replayed.

    Raises:
        AlreadyReversed: it was reversed before, under another key or none.
        IdempotencyConflict: ``key`` was used for another reversal.
        NotReversible: it is a reversal itself, or an achievement's XP, which goes with the achievement.
        InsufficientXP: the total would fall below 0.
    """
    at = moment(now)
    reason = inputs.clean_text(reason, "reason")
    names = {"key": f"client:{inputs.clean_key(key)}"} if key else {}
    content = inputs.content_hash(transaction=original.pk, reason=reason)
    user = original.user
    with transaction.atomic():
        locked = players.lock([user], original.earned_on or calendar.earliest_date(at))
        if names:
            before = XPTransaction.objects.filter(user_id=user.pk, source=Source.REVERSAL, **names).first()
            if before is not None:
                return _again(before, content)
        _check_reversible(original)
        return _book(locked, ledger.opposite(original, reason, actor=actor, content_hash=content, **names), at)


def level(user: AbstractBaseUser) -> LevelInfo:
    """Return level, title and progress of ``user``; zeros for somebody who was never initialized."""
    row = UserXP.objects.filter(user_id=user.pk).first()
    return ledger.level_of(row if row is not None else newcomers.xp_of(user.pk))


def history(user: AbstractBaseUser) -> XPTransactionQuerySet:
    """Return the ledger of ``user``, newest first."""
    return XPTransaction.objects.filter(user_id=user.pk).newest_first()


def stats(user: AbstractBaseUser, *, now: datetime | None = None) -> XPStats:
    """Return sums of XP over local dates, today included, and by reason."""
    today = calendar.local_date(moment(now), newcomers.zone_of(user))
    days = UserDay.objects.filter(user_id=user.pk)
    per_day: Mapping[Any, int] = dict(
        days.filter(date__gt=today - timedelta(days=30), date__lte=today).values_list("date", "xp")
    )
    month = sum(per_day.values())
    best = days.filter(xp__gt=0).order_by("-xp", "date").values_list("date", "xp").first()
    by_reason = (
        XPTransaction.objects.filter(user_id=user.pk)
        .order_by("reason")
        .values_list("reason")
        .annotate(Sum("xp_amount"))
    )
    return XPStats(
        today=per_day.get(today, 0),
        last_7_days=sum(xp for day, xp in per_day.items() if day > today - timedelta(days=7)),
        last_30_days=month,
        by_reason=dict(by_reason),
        best_day=best,
        daily_average=round(month / 30, 2),
    )


def _again(before: XPTransaction, content: str) -> Award:
    if before.content_hash != content:
        raise IdempotencyConflict(field="key")
    return outcomes.award_again(before)


def _check_reversible(original: XPTransaction) -> None:
    if original.source == Source.REVERSAL:
        raise NotReversible("A reversal cannot be reversed: award the XP anew.")
    if original.source == Source.ACHIEVEMENT:
        raise NotReversible("The XP of an achievement goes with it: revoke the achievement.")
    if XPTransaction.objects.filter(reverses=original).exists():
        raise AlreadyReversed


def _book(locked: Players, booking: Booking, at: datetime) -> Award:
    """Book one row of the one player who is locked, unlock what an award meets, and answer."""
    (player,) = locked.values()
    level_before, highest_before = player.xp.current_level, player.xp.highest_level
    booked = ledger.book(player, booking, at)
    unlocked: tuple[str, ...] = ()
    if booking.amount > 0:
        today, via = calendar.local_date(at, player.zone), {"by": "award"}
        rules = rulebook(locked.site.rules_stamp)
        unlocked = unlocking.unlock_met(player, rules, ledger.XP_METRICS, at=at, now=at, earned_on=today, via=via)
    told = Award(
        transaction=booked,
        is_replay=False,
        xp_awarded=booking.amount,
        level=ledger.level_of(player.xp),
        level_up=ledger.announce_level(player, highest_before),
        achievements_unlocked=unlocked,
        previous_level=level_before,
    )
    booked.outcome = outcomes.of_award(told)
    saving.save(locked)
    announcing.after_commit([player])
    return told

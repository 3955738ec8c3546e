"""Recording: events of locked users, one after the other in order of time, each through the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

from gamification import signals
from gamification.conf import get_settings
from gamification.domain import calendar
from gamification.domain.streaks import MAINTAINED, Policy
from gamification.engine import counters, days, ledger, limiting, outcomes, saving, unlocking
from gamification.engine.events import CheckedEvent
from gamification.engine.ledger import Booking
from gamification.engine.limiting import Counted
from gamification.engine.players import Player, Players
from gamification.engine.results import Receipt
from gamification.engine.rules import Rulebook, rulebook
from gamification.exceptions import GamificationError, IdempotencyConflict
from gamification.models import Activity, XPTransaction
from gamification.models.xp import Source

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

#: What happened longer ago is no news: an import of old history leaves nobody hundreds of things to celebrate.
NEWS = timedelta(days=7)

Answer = Receipt | GamificationError


def record_locked(locked: Players, batch: Sequence[CheckedEvent], now: datetime) -> list[Answer]:
    """Record events of locked users, given in order of time, and return a receipt or a conflict for each.

    The number of statements does not depend on the number of definitions, and grows with a few hundred events only.
    """
    known = {} if _is_known_to_be_new(locked, batch) else _recorded_before(batch)
    policy, rules = days.policy(locked.site.excused), rulebook(locked.site.rules_stamp)
    counted = limiting.counted_near(batch)
    answers: list[Answer] = []
    for event in batch:
        name = (event.user.pk, event.key)
        if name in known:
            answers.append(_replay(known[name], event))
            continue
        receipt = record_one(locked[event.user.pk], event, now, policy, rules, counted)
        known[name] = receipt.activity
        answers.append(receipt)
    saving.save({pk: player for pk, player in locked.items() if player.activities})
    return answers


def record_one(
    player: Player, event: CheckedEvent, now: datetime, policy: Policy, rules: Rulebook, counted: Counted
) -> Receipt:
    """Take one new event through the steps: append, limit, count, extend the streak, award XP, unlock.

    One that does not count by the limits of its kind makes its day active, and no more.
    """
    zone = _zone_of(player, event)
    day = calendar.local_date(event.at, zone)
    total_before, highest_before = player.xp.total_xp, player.xp.highest_level
    noticed_before = len(player.notices)

    activity = _append(player, event, day, zone, now)
    verdict = limiting.take(player, activity, event, counted)
    changed = counters.count(player, activity.counters, event.at, zone)
    change, bonus = None, 0
    if event.is_in_window:
        last_day = player.streak.last_day
        change = days.extend(player, day, event.at, zone, policy)
        bonus = days.bonus(last_day, day, change, get_settings())
        changed |= days.STREAK_METRICS
    if _award(player, activity, verdict.xp, bonus, now):
        changed |= ledger.XP_METRICS
    via = {"by": "activity", "activity": event.key}
    unlocked = unlocking.unlock_met(player, rules, changed, at=event.at, now=now, earned_on=day, via=via)

    receipt = Receipt(
        activity=activity,
        is_replay=False,
        xp_awarded=player.xp.total_xp - total_before,
        streak=days.answer(player, now, policy, change, xp=bonus),
        level=player.level or ledger.level_of(player.xp),
        level_up=ledger.announce_level(player, highest_before),
        achievements_unlocked=unlocked,
        capped_by=verdict.capped_by,
    )
    if event.at < now - NEWS:
        del player.notices[noticed_before:]
    activity.outcome = outcomes.of_receipt(receipt)
    if change is not None and change.transitions not in ((), (MAINTAINED,)):
        player.announce(signals.streak_changed, change=receipt.streak)
    player.announce(signals.activity_recorded, activity=activity, receipt=receipt)
    return receipt


def replays(batch: Sequence[CheckedEvent]) -> list[Answer]:
    """Return the first outcome of what was recorded before, and the refusal of what was not; no lock is needed."""
    known = _recorded_before(batch)
    return [
        _replay(known[event.user.pk, event.key], event)
        if (event.user.pk, event.key) in known
        else cast("GamificationError", event.refusal)
        for event in batch
    ]


def _is_known_to_be_new(locked: Players, batch: Sequence[CheckedEvent]) -> bool:
    """Tell whether locking has told that the one event of a batch is not in the log."""
    return all(event.key == locked.asked_key and locked[event.user.pk].recorded_as is None for event in batch)


def _recorded_before(batch: Sequence[CheckedEvent]) -> dict[tuple[Any, str], Activity]:
    users = {event.user.pk for event in batch}
    rows = Activity.objects.filter(user_id__in=users, key__in={event.key for event in batch})
    return {(row.user_id, row.key): row for row in rows}


def _replay(activity: Activity, event: CheckedEvent) -> Answer:
    if activity.content_hash != event.content_hash:
        return IdempotencyConflict(field="key")
    return outcomes.receipt_again(activity)


def _zone_of(player: Player, event: CheckedEvent) -> ZoneInfo:
    return event.zone or player.zone


def _append(player: Player, event: CheckedEvent, day: date, zone: ZoneInfo, now: datetime) -> Activity:
    """Append the event to the log; a user without a zone of their own takes that of the latest event."""
    if event.zone is not None and event.is_in_window and player.streak.timezone_changed_at is None:
        is_latest = player.streak.last_at is None or event.at >= player.streak.last_at
        player.streak.timezone = event.zone.key if is_latest else player.streak.timezone
    activity = Activity(
        user_id=player.user.pk,
        kind=event.kind.name,
        key=event.key,
        quantity=event.quantity,
        data=event.data,
        occurred_at=event.at,
        timezone=zone.key,
        local_date=day,
        is_in_streak=event.is_in_window,
        counters=event.raised,
        content_hash=event.content_hash,
        recorded_at=now,
    )
    player.activities.append(activity)
    player.day(day).activities += 1
    return activity


def _award(player: Player, activity: Activity, xp: int, bonus: int, now: datetime) -> bool:
    """Book what the activity and the first activity of its day pay; tell whether that was anything."""
    on = activity.local_date
    if xp:
        paid = Booking(xp, Source.ACTIVITY, activity.kind, earned_on=on, reference_id=activity.key, activity=activity)
        ledger.book(player, paid, now)
    if bonus:
        ledger.book(player, Booking(bonus, Source.STREAK, "streak_bonus", _bonus_key(player, on), earned_on=on), now)
    return bool(xp or bonus)


def _bonus_key(player: Player, on: date) -> str:
    """Return the key of a date's streak bonus: the date, and which one it is where one was taken back before."""
    if player.day(on)._state.adding:
        return on.isoformat()
    paid = XPTransaction.objects.filter(user_id=player.user.pk, source=Source.STREAK, earned_on=on).count()
    return f"{on.isoformat()}:{paid + 1}" if paid else on.isoformat()

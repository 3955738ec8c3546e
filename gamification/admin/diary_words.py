"""A streak in sentences for support: what each date came to, and why the last streak ended."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gamification.admin.people import name_of
from gamification.admin.words import kind_name
from gamification.domain.days import DayReason
from gamification.domain.diaries import What

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from gamification.domain.diaries import Entry, Loss
    from gamification.models import VoidedActivity
    from gamification.services.diaries import Diary


def sentence(entry: Entry, diary: Diary) -> str:
    """Return what a date came to: ``covered by a freeze, 1 left``."""
    is_excused = entry.on in diary.excused and entry.what in (What.LOST, What.IDLE)
    happened = _skipped if is_excused else _HAPPENED[entry.what]
    return "; ".join([happened(entry, diary), *_freezes(entry), *map(_voided, diary.voided.get(entry.on, ()))])


def answer(diary: Diary) -> list[str]:
    """Return how the streak reads and, if one ever ended, when that was and why: a sentence each."""
    told = [_reads(diary)]
    if diary.loss is not None:
        told.append(_ended(diary.loss, diary))
    changed_at = diary.row.timezone_changed_at
    if changed_at is not None:
        on = shown(changed_at.astimezone(ZoneInfo(diary.row.timezone)).date())
        told.append(_("The days are counted in {zone} since {date}.").format(zone=diary.row.timezone, date=on))
    return told


def shown(on: date) -> str:
    """Return a date as the admin shows dates."""
    return date_format(on)


def number(value: int) -> str:
    """Return a number as people of the active language write it."""
    return number_format(value, force_grouping=True)


def _acted(entry: Entry, diary: Diary) -> str:
    return _("acted: {what}").format(what=_amounts(entry)) if entry.activities or entry.xp else _("acted")


def _covered(entry: Entry, diary: Diary) -> str:
    if not entry.is_written:
        text = _("nothing done; a freeze covers it as things stand, {left}")
    elif entry.reason == DayReason.REQUESTED:
        text = _("frozen on request, {left}")
    else:
        text = _("covered by a freeze, {left}")
    return text.format(left=_left(entry.left))


def _pending(entry: Entry, diary: Diary) -> str:
    return _("nothing yet, the day is not over") if entry.on == diary.today else _("nothing yet")


def _idle(entry: Entry, diary: Diary) -> str:
    if entry.activities:
        return _("reported too late to count for the streak: {what}").format(what=_amounts(entry))
    if entry.xp:
        return _("nothing done that counts for a streak, {what}").format(what=_amounts(entry))
    return _("nothing done, and no streak was running")


def _skipped(entry: Entry, diary: Diary) -> str:
    if entry.on in diary.excused:
        row = diary.excused[entry.on]
        by = name_of(row.excused_by)
        text = _("excused: {reason} (by {name})") if by else _("excused: {reason}")
        return text.format(reason=row.reason, name=by)
    if entry.reason == DayReason.NEVER_WAS:
        return _("never existed in the time zone; nothing was missed")
    if entry.reason == DayReason.GUARANTEE:
        return _("nothing was missed: less than 24 hours had passed for it (24-hour guarantee)")
    return _("skipped; nothing was missed")


def _lost(entry: Entry, diary: Diary) -> str:
    facts = {"days": _days(entry.length), "left": _left(entry.left)}
    if entry.left:
        return _("missed: the streak of {days} ended; freezes are used on request only, {left}").format(**facts)
    return _("missed, no freeze left: the streak of {days} ended").format(**facts)


_HAPPENED: dict[What, Callable[[Entry, Diary], str]] = {
    What.ACTIVE: _acted,
    What.FROZEN: _covered,
    What.SKIPPED: _skipped,
    What.LOST: _lost,
    What.IDLE: _idle,
    What.PENDING: _pending,
}


def _voided(row: VoidedActivity) -> str:
    by = name_of(row.actor)
    text = _("“{kind}” was voided by {name} because: {reason}") if by else _("“{kind}” was voided because: {reason}")
    return text.format(kind=kind_name(row.activity.kind), name=by, reason=row.reason)


def _freezes(entry: Entry) -> Iterator[str]:
    left = _left(entry.left)
    if entry.returned:
        yield _("the freeze that had been used was given back, {left}").format(left=left)
    elif entry.used and entry.what in (What.IDLE, What.LOST, What.PENDING):
        yield _("a freeze that had been used before stays used, {left}").format(left=left)
    elif entry.used and entry.what == What.ACTIVE:
        yield _("the freeze that had been used was lost: no more can be held")
    if entry.earned:
        yield ngettext("a freeze earned, {left}", "{number} freezes earned, {left}", entry.earned).format(
            number=number(entry.earned), left=left
        )


def _reads(diary: Diary) -> str:
    status, days = diary.status, _days(diary.status.current)
    if status.status == "none":
        return _("There has never been a streak: nothing was done yet.")
    if status.status == "broken":
        return _("There is no streak at the moment.")
    ends = _moment(status.expires_at, diary)
    text = {
        "active": _("The streak stands at {days}; today counts already. It lasts until {ends}."),
        "at_risk": _("The streak stands at {days}; nothing was done yet today. Without anything done it ends {ends}."),
        "frozen": _("The streak stands at {days}, kept by a freeze. Without anything done it ends {ends}."),
    }[status.status]
    return text.format(days=days, ends=ends)


def _ended(loss: Loss, diary: Diary) -> str:
    """Return ``The streak of 12 days ended on 5 March: nothing was done on ..., and the last freeze ...``."""
    if loss.until == loss.on:
        when = _("on {date}").format(date=shown(loss.on))
    else:
        when = _("from {first} to {last}").format(first=shown(loss.on), last=shown(loss.until))
    if loss.left and not diary.is_auto:
        why = _("freezes are used on request only, and none was asked for")
    elif loss.last_freeze is not None:
        why = _("the last freeze had been used for {date}").format(date=shown(loss.last_freeze))
    else:
        why = _("there was no freeze left")
    text = _("The streak of {days} ended on {date}: nothing was done {when}, and {why}.")
    return text.format(days=_days(loss.length), date=shown(loss.on), when=when, why=why)


def _amounts(entry: Entry) -> str:
    told = []
    if entry.activities:
        text = ngettext("{number} activity", "{number} activities", entry.activities)
        told.append(text.format(number=number(entry.activities)))
    if entry.xp:
        told.append(_("{number} XP").format(number=number(entry.xp)))
    return ", ".join(told)


def _days(count: int) -> str:
    return ngettext("{number} day", "{number} days", count).format(number=number(count))


def _left(count: int) -> str:
    return ngettext("{number} left", "{number} left", count).format(number=number(count))


def _moment(at: datetime | None, diary: Diary) -> str:
    """Return a moment on the user's own clock, with the zone."""
    if at is None:
        return ""
    local = timezone.localtime(at, ZoneInfo(diary.row.timezone))
    return f"{date_format(local, 'DATETIME_FORMAT')} ({diary.row.timezone})"

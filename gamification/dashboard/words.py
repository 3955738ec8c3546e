"""What the pages say about a streak, a refusal or a row of the ledger, in whole sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.conf import get_settings
from gamification.domain.days import DayStatus
from gamification.domain.streaks import StreakState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gamification.engine.results import AchievementState, StreakStatus
    from gamification.exceptions import GamificationError

MILESTONES = (3, 7, 14, 30, 50, 100, 200, 365)
REFUSALS = {
    "already_active_today": gettext_lazy("Today already counts, so there is nothing to freeze. Well done!"),
    "no_active_streak": gettext_lazy("There is no running streak to freeze yet. Do something today to start one."),
    "no_freezes_left": gettext_lazy("You have no freeze left. You earn new ones by keeping a streak."),
    "timezone_too_far": gettext_lazy(
        "This time zone is more than 24 hours apart from one that your days were counted in. Ask the staff to set it."
    ),
    "timezone_changed_recently": gettext_lazy("You changed your time zone less than 24 hours ago. Try again tomorrow."),
    "unknown_timezone": gettext_lazy("This time zone is not known. Choose one from the list."),
}


@dataclass(frozen=True, slots=True)
class StreakWords:
    """A streak in words: ``today`` (is it done?), ``deadline`` (how long it stands), ``cheer`` (why go on)."""

    tone: str
    today: str
    deadline: str
    cheer: str
    is_done: bool
    can_freeze: bool


def of_streak(streak: StreakStatus, *, today_status: str, today: date, timezone: str) -> StreakWords:
    """Return what to say about ``streak``; ``today_status`` is the status of the local ``today``."""
    is_frozen_today = today_status == DayStatus.FROZEN
    is_done = streak.status == StreakState.ACTIVE
    return StreakWords(
        tone=tone(streak.current),
        today=_today(streak.status, is_frozen_today=is_frozen_today),
        deadline=_deadline(streak, today, timezone),
        cheer=_cheer(streak, is_frozen_today=is_frozen_today),
        is_done=is_done,
        can_freeze=bool(streak.current and streak.freezes) and not is_done and not is_frozen_today,
    )


def tone(length: int) -> str:
    """Return the name of the flame's colour for a streak of ``length`` days."""
    if length <= 0:
        return "grey"
    if length < 7:
        return "gold"
    return "orange" if length < 30 else "red"


def refusal(error: GamificationError) -> str:
    """Return the sentence for people; the error's own where there is no better one."""
    return str(REFUSALS.get(error.code, error.message))


def holders(state: AchievementState, shares: Mapping[str, float]) -> str:
    """Return how many people have an achievement; the count may be older than that I have it too."""
    share = shares.get(state.achievement.achievement_id, 0)
    if not share and not state.unlocked:
        return _("Nobody has it yet")
    if share < 1:
        return _("Fewer than 1 % of people have it")
    percent = number_format(99 if 99 < share < 100 else round(share))
    return _("%(percent)s %% of people have it") % {"percent": percent}


def zone_name(timezone: str) -> str:
    """Return how people call a zone: ``Europe/Berlin`` is "Berlin time"."""
    region, _slash, place = timezone.rpartition("/")
    if not region or region == "Etc":
        return place
    return _("%(city)s time") % {"city": place.replace("_", " ")}


def _today(status: str, *, is_frozen_today: bool) -> str:
    if is_frozen_today:
        return _("Today is frozen")
    return {
        StreakState.ACTIVE.value: _("Done for today"),
        StreakState.AT_RISK.value: _("Not yet today"),
        StreakState.FROZEN.value: _("Saved by a freeze, not yet today"),
        StreakState.BROKEN.value: _("Ready for a fresh start"),
    }.get(status, _("Ready to begin"))


def _deadline(streak: StreakStatus, today: date, timezone: str) -> str:
    if not streak.current or streak.expires_at is None:
        return ""
    local = streak.expires_at.astimezone(ZoneInfo(timezone))
    if local.time() == time.min:
        day = _day(local.date() - timedelta(days=1), today)
        return _("Safe until the end of %(day)s (%(zone)s).") % {"day": day, "zone": zone_name(timezone)}
    moment = {"day": _day(local.date(), today), "time": time_format(local), "zone": zone_name(timezone)}
    return _("Safe until %(day)s, %(time)s (%(zone)s).") % moment


def _day(on: date, today: date) -> str:
    distance = (on - today).days
    if distance in {0, 1}:
        return _("tomorrow") if distance else _("today")
    return f"{date_format(on, 'l')}, {date_format(on, 'MONTH_DAY_FORMAT')}"


def _cheer(streak: StreakStatus, *, is_frozen_today: bool) -> str:
    if streak.status == StreakState.NONE:
        return _("Every streak starts with a single day. Make it today.")
    if streak.status == StreakState.BROKEN:
        return ngettext(
            "Your record of %(days)s day is yours to keep. One small thing today starts the next run.",
            "Your record of %(days)s days is yours to keep. One small thing today starts the next run.",
            streak.longest,
        ) % {"days": _number(streak.longest)}
    if is_frozen_today:
        return _("Enjoy your day off. Whatever you do today still counts.")
    if streak.status == StreakState.ACTIVE:
        return _milestone(streak.current)
    following = {"days": _number(streak.current + 1)}
    if streak.freezes and get_settings().STREAK_AUTO_FREEZE:
        return _("One small thing today makes it %(days)s and saves you a freeze.") % following
    return _("One small thing before midnight makes it %(days)s.") % following


def _milestone(current: int) -> str:
    if current in MILESTONES:
        return ngettext("%(days)s day in a row. Be proud!", "%(days)s days in a row. Be proud!", current) % {
            "days": _number(current)
        }
    goal = next((step for step in MILESTONES if step > current), (current // 365 + 1) * 365)
    left = goal - current
    return ngettext(
        "Only %(left)s more day to a streak of %(goal)s.", "%(left)s more days to a streak of %(goal)s.", left
    ) % {"left": _number(left), "goal": _number(goal)}


def _number(value: int) -> str:
    return number_format(value, force_grouping=True)

"""The account of a streak, date by date."""

from __future__ import annotations

from datetime import date

import pytest

from gamification.domain.days import DayMark, DayReason, DayStatus
from gamification.domain.diaries import DayRow, Entry, Loss, What, entries, last_loss

ACTIVE = DayRow("active", activities=1)
FROZEN = DayRow("frozen", "automatic", used=1)
SKIPPED = DayRow("skipped", "excused")


def june(*days):
    return tuple(date(2026, 6, day) for day in days)


def account(rows, today, coming=(), freezes=3, excused=()):
    kept = {date(2026, 6, day): row for day, row in rows.items()}
    return entries(kept, coming, freezes, date(2026, 6, today), excused)


def in_short(told):
    return [(entry.on.day, entry.what.value, entry.left) for entry in told]


def test_nothing_yet_is_no_account():
    assert account({}, 3) == []
    assert last_loss([]) is None


def test_every_date_has_an_entry_up_to_today():
    told = account({1: ACTIVE, 2: FROZEN, 3: SKIPPED, 4: ACTIVE}, 5, freezes=2)

    assert in_short(told) == [
        (1, "active", 3),
        (2, "frozen", 2),
        (3, "skipped", 2),
        (4, "active", 2),
        (5, "pending", 2),
    ]
    assert last_loss(told) is None


def test_the_freezes_left_follow_what_was_earned_used_and_given_back():
    told = account(
        {1: ACTIVE, 2: FROZEN, 3: DayRow("active", "automatic", used=1, returned=1), 4: DayRow("active", earned=1)}, 4
    )

    assert [entry.left for entry in told] == [3, 2, 2, 3]


def test_the_first_date_that_nothing_covered_ends_a_streak():
    told = account({1: ACTIVE, 2: ACTIVE, 3: FROZEN, 6: ACTIVE}, 6, freezes=0)

    assert in_short(told)[2:] == [(3, "frozen", 0), (4, "lost", 0), (5, "idle", 0), (6, "active", 0)]
    assert last_loss(told) == Loss(2, *june(4, 5, 3), left=0)


def test_what_the_next_activity_would_write_is_told_as_such():
    coming = [DayMark(june(2)[0], DayStatus.FROZEN, DayReason.AUTOMATIC, used=1)]

    told = account({1: ACTIVE}, 3, coming, freezes=3)

    assert [(entry.what, entry.left, entry.is_written) for entry in told] == [
        (What.ACTIVE, 3, True),
        (What.FROZEN, 2, False),
        (What.PENDING, 2, True),
    ]


def test_dates_without_anything_are_one_entry():
    told = account({1: ACTIVE, 20: ACTIVE}, 20, freezes=0)

    assert [(entry.on.day, entry.what, entry.until and entry.until.day) for entry in told] == [
        (1, What.ACTIVE, None),
        (2, What.LOST, None),
        (3, What.IDLE, 19),
        (20, What.ACTIVE, None),
    ]
    assert last_loss(told) == Loss(1, *june(2, 19), last_freeze=None, left=0)
    assert [entry.is_range for entry in told] == [False, False, True, False]


@pytest.mark.parametrize("row", [DayRow("", activities=1), DayRow("", xp=5)], ids=["too late", "awarded"])
def test_dates_with_something_outside_a_streak_stand_alone(row):
    told = account({1: ACTIVE, 5: row, 9: ACTIVE}, 9, freezes=0)

    assert [(entry.on.day, entry.until and entry.until.day) for entry in told] == [
        (1, None),
        (2, None),
        (3, 4),
        (5, None),
        (6, 8),
        (9, None),
    ]


def test_an_excused_date_outside_a_streak_stands_alone():
    told = account({1: ACTIVE, 9: ACTIVE}, 9, freezes=0, excused=set(june(5)))

    assert [entry.on.day for entry in told] == [1, 2, 3, 5, 6, 9]


def test_the_last_of_several_losses_is_told():
    told = account({1: ACTIVE, 3: ACTIVE, 4: ACTIVE, 6: ACTIVE}, 6, freezes=0)

    assert last_loss(told) == Loss(2, *june(5, 5), last_freeze=None, left=0)


def test_a_streak_of_which_only_today_is_open_is_not_lost():
    assert last_loss(account({1: ACTIVE}, 2)) is None


def test_a_row_after_today_is_an_entry_too():
    assert account({3: ACTIVE}, 2) == [Entry(date(2026, 6, 3), What.ACTIVE, 3, activities=1)]

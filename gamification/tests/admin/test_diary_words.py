"""A streak in sentences: every kind of day, and every way in which a streak can stand or end."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import override_settings

from gamification.admin import diary_words
from gamification.domain.diaries import Entry, What
from gamification.models import ExcusedDate, UserStreak
from gamification.services import activities, diaries, streaks
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at, noon

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 5)


@pytest.fixture
def ada():
    return UserFactory(username="ada")


def act(user, *days):
    for day in days:
        activities.record(user, "daily_visit", key=f"{day}", occurred_at=noon(day), now=noon(day))


def history(user, now):
    """Return the sentences by day of June."""
    diary = diaries.diary(user, now=now)
    return {entry.on.day: diary_words.sentence(entry, diary) for entry in diary.entries}


def answer(user, now):
    return " ".join(diary_words.answer(diaries.diary(user, now=now))).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (Entry(DAY, What.ACTIVE, 3, activities=3, xp=1120), "acted: 3 activities, 1,120 XP"),
        (Entry(DAY, What.ACTIVE, 3, activities=1), "acted: 1 activity"),
        (Entry(DAY, What.ACTIVE, 3), "acted"),
        (Entry(DAY, What.ACTIVE, 2, activities=1, earned=1), "acted: 1 activity; a freeze earned, 2 left"),
        (Entry(DAY, What.ACTIVE, 2, activities=1, earned=2), "acted: 1 activity; 2 freezes earned, 2 left"),
        (
            Entry(DAY, What.ACTIVE, 3, activities=1, used=1, returned=1),
            "acted: 1 activity; the freeze that had been used was given back, 3 left",
        ),
        (
            Entry(DAY, What.ACTIVE, 3, activities=1, used=1),
            "acted: 1 activity; the freeze that had been used was lost: no more can be held",
        ),
        (Entry(DAY, What.FROZEN, 1, reason="automatic", used=1), "covered by a freeze, 1 left"),
        (Entry(DAY, What.FROZEN, 0, reason="requested", used=1), "frozen on request, 0 left"),
        (
            Entry(DAY, What.FROZEN, 1, reason="automatic", used=1, is_written=False),
            "nothing done; a freeze covers it as things stand, 1 left",
        ),
        (Entry(DAY, What.SKIPPED, 3, reason="date_never_was"), "never existed in the time zone; nothing was missed"),
        (
            Entry(DAY, What.SKIPPED, 3, reason="24_hour_guarantee"),
            "nothing was missed: less than 24 hours had passed for it (24-hour guarantee)",
        ),
        (Entry(DAY, What.SKIPPED, 3, reason="excused"), "skipped; nothing was missed"),
        (Entry(DAY, What.LOST, 0, length=12), "missed, no freeze left: the streak of 12 days ended"),
        (
            Entry(DAY, What.LOST, 2, length=1),
            "missed: the streak of 1 day ended; freezes are used on request only, 2 left",
        ),
        (Entry(DAY, What.IDLE, 3), "nothing done, and no streak was running"),
        (Entry(DAY, What.IDLE, 3, activities=2), "reported too late to count for the streak: 2 activities"),
        (Entry(DAY, What.IDLE, 3, xp=50), "nothing done that counts for a streak, 50 XP"),
        (Entry(DAY, What.PENDING, 3), "nothing yet"),
    ],
)
def test_every_kind_of_day_has_its_sentence(ada, entry, told):
    assert diary_words.sentence(entry, diaries.diary(ada, now=noon(9))) == told


@pytest.mark.parametrize("what", [What.SKIPPED, What.LOST, What.IDLE])
def test_an_excused_day_says_why_and_by_whom(ada, what):
    row = ExcusedDate.objects.create(date=DAY, reason="outage", excused_by=ada)
    by_somebody = diary_words.sentence(Entry(DAY, what, 3), diaries.diary(ada, now=noon(9)))
    row.excused_by = None
    row.save()

    assert by_somebody == "excused: outage (by ada)"
    assert diary_words.sentence(Entry(DAY, what, 3), diaries.diary(ada, now=noon(9))) == "excused: outage"


def test_a_freeze_that_an_excuse_gave_back_is_told(ada):
    ExcusedDate.objects.create(date=DAY, reason="outage")
    entry = Entry(DAY, What.SKIPPED, 3, reason="excused", used=1, returned=1)

    told = diary_words.sentence(entry, diaries.diary(ada, now=noon(9)))

    assert told == "excused: outage; the freeze that had been used was given back, 3 left"


def test_a_whole_history_reads_as_it_happened(ada):
    act(ada, 1, 2)
    act(ada, 4)

    told = history(ada, noon(6))

    assert told == {
        1: "acted: 1 activity, 5 XP",
        2: "acted: 1 activity, 10 XP",
        3: "covered by a freeze, 2 left",
        4: "acted: 1 activity, 15 XP",
        5: "nothing done; a freeze covers it as things stand, 1 left",
        6: "nothing yet, the day is not over",
    }


def test_the_answer_says_when_and_why_the_streak_was_lost(ada):
    act(ada, 1, 2, 9)

    assert answer(ada, noon(9)) == (
        "The streak stands at 1 day; today counts already. It lasts until June 11, 2026, midnight (UTC). "
        "The streak of 2 days ended on June 6, 2026: nothing was done from June 6, 2026 to June 8, 2026, "
        "and the last freeze had been used for June 5, 2026."
    )


def test_a_lapsed_streak_that_nobody_has_come_back_to_is_answered_too(ada):
    act(ada, 1, 2)

    told = answer(ada, noon(8))

    assert told.startswith("There is no streak at the moment. The streak of 2 days ended on June 6, 2026")


def test_a_streak_without_freezes_says_so(ada):
    with override_settings(GAMIFICATION={"STREAK_FREEZES": 0}):
        act(ada, 1, 3)
        told = answer(ada, noon(3))

    assert "nothing was done on June 2, 2026, and there was no freeze left." in told


def test_where_freezes_are_asked_for_it_says_that_none_was(ada):
    with override_settings(GAMIFICATION={"STREAK_AUTO_FREEZE": False}):
        act(ada, 1, 3)
        told = answer(ada, noon(3))

    assert "freezes are used on request only, and none was asked for" in told


def test_somebody_who_never_did_anything(ada):
    assert answer(ada, noon(3)) == "There has never been a streak: nothing was done yet."


def test_a_streak_at_risk_and_one_kept_by_a_freeze(ada):
    act(ada, 1)

    at_risk, frozen = answer(ada, noon(2)), answer(ada, noon(3))

    assert at_risk.startswith("The streak stands at 1 day; nothing was done yet today. Without anything done it ends")
    assert frozen.startswith("The streak stands at 1 day, kept by a freeze. Without anything done it ends June 6, 2026")


def test_a_zone_change_and_its_clock_are_told(ada):
    act(ada, 1)
    streaks.set_timezone(ada, "Asia/Tokyo", now=at("2026-06-01T20:00"))

    told = answer(ada, at("2026-06-01T20:00"))

    assert "(Asia/Tokyo)" in told
    assert told.endswith("The days are counted in Asia/Tokyo since June 2, 2026.")


def test_an_account_takes_few_queries_however_long_it_is(ada, django_assert_max_num_queries):
    act(ada, *range(1, 29))

    with django_assert_max_num_queries(4):
        diary = diaries.diary(ada, now=noon(29))

    assert len(diary.entries) == 29
    assert UserStreak.objects.get(user=ada).current_streak == 28

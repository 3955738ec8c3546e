"""The streak card: whatever the streak does, it says so kindly."""

from __future__ import annotations

import re

from django.utils import timezone

from gamification.models import UserStreak
from gamification.services import streaks
from gamification.tests.dashboard.conftest import act_on, section, words


def test_a_running_streak_that_is_done_for_today(read, ada):
    act_on(ada, range(8))

    card = section(read(ada).html(), "gx-streak-title")

    assert "gx-tone-orange" in card
    text = words(card)
    assert "8 days in a row Done for today" in text
    assert "6 more days to a streak of 14." in text
    assert "Safe until the end of" in text
    assert "Longest 8 Freezes 3 of 3" in text
    assert "I’m here today" not in text


def test_a_streak_at_risk_offers_both_buttons(read, ada):
    act_on(ada, [1, 2])

    text = words(section(read(ada).html(), "gx-streak-title"))

    assert "Not yet today" in text
    assert "One small thing today makes it 3 and saves you a freeze." in text
    assert "I’m here today" in text
    assert "Freeze today" in text


def test_a_streak_without_freezes_says_until_when(read, ada):
    act_on(ada, [1, 2])
    UserStreak.objects.filter(user=ada).update(streak_freezes_available=0)

    text = words(section(read(ada).html(), "gx-streak-title"))

    assert "One small thing before midnight makes it 3." in text
    assert "Freeze today" not in text


def test_a_streak_that_freezes_cover_stands(read, ada):
    act_on(ada, [2, 3])

    text = words(section(read(ada).html(), "gx-streak-title"))

    assert "2 days in a row Saved by a freeze, not yet today" in text
    assert "Freezes 2 of 3" in text


def test_a_day_off_is_said_to_be_one(read, ada):
    act_on(ada, [1, 2])
    streaks.freeze(ada)

    text = words(section(read(ada).html(), "gx-streak-title"))

    assert "Today is frozen" in text
    assert "Enjoy your day off." in text
    assert "Freeze today" not in text


def test_a_broken_streak_shows_the_record_and_blames_nobody(read, ada):
    act_on(ada, [20, 21, 22])

    card = section(read(ada).html(), "gx-streak-title")

    text = words(card)
    assert "gx-tone-grey" in card
    assert "0 days in a row Ready for a fresh start" in text
    assert "Your record of 3 days is yours to keep." in text
    assert not re.search(r"lost|fail|broke|missed|unfortunately", text, re.IGNORECASE)


def test_the_week_says_every_day_in_words(read, ada):
    act_on(ada, [0])

    card = section(read(ada).html(), "gx-streak-title")

    assert card.count("gx-week__day ") + card.count('gx-week__day"') == 7
    assert f"{timezone.now():%A}: active" in words(card)


def test_the_deadline_is_told_in_the_zone_of_the_person(read, ada):
    streaks.set_timezone(ada, "Asia/Kathmandu")
    act_on(ada, [0])

    text = words(section(read(ada).html(), "gx-streak-title"))

    assert "(Kathmandu time)" in text

"""Workers that share a back-fill, and its undoing, are killed over it, and meet people who go on."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
from django.db.models import Count, Sum

from gamification.models import Achievement, BackfillRun, UserAchievement, UserStreak, UserXP, XPTransaction
from gamification.services import activities, backfills
from gamification.services.activities import Event
from gamification.tests.backends.people import person
from gamification.tests.factories import AchievementFactory
from gamification.tests.races import backfillers
from gamification.tests.races.workers import NOW

pytestmark = pytest.mark.slow

USERS, WORKERS, KILLS = 240, 3, 6


def crowd():
    """Return people of whom two in three have learned the ten words that nothing was unlocked by."""
    users = [person(f"user{number}", pk=1000 + number) for number in range(USERS)]
    learned = [Event(user, "words_learned", "before", 10 if at % 3 else 9) for at, user in enumerate(users)]
    activities.record_many(learned, now=NOW)
    AchievementFactory(achievement_id="ten_words", metric="words_learned", value=10, xp_reward=70)
    AchievementFactory(achievement_id="first", metric="achievements_unlocked", value=1, xp_reward=5)
    return users


def work(race, *beside, kills=KILLS):
    """Let three workers end the run, of whom some are killed and replaced, ``beside`` others; return how many were."""
    chance = random.Random(5)
    others = [race.start(each) for each in beside]
    crew = [race.start(backfillers.go_on) for _ in range(WORKERS)]
    killed, deadline = 0, time.monotonic() + 120
    while BackfillRun.objects.latest("pk").is_open:
        assert time.monotonic() < deadline
        time.sleep(chance.uniform(0.02, 0.1))
        number = killed % WORKERS
        if killed < kills:
            crew[number].kill()
            crew[number].join()
            killed += 1
            crew[number] = race.start(backfillers.go_on)
    for process in (*crew, *others):
        process.join(60)
    assert [process.exitcode for process in (*crew, *others)] == [0] * (len(crew) + len(others))
    return killed


def by_run(run, achievement_id="ten_words"):
    rows = UserAchievement.objects.unlocked().filter(achievement_id=achievement_id)
    return [row.user_id for row in rows if row.unlock_metadata.get("run") == run.pk]


def paid(achievement_id):
    """Return by user how many rows paid for an achievement that nobody has taken back."""
    rows = XPTransaction.objects.filter(source="achievement", reference_id=achievement_id, reversed_by__isnull=True)
    return Counter(rows.values_list("user_id", flat=True))


def begin():
    run = backfills.start("ten_words", in_background=False, now=NOW)
    assert run.expected == USERS * 2 // 3
    return run


def test_killed_workers_beside_recorders_unlock_for_each_once(race):
    crowd()
    run = begin()

    killed = work(race, *[backfillers.record] * 3)

    run.refresh_from_db()
    has = set(UserAchievement.objects.unlocked().filter(achievement_id="ten_words").values_list("user_id", flat=True))
    assert (run.status, killed) == ("finished", KILLS)
    assert paid("ten_words") == dict.fromkeys(has, 1)
    assert paid("first") == dict.fromkeys(has, 1)
    assert run.unlocked == len(by_run(run)) > 0
    assert run.xp == 70 * run.unlocked + 5 * len(by_run(run, "first"))
    assert len(has) >= USERS * 2 // 3
    assert race.drifts() == []


def test_killed_workers_beside_recorders_and_spenders_undo_for_each_once(race, monkeypatch):
    crowd()
    run = backfills.go_on(begin(), now=NOW)
    Achievement.objects.filter(achievement_id="ten_words").update(is_active=False)
    backfills.undo(run, in_background=False, now=NOW)

    killed = work(race, backfillers.record, backfillers.spend, backfillers.spend)

    run.refresh_from_db()
    left = by_run(run)
    reversals = XPTransaction.objects.filter(reverses__reference_id="ten_words").values("reverses")
    assert (run.status, killed) == ("undone", KILLS)
    assert run.undone_for + len(left) == run.unlocked
    assert [user.pk for user in backfills.passed_over(run)] == sorted(left)
    assert reversals.annotate(number=Count("pk")).filter(number__gt=1).count() == 0
    assert reversals.count() == run.undone_for
    assert XPTransaction.objects.filter(reason="backfill_undone").aggregate(xp=Sum("xp_amount"))["xp"] < 0
    assert race.drifts() == []


def test_people_who_are_erased_or_deleted_meanwhile_stop_nobody(race):
    crowd()
    run = begin()

    work(race, backfillers.forget, backfillers.forget, kills=0)

    run.refresh_from_db()
    assert run.status == "finished"
    assert UserStreak.objects.count() == UserXP.objects.count() < USERS
    assert paid("ten_words") == dict.fromkeys(by_run(run), 1)
    assert race.drifts() == []

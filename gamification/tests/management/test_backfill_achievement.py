"""The command that back-fills an achievement, and undoes that."""

from __future__ import annotations

import pytest

from gamification.models import Achievement, BackfillRun, UserAchievement
from gamification.services import activities, backfills, xp
from gamification.tests.factories import AchievementFactory, UserFactory, condition
from gamification.tests.management.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


@pytest.fixture
def words():
    """Return a definition that two people meet already, and have somebody on the way."""
    for name, number in (("ada", 20), ("bob", 10), ("eve", 9)):
        activities.record(UserFactory(username=name), "words_learned", key="words", quantity=number, now=NOW)
    return AchievementFactory(
        achievement_id="ten_words", name="Ten Words", conditions=condition("words_learned", 10), xp_reward=70
    )


def test_a_dry_run_says_for_whom_and_changes_nothing(words, manage):
    outcome = manage("backfill_achievement", "ten_words", "--dry-run")

    assert (outcome.code, outcome.out) == (0, "Ten Words would unlock for 2 people, and pay 140 XP.\n  ada\n  bob\n")
    assert not BackfillRun.objects.exists()
    assert not UserAchievement.objects.unlocked().exists()


def test_it_unlocks_for_those_who_meet_the_condition(words, manage):
    outcome = manage("backfill_achievement", "ten_words")

    run = BackfillRun.objects.get()
    assert (outcome.code, outcome.out) == (0, f"Back-fill {run.pk}: unlocked for 2 people, 140 XP paid.\n")
    assert UserAchievement.objects.unlocked().count() == 2


def test_it_goes_on_with_a_run_that_was_cut_off(words, manage):
    run = backfills.start("ten_words", in_background=False)

    outcome = manage("backfill_achievement", "ten_words")

    assert outcome.out == f"Back-fill {run.pk}: unlocked for 2 people, 140 XP paid.\n"
    assert BackfillRun.objects.count() == 1


def test_it_undoes_a_run_and_names_who_was_passed_over(words, manage):
    manage("backfill_achievement", "ten_words")
    run = BackfillRun.objects.get()
    xp.award(UserAchievement.objects.unlocked().first().user, -75, reason="spent", key="shop")
    Achievement.objects.update(is_active=False)

    outcome = manage("backfill_achievement", "ten_words", "--undo", run.pk)

    assert (outcome.code, outcome.out.splitlines()) == (
        0,
        [
            f"Back-fill {run.pk}: undone for 1 person.",
            "1 person passed over, because their total would fall below 0:",
            "  ada",
        ],
    )


def test_it_goes_on_with_an_undoing_that_was_cut_off(words, manage):
    manage("backfill_achievement", "ten_words")
    Achievement.objects.update(is_active=False)
    run = backfills.undo(BackfillRun.objects.get(), in_background=False)

    refused = manage("backfill_achievement", "ten_words")
    outcome = manage("backfill_achievement", "ten_words", "--undo", run.pk)

    assert (refused.code, refused.err) == (1, f"Back-fill {run.pk} is being undone: --undo {run.pk} goes on with that.")
    assert outcome.out == f"Back-fill {run.pk}: undone for 2 people.\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing"], "There is no such achievement."),
        (["nothing", "--dry-run"], "There is no achievement 'nothing'."),
        (["ten_words", "--undo", "999999"], "'ten_words' has no back-fill 999999."),
    ],
)
def test_what_is_not_there_is_named(words, manage, arguments, reason):
    outcome = manage("backfill_achievement", *arguments)

    assert (outcome.code, outcome.err) == (1, reason)


def test_what_cannot_be_done_is_told(words, manage):
    manage("backfill_achievement", "ten_words")

    in_force = manage("backfill_achievement", "ten_words", "--undo", BackfillRun.objects.get().pk)
    Achievement.objects.update(is_active=False)
    inactive = manage("backfill_achievement", "ten_words")

    assert in_force.code == inactive.code == 1
    assert in_force.err.startswith("The achievement is active with the rule of this back-fill")
    assert inactive.err == "The achievement is not active: activate it first."

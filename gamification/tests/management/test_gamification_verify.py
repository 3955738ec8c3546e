"""Verifying: every drift has a line and ends in 1, and a repair brings back what was."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import F

from gamification.models import (
    LeaderboardCache,
    UserAchievement,
    UserCounter,
    UserDay,
    UserStreak,
    UserXP,
    XPTransaction,
)
from gamification.services import achievements, activities, integrity, leaderboards, streaks, xp
from gamification.services.integrity import Drift
from gamification.tests.factories import UserFactory, XPTransactionFactory
from gamification.tests.helpers import at, noon, snapshot, state_of
from gamification.tests.management.conftest import NOW

pytestmark = pytest.mark.django_db

SCENARIO = {"difficulty": "advanced", "minutes": 20, "perfect": True, "language": "es"}


@pytest.fixture(autouse=True)
def ada(now):
    """Return somebody with XP, counters, unlocks, an award taken back, a frozen day and a lost streak."""
    achievements.initialize()
    ada = UserFactory(username="ada")
    for day in (1, 2, 3, 5, 6, 7, 8, 18, 19):
        if day == 18:
            streaks.freeze(ada, now=noon(9))
        activities.record(ada, "scenario_completed", key=f"s{day}", data=SCENARIO, occurred_at=noon(day), now=noon(day))
    early = at("2026-06-19T23:30")
    activities.record(ada, "words_learned", key="w", quantity=60, occurred_at=early, now=early)
    award = xp.award(ada, 40, reason="helped", key="a", now=noon(10))
    xp.reverse(award.transaction, reason="mistaken", now=noon(11))
    return ada


def of(model):
    return model._default_manager.filter(user__username="ada")


def day(number):
    return of(UserDay).filter(date=noon(number).date())


# How to spoil something, and the facts that it must be found by.
PLANTED = {
    "a total": (lambda: of(UserXP).update(total_xp=F("total_xp") + 7), {"total_xp"}),
    "what was ever earned": (lambda: of(UserXP).update(total_xp_earned=0), {"total_xp_earned"}),
    "a level": (lambda: of(UserXP).update(current_level=1), {"current_level"}),
    "the highest level": (lambda: of(UserXP).update(highest_level=1), {"highest_level"}),
    "a title": (lambda: of(UserXP).update(title="Mythic"), {"title"}),
    "what is missing to the next level": (lambda: of(UserXP).update(xp_to_next_level=0), {"xp_to_next_level"}),
    "the progress to it": (
        lambda: of(UserXP).update(level_progress_percentage=100),
        {"level_progress_percentage"},
    ),
    "a counter": (
        lambda: of(UserCounter).filter(name="words_learned").update(value=59),
        {"counter words_learned"},
    ),
    "a fact": (
        lambda: of(UserCounter).filter(name="languages_practised:es").delete(),
        {"counter languages_practised:es"},
    ),
    "a counter of nothing": (
        lambda: UserCounter.objects.create(user=get_user_model().objects.get(), name="ghosts", value=3),
        {"counter ghosts"},
    ),
    "all counters": (
        lambda: of(UserCounter).delete(),
        {"counter night_days", "counter achievements_unlocked", "counter scenarios_completed"},
    ),
    "an active day": (lambda: day(3).update(status=""), {"day 2026-06-03: status"}),
    "an active day that is said to be frozen": (lambda: day(6).update(status="frozen"), {"day 2026-06-06: status"}),
    "an idle day that is said to be active": (
        lambda: UserDay.objects.create(user=get_user_model().objects.get(), date=noon(14).date(), status="active"),
        {"day 2026-06-14: status"},
    ),
    "a day that is gone": (
        lambda: day(19).delete(),
        {"day 2026-06-19: status", "day 2026-06-19: xp", "day 2026-06-19: activities", "day 2026-06-19: is_night"},
    ),
    "the XP of a day": (lambda: day(1).update(xp=0), {"day 2026-06-01: xp"}),
    "the activities of a day": (lambda: day(1).update(activities=7), {"day 2026-06-01: activities"}),
    "an early day": (lambda: day(1).update(is_early=True), {"day 2026-06-01: is_early"}),
    "the current streak": (lambda: of(UserStreak).update(current_streak=1), {"current_streak"}),
    "the longest streak": (lambda: of(UserStreak).update(longest_streak=99), {"longest_streak"}),
    "the freezes": (
        lambda: of(UserStreak).update(streak_freezes_available=F("streak_freezes_available") + 1),
        {"streak_freezes_available"},
    ),
    "a freeze that was used": (lambda: day(4).update(freezes_used=0), {"streak_freezes_available"}),
    "the active days": (lambda: of(UserStreak).update(total_active_days=0), {"total_active_days"}),
    "the last active date": (
        lambda: of(UserStreak).update(last_activity_date=noon(8).date()),
        {"last_activity_date"},
    ),
    "the last day": (lambda: of(UserStreak).update(last_day=None), {"last_day"}),
    "the last moment": (lambda: of(UserStreak).update(last_at=noon(1)), {"last_at"}),
    "the expiry": (lambda: of(UserStreak).update(expires_at=noon(30)), {"expires_at"}),
    "an unlock's progress": (
        lambda: of(UserAchievement).filter(achievement_id="first_steps").update(progress=10),
        {"progress of first_steps"},
    ),
    "the totals that are gone": (lambda: of(UserXP).delete(), {"total_xp", "highest_level", "title"}),
    "the streak that is gone": (lambda: of(UserStreak).delete(), {"current_streak", "longest_streak", "expires_at"}),
}
#: What no repair brings back: that a freeze was used is known from the day alone.
LOST = {"a freeze that was used"}
#: What is emptied and not deleted.
EMPTIED = {"a counter of nothing", "an idle day that is said to be active"}


def test_without_a_drift_it_says_so_and_ends_in_0(manage):
    UserFactory(username="bo")

    outcome = manage("gamification_verify")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "Everything is as the records say, for all 2 people.\n"


def test_an_empty_site_has_no_drift(manage, ada):
    XPTransaction.objects.filter(user=ada).erase()
    of(UserAchievement).delete()

    assert manage("gamification_verify", "--repair").code == 0


@pytest.mark.parametrize("what", PLANTED)
def test_each_drift_is_told_and_nothing_is_written(manage, ada, what):
    spoil, facts = PLANTED[what]
    spoil()
    before = snapshot()

    outcome = manage("gamification_verify")

    lines = outcome.out.splitlines()
    found = {line.removeprefix(f"user {ada.pk}: ").rpartition(" is ")[0] for line in lines}
    assert outcome.code == 1
    assert facts <= found
    assert outcome.err == (f"Found {len(lines)} drift{'s' if len(lines) > 1 else ''} of 1 people. --repair mends them.")
    assert snapshot() == before


@pytest.mark.parametrize("what", sorted(PLANTED.keys() - LOST - EMPTIED))
def test_a_repair_brings_back_what_was_and_ends_in_0(manage, ada, what):
    before = state_of(ada)
    PLANTED[what][0]()

    outcome = manage("gamification_verify", "--repair")

    assert (outcome.code, outcome.err) == (0, "")
    assert state_of(ada) == before
    assert outcome.out.splitlines()[0].startswith(f"user {ada.pk}: ")
    assert outcome.out.splitlines()[-1].startswith("Mended ")
    assert outcome.out.splitlines()[-1].endswith("Everything is as the records say, for all 1 people.")
    assert manage("gamification_verify").code == 0


@pytest.mark.parametrize("what", sorted(LOST | EMPTIED))
def test_a_repair_leaves_no_drift_even_where_something_was_lost_or_invented(manage, what):
    PLANTED[what][0]()

    outcome = manage("gamification_verify", "--repair")

    assert (outcome.code, manage("gamification_verify").code) == (0, 0)


def test_a_reward_that_was_never_paid_is_paid_once(manage, ada):
    paid = XPTransaction.objects.filter(source="achievement", reference_id="first_steps")
    total = UserXP.objects.get().total_xp
    paid.erase()

    found = manage("gamification_verify")
    first, second = manage("gamification_verify", "--repair"), manage("gamification_verify", "--repair")

    assert (found.code, first.code, second.code) == (1, 0, 0)
    assert f"user {ada.pk}: reward first_steps:1 is False, the records say True" in found.out.splitlines()
    assert (paid.get().xp_amount, UserXP.objects.get().total_xp) == (50, total)


def test_a_reward_that_was_paid_twice_is_taken_back(manage, ada):
    total = UserXP.objects.get().total_xp
    XPTransactionFactory(user=ada, source="achievement", key="first_steps:2", xp_amount=50, earned_on=noon(2).date())

    outcome = manage("gamification_verify", "--repair")

    assert (outcome.code, UserXP.objects.get().total_xp) == (0, total)
    assert XPTransaction.objects.filter(source="reversal", reason="repair").get().xp_amount == -50


def test_a_repair_says_what_was_and_what_is(manage, ada):
    total = UserXP.objects.get().total_xp
    of(UserXP).update(total_xp=7)

    outcome = manage("gamification_verify", "--repair")

    assert outcome.out.splitlines() == [
        f"user {ada.pk}: total_xp was 7, is {total} again",
        "Mended 1 drift. Everything is as the records say, for all 1 people.",
    ]


def test_only_those_who_drifted_are_locked_and_written(manage, ada):
    bo = UserFactory(username="bo")
    activities.record(bo, "daily_visit", key="v", now=NOW)
    UserFactory(username="never seen")
    of(UserXP).update(total_xp=7)
    before = UserXP.objects.get(user=bo).version

    manage("gamification_verify", "--repair")

    assert UserXP.objects.get(user=bo).version == before
    assert not UserStreak.objects.filter(user__username="never seen").exists()


def test_the_drifts_of_several_people_are_counted(manage, ada):
    for number in range(3):
        activities.record(UserFactory(username=f"p{number}"), "daily_visit", key="v", now=NOW)
    UserXP.objects.update(total_xp=7, title="Mythic")

    outcome = manage("gamification_verify")

    assert (outcome.code, outcome.err) == (1, "Found 8 drifts of 4 people. --repair mends them.")


def test_what_cannot_be_mended_ends_in_1(manage, ada, monkeypatch):
    monkeypatch.setattr(integrity, "repair", lambda users: iter([Drift(user.pk, "total_xp", 7, 8) for user in users]))
    of(UserXP).update(total_xp=7)

    outcome = manage("gamification_verify", "--repair")

    assert (outcome.code, outcome.err) == (1, "Mended 1 drift, but 1 drift cannot be mended.")


def test_a_streak_that_lapsed_is_no_drift(manage, ada):
    with time_machine.travel(NOW + timedelta(days=40), tick=False):
        outcome = manage("gamification_verify")

    assert outcome.code == 0


# Of whom, from where, in which form


@pytest.fixture
def three(ada):
    """Return ada and two more, of whom everybody has drifted."""
    people = [ada, UserFactory(username="bo"), UserFactory(username="cy")]
    for user in people[1:]:
        activities.record(user, "daily_visit", key="v", now=NOW)
    UserXP.objects.update(title="Mythic")
    return people


def told(outcome):
    return {int(pk) for pk in re.findall(r"^user (\d+):", outcome.out, re.MULTILINE)}


def test_only_those_named_are_verified_by_key_or_by_login(manage, three):
    ada, bo, _ = three

    outcome = manage("gamification_verify", "--user", ada.pk, "--user", "bo", "--user", "bo")

    assert (outcome.code, told(outcome)) == (1, {ada.pk, bo.pk})
    assert outcome.err.startswith("Found 2 drifts of 2 people.")


def test_only_those_named_are_mended(manage, three):
    ada, _, cy = three

    outcome = manage("gamification_verify", "--repair", "--user", "bo")

    assert (outcome.code, outcome.out.splitlines()[-1]) == (
        0,
        "Mended 1 drift. Everything is as the records say, for all 1 people.",
    )
    assert told(manage("gamification_verify")) == {ada.pk, cy.pk}


def test_a_login_that_is_the_key_of_somebody_else_is_not_guessed(manage, three):
    UserFactory(username=str(three[0].pk))

    outcome = manage("gamification_verify", "--user", three[0].pk)

    assert (outcome.code, outcome.out) == (2, "")
    assert "is the key of one user and the login of another" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "nobody"], "There is no user 'nobody'."),
        (["--user", "9" * 30], "There is no user"),
        (["--after", "x"], "'x' is no key of a user."),
    ],
)
def test_whom_nobody_knows_ends_in_2(manage, arguments, said):
    outcome = manage("gamification_verify", *arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "10000001", "\u0663"])
def test_a_sample_is_a_whole_number(manage, number):
    with pytest.raises((SystemExit, CommandError)):
        call_command("gamification_verify", f"--sample={number}")


def test_a_sample_is_verified_and_mended(manage, three):
    assert told(manage("gamification_verify", "--sample", 3)) == {user.pk for user in three}

    outcome = manage("gamification_verify", "--sample", 2, "--repair")

    assert (outcome.code, len(told(outcome)), len(told(manage("gamification_verify")))) == (0, 2, 1)


def test_a_run_can_begin_behind_somebody(manage, three):
    ada, bo, cy = three

    assert told(manage("gamification_verify", "--after", ada.pk)) == {bo.pk, cy.pk}
    assert manage("gamification_verify", "--after", cy.pk).out.endswith("for all 0 people.\n")


def test_a_run_that_is_cut_off_goes_on_behind_its_position(manage, three, tmp_path, monkeypatch):
    ada, bo, cy = three
    noted, verify = tmp_path / "position", integrity.verify
    monkeypatch.setattr(integrity, "USERS_AT_ONCE", 1)

    def cut_off(users, **options):
        if users[0].pk == bo.pk:
            raise KeyboardInterrupt
        return verify(users=users, **options)

    monkeypatch.setattr(integrity, "verify", cut_off)
    first = manage("gamification_verify", "--repair", "--position", noted)
    position = noted.read_text()
    monkeypatch.setattr(integrity, "verify", verify)
    second = manage("gamification_verify", "--repair", "--position", noted)

    assert (first.code, first.err) == (130, f"Stopped after 1 people. --after {ada.pk} goes on there.")
    assert (told(first), position) == ({ada.pk}, f"{ada.pk}\n")
    assert (second.code, told(second), noted.exists()) == (0, {bo.pk, cy.pk}, False)


def test_a_position_that_cannot_be_written_or_read_ends_in_2(manage, three, tmp_path):
    (tmp_path / "bad").write_text("no key")

    assert manage("gamification_verify", "--position", tmp_path / "bad").code == 2
    assert manage("gamification_verify", "--position", tmp_path).code == 2
    assert manage("gamification_verify", "--position", tmp_path / "no" / "where").code == 2


def test_every_line_of_json_is_an_object(manage, ada):
    total = UserXP.objects.get().total_xp
    of(UserXP).update(total_xp=7)
    drift = {"user": ada.pk, "fact": "total_xp", "stored": 7, "derived": total}

    found = manage("gamification_verify", "--format", "json")
    mended = manage("gamification_verify", "--format", "json", "--repair")

    end = {"people": 1, "drifts": 1, "mended": 0, "left": 0, "position": str(ada.pk)}
    assert (found.code, [json.loads(line) for line in found.out.splitlines()]) == (1, [{"found": drift}, {"end": end}])
    assert (mended.code, [json.loads(line) for line in mended.out.splitlines()]) == (
        0,
        [{"mended": drift}, {"end": {**end, "mended": 1}}],
    )


def test_dates_and_decimals_have_a_form_in_json(manage, ada):
    of(UserXP).update(level_progress_percentage=100)
    of(UserStreak).update(last_day=None, expires_at=noon(30))

    outcome = manage("gamification_verify", "--format", "json")

    lines = map(json.loads, outcome.out.splitlines())
    told = {line["found"]["fact"]: line["found"] for line in lines if "found" in line}
    assert (told["last_day"]["stored"], told["last_day"]["derived"]) == (None, "2026-06-19")
    assert told["level_progress_percentage"]["stored"].startswith("100")


def test_a_leaderboard_that_was_tampered_with_is_told_and_built_anew(manage, ada):
    leaderboards.top("xp_all_time", now=NOW)
    row = LeaderboardCache.objects.get()
    row.data["current"]["entries"][0][2] += 1
    row.save()

    found, mended, after = (manage("gamification_verify", *more) for more in ([], ["--repair"], []))

    assert (found.code, found.err) == (1, "Found 1 drift of 0 people. --repair mends them.")
    assert found.out == "leaderboard xp_all_time is another, the records say as in the tables\n"
    assert (mended.code, after.code) == (0, 0)

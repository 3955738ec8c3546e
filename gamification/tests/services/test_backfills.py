"""Back-fills: for whom they would unlock, what they unlock, going on after a cut, and undoing them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamification.domain.conditions import compile_condition
from gamification.engine import backfilling, eligibility, players, rules
from gamification.exceptions import (
    BackfillOpen,
    BackfillUndone,
    InvalidCondition,
    RuleInForce,
    RuleNotActive,
    UnknownAchievement,
)
from gamification.models import Achievement, BackfillRun, Notice, UserAchievement, UserStreak, UserXP, XPTransaction
from gamification.services import achievements, activities, backfills, integrity, leaderboards, privacy, streaks, xp
from gamification.tests.factories import AchievementFactory, UserFactory, condition
from gamification.tests.helpers import listening, noon, state_of
from gamification.tests.properties import PURE

pytestmark = pytest.mark.django_db
NOW = noon(20)


def words(user, number, *, on=10, key="words"):
    activities.record(user, "words_learned", key=f"{key}{number}", quantity=number, now=noon(on))


def new(achievement_id="ten_words", metric="words_learned", value=10, **columns):
    return AchievementFactory(achievement_id=achievement_id, metric=metric, value=value, **columns)


def run_of(achievement_id="ten_words", **options):
    run = backfills.start(achievement_id, in_background=False, now=NOW, **options)
    return backfills.go_on(run, now=NOW)


def undone(run):
    return backfills.go_on(backfills.undo(run, in_background=False, now=NOW), now=NOW)


def retire(achievement_id="ten_words"):
    Achievement.objects.filter(achievement_id=achievement_id).update(is_active=False)


def row(user, achievement_id="ten_words"):
    return UserAchievement.objects.get(user=user, achievement_id=achievement_id)


@pytest.fixture
def three():
    """Return three people who have learned 20, 10 and 9 words, before there was anything to unlock by it."""
    people = [UserFactory(username=name) for name in ("ada", "bob", "eve")]
    for user, number in zip(people, (20, 10, 9), strict=True):
        words(user, number)
    return people


# Preview


def test_a_preview_counts_who_would_unlock_it_and_writes_nothing(three, django_assert_max_num_queries):
    definition = AchievementFactory.build(achievement_id="ten_words", metric="words_learned", value=10, xp_reward=70)
    before = [state_of(user) for user in three]

    with django_assert_max_num_queries(3):
        told = backfills.preview(definition, now=NOW)

    assert (told.people, told.xp, told.is_exact) == (2, 140, True)
    assert [user.username for user in told.sample] == ["ada", "bob"]
    assert [state_of(user) for user in three] == before


def test_a_preview_leaves_out_who_has_it_or_lost_it(three):
    definition = new()
    achievements.unlock(three[0], "ten_words", now=NOW)
    achievements.unlock(three[1], "ten_words", now=NOW)
    achievements.revoke(three[1], "ten_words", now=NOW)

    assert backfills.preview(definition, now=NOW).people == 0


def test_a_preview_shows_ten_people_at_most():
    for _ in range(12):
        words(UserFactory(), 10)

    told = backfills.preview(AchievementFactory.build(metric="words_learned", value=10), now=NOW)

    assert (told.people, len(told.sample)) == (12, 10)


def test_a_streak_that_has_lapsed_counts_as_nothing():
    user = UserFactory()
    for day in range(1, 8):
        streaks.touch(user, now=noon(day))
    definition = AchievementFactory.build(metric="current_streak", value=7)

    assert backfills.preview(definition, now=noon(8)).people == 1
    assert backfills.preview(definition, now=noon(30)).people == 0


def test_a_condition_that_cannot_be_evaluated_is_refused():
    definition = AchievementFactory.build(metric="__class__")

    with pytest.raises(InvalidCondition, match="__class__"):
        backfills.preview(definition)


def test_what_the_project_computes_is_told_to_be_an_upper_bound(three, settings):
    settings.GAMIFICATION = {"METRICS": {"is_bob": lambda user: int(user.username == "bob")}}
    both = {"v": 1, "all": [clause("words_learned", 10), clause("is_bob", 1)]}
    new(conditions=both)

    told = backfills.preview(Achievement.objects.get(), now=NOW)
    run = run_of()

    assert (told.people, told.is_exact) == (2, False)
    assert run.unlocked == 1
    assert row(three[1]).is_unlocked


def clause(metric, value):
    return {"metric": metric, "op": "gte", "value": value}


METRICS = ["words_learned", "scenarios_completed", "total_xp_earned", "level", "active_days", "longest_streak"]
clauses = st.builds(clause, st.sampled_from([*METRICS, "languages_practised:es"]), st.integers(1, 12))
groups = st.recursive(
    st.builds(
        lambda join, parts: {join: parts}, st.sampled_from(["all", "any"]), st.lists(clauses, min_size=1, max_size=3)
    ),
    lambda inner: st.builds(
        lambda join, parts: {join: parts},
        st.sampled_from(["all", "any"]),
        st.lists(st.one_of(clauses, inner), min_size=1, max_size=3),
    ),
    max_leaves=2,
)


def test_the_database_finds_whom_the_rules_find():
    people = [UserFactory() for _ in range(6)]
    streaks.initialize(people[0])
    for number, user in enumerate(people):
        for day in range(number):
            data = {"difficulty": "beginner", "language": "es" if number % 2 else "fr"}
            activities.record(user, "scenario_completed", key=f"{day}", data=data, now=noon(day + 1))
        if number % 3:
            words(user, number * 2)
    everybody = backfilling.players.glance(people).values()

    @PURE
    @given(groups)
    def holds(raw):
        rule = compile_condition({"v": 1, **raw}, is_known=lambda name: True)
        met = {player.user.pk for player in everybody if rule.is_met(player.values())}
        assert set(eligibility.meeting(rule, NOW).values_list("user_id", flat=True)) == met
        one_by_one = eligibility.among(eligibility.UserStreak.objects.all(), rule, NOW)
        assert set(one_by_one.values_list("user_id", flat=True)) == met

    holds()


# Running


def test_a_run_unlocks_for_those_who_meet_it_and_for_nobody_else(three):
    actor = UserFactory()
    new(xp_reward=70)

    run = run_of(actor=actor)

    assert (run.status, run.unlocked, run.xp, run.expected, run.started_by) == ("finished", 2, 140, 2, actor)
    assert [row.is_unlocked for row in UserAchievement.objects.order_by("user_id")] == [True, True]
    unlocked = row(three[0])
    assert (unlocked.unlocked_at, unlocked.progress) == (NOW, 100)
    assert unlocked.unlock_metadata == {"by": "backfill", "run": run.pk, "xp": 70}
    assert list(integrity.verify(now=NOW)) == []


def test_its_xp_counts_in_all_and_in_no_window(three):
    new(xp_reward=70)

    run_of()

    paid = XPTransaction.objects.filter(source="achievement")
    assert {(row.earned_on, row.xp_amount) for row in paid} == {(None, 70)}
    assert leaderboards.rank(three[0], "xp_all_time", now=NOW).score == UserXP.objects.get(user=three[0]).total_xp == 75
    assert leaderboards.rank(three[0], "xp_monthly", now=NOW).score == 5


def test_it_is_silent(three):
    new(xp_reward=500)
    Notice.objects.all().delete()

    with listening() as heard:
        run_of()

    assert heard.names == []
    assert not Notice.objects.exists()


def test_what_its_xp_unlocks_belongs_to_it(three):
    new(xp_reward=200)
    new("first_steps", "total_xp_earned", 100, xp_reward=30)

    run = run_of()

    assert (run.unlocked, run.xp) == (2, 460)
    assert row(three[0], "first_steps").unlock_metadata["run"] == run.pk


def test_a_second_run_finds_nobody(three):
    new()
    run_of()

    assert run_of().unlocked == 0


def test_a_run_that_was_cut_off_goes_on_where_it_ended(three, monkeypatch):
    monkeypatch.setattr(backfilling, "PEOPLE_AT_ONCE", 1)
    new()
    run = backfills.start("ten_words", in_background=False, now=NOW)

    cut = backfills.go_on(run, seconds=0, now=NOW)
    whole = backfills.go_on(run, now=NOW)

    assert (cut.status, cut.unlocked, cut.position) == ("running", 1, str(three[0].pk))
    assert (whole.status, whole.unlocked) == ("finished", 2)


def test_whoever_comes_too_late_leaves_no_trace(three):
    new()
    run = backfills.start("ten_words", in_background=False, now=NOW)
    late = BackfillRun.objects.get(pk=run.pk)
    backfills.go_on(run, now=NOW)
    before = state_of(three[0])

    with pytest.raises(backfilling._OvertakenError), backfilling.transaction.atomic():
        backfilling._advance(late, NOW)

    assert state_of(three[0]) == before
    assert BackfillRun.objects.get().unlocked == 2


def test_a_rule_that_is_changed_under_a_run_ends_it(three, monkeypatch):
    monkeypatch.setattr(backfilling, "PEOPLE_AT_ONCE", 1)
    definition = new()
    run = backfills.start("ten_words", in_background=False, now=NOW)
    backfills.go_on(run, seconds=0, now=NOW)
    definition.conditions = condition("words_learned", 15)
    definition.save()

    run = backfills.go_on(run, now=NOW)

    assert (run.status, run.unlocked) == ("ended_early", 1)


def test_a_part_in_which_nobody_meets_it_leaves_the_rules_compiled(three, monkeypatch):
    new(value=1000)
    rules.rulebook()
    compiled = []
    monkeypatch.setattr(rules, "_compile", lambda: compiled.append(1))

    run = run_of()

    assert (run.status, compiled) == ("finished", [])


def test_who_is_erased_or_deleted_under_a_run_gets_nothing_and_stops_nobody(three, monkeypatch):
    ada, bob, _ = three
    new()
    lock_known = players.lock_known

    def go(users, *args):
        known = list(users)
        monkeypatch.setattr(players, "lock_known", lock_known)
        privacy.erase(ada)
        privacy.erase(bob)
        bob.delete()
        return lock_known(known, *args)

    monkeypatch.setattr(players, "lock_known", go)

    run = run_of()

    assert (run.status, run.unlocked) == ("finished", 0)
    assert not any(model.objects.filter(user_id=ada.pk).exists() for model in (UserXP, UserStreak))
    assert list(integrity.verify(now=NOW)) == []


def test_two_runs_of_one_definition_do_not_meet(three):
    new()
    run = backfills.start("ten_words", in_background=False, now=NOW)

    with pytest.raises(BackfillOpen, match=f"Back-fill {run.pk} "):
        backfills.start("ten_words", now=NOW)


def test_only_what_is_active_can_be_back_filled(three):
    new(is_active=False)

    with pytest.raises(RuleNotActive):
        backfills.start("ten_words")
    for unknown in ("nothing", "\x00"):
        with pytest.raises(UnknownAchievement):
            backfills.start(unknown)
    assert not BackfillRun.objects.exists()


def test_a_task_works_on_it_after_the_commit(three, django_capture_on_commit_callbacks):
    new()

    with django_capture_on_commit_callbacks(execute=True):
        run = backfills.start("ten_words")

    run.refresh_from_db()
    assert (run.status, run.unlocked) == ("finished", 2)


# Undoing


def test_an_undone_run_leaves_no_trace_but_in_the_ledger(three):
    new(xp_reward=70)
    before = UserXP.objects.get(user=three[0])
    run = run_of()
    retire()

    run = undone(run)

    after = UserXP.objects.get(user=three[0])
    open_row = row(three[0])
    assert (run.status, run.undone_for, run.undone_at) == ("undone", 2, NOW)
    assert (open_row.unlocked_at, open_row.revoked_at, open_row.unlock_metadata) == (None, None, {})
    assert (after.total_xp, after.total_xp_earned) == (before.total_xp, before.total_xp_earned)
    assert [row.reason for row in XPTransaction.objects.filter(user=three[0], source="reversal")] == ["backfill_undone"]
    assert backfills.passed_over(run) == []
    assert list(integrity.verify(now=NOW)) == []


def test_what_was_undone_can_be_earned_under_the_mended_rule(three):
    definition = new()
    run = run_of()
    definition.conditions = condition("words_learned", 15)
    definition.save()

    undone(run)

    assert row(three[0]).is_unlocked
    assert row(three[0]).unlock_metadata["by"] == "check"
    assert not row(three[1]).is_unlocked
    assert row(three[1]).progress == 66
    words(three[1], 5)
    assert row(three[1]).is_unlocked
    assert list(integrity.verify(now=NOW)) == []


def test_what_its_xp_unlocked_goes_with_it_unless_it_was_earned_since(three):
    new(xp_reward=200)
    new("first_steps", "total_xp_earned", 100, xp_reward=30)
    run = run_of()
    xp.award(three[0], 120, reason="a prize", key="prize", now=NOW)
    retire()

    undone(run)

    assert row(three[0], "first_steps").is_unlocked
    assert not row(three[1], "first_steps").is_unlocked
    assert UserXP.objects.get(user=three[0]).total_xp == 5 + 120 + 30
    assert UserXP.objects.get(user=three[1]).total_xp == 5
    assert list(integrity.verify(now=NOW)) == []


def test_what_others_unlocked_revoked_or_granted_again_is_left_alone(three):
    new()
    run = run_of()
    words(three[2], 1)
    achievements.revoke(three[0], "ten_words", reason="a mistake", now=NOW)
    achievements.unlock(three[0], "ten_words", reason="after all", now=NOW)
    achievements.revoke(three[1], "ten_words", reason="a mistake", now=NOW)
    before = [state_of(user) for user in three]
    retire()

    run = undone(run)

    assert run.undone_for == 0
    assert [state_of(user) for user in three] == before


def test_who_has_spent_the_xp_is_passed_over_and_listed(three):
    new(xp_reward=70)
    run = run_of()
    xp.award(three[0], -70, reason="spent", key="shop", now=NOW)
    retire()

    run = undone(run)

    assert run.undone_for == 1
    assert backfills.passed_over(run) == [three[0]]
    assert row(three[0]).is_unlocked
    assert UserXP.objects.get(user=three[0]).total_xp == 5
    assert list(integrity.verify(now=NOW)) == []


def test_a_run_in_force_is_not_undone(three):
    new()
    run = run_of()

    with pytest.raises(RuleInForce):
        backfills.undo(run)

    assert row(three[0]).is_unlocked


def test_it_is_undone_once(three):
    new()
    run = run_of()
    retire()
    run = undone(run)

    with pytest.raises(BackfillUndone):
        backfills.undo(run)


def test_an_undoing_that_was_cut_off_goes_on_where_it_ended(three, monkeypatch):
    monkeypatch.setattr(backfilling, "PEOPLE_AT_ONCE", 1)
    new()
    run = run_of()
    retire()

    cut = backfills.go_on(backfills.undo(run, in_background=False, now=NOW), seconds=0, now=NOW)
    whole = backfills.go_on(cut, now=NOW)

    assert (cut.status, cut.undone_for) == ("undoing", 1)
    assert (whole.status, whole.undone_for) == ("undone", 2)


def test_a_run_can_be_undone_while_it_is_running(three, monkeypatch):
    monkeypatch.setattr(backfilling, "PEOPLE_AT_ONCE", 1)
    new()
    run = backfills.start("ten_words", in_background=False, now=NOW)
    backfills.go_on(run, seconds=0, now=NOW)
    retire()

    run = undone(BackfillRun.objects.get())

    assert (run.status, run.unlocked, run.undone_for) == ("undone", 1, 1)
    assert not UserAchievement.objects.unlocked().exists()


def test_undoing_is_silent(three):
    definition = new(xp_reward=70)
    run = run_of()
    definition.conditions = condition("words_learned", 15)
    definition.save()

    with listening() as heard:
        undone(run)

    assert heard.names == []


def test_a_new_run_after_an_undone_one_pays_again(three):
    definition = new(xp_reward=70)
    run = run_of()
    definition.conditions = condition("words_learned", 15)
    definition.save()
    undone(run)
    definition.conditions = condition("words_learned", 9)
    definition.save()

    again = run_of()

    assert again.unlocked == 2
    assert UserXP.objects.get(user=three[1]).total_xp == 75
    assert row(three[1]).grants == 2
    assert list(integrity.verify(now=NOW + timedelta(days=1))) == []

"""Importing again, and in any order: the outcome is the same."""

from __future__ import annotations

import io
from random import Random

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from gamification.models import Activity, XPTransaction
from gamification.services import achievements, activities, imports, integrity
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.helpers import at, noon, snapshot, state_of
from gamification.tests.management.conftest import FULL_HEADER, HEADER, NOW, VISIT, keys
from gamification.tests.properties import DATABASE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


def test_the_same_file_again_changes_nothing(ada, manage, file):
    path = file("a.csv", HEADER, VISIT, VISIT.replace("k1", "k2"))
    manage("import_activities", path)
    before = snapshot()

    outcome = manage("import_activities", path)

    assert (outcome.code, snapshot()) == (0, before)
    assert outcome.out.splitlines()[2].split() == ["replayed", "2"]


def test_a_file_and_a_call_with_the_same_key_are_one_activity(ada, manage, file):
    activities.record(ada, "daily_visit", key="k1", occurred_at=noon(1), now=noon(1))

    outcome = manage("import_activities", file("a.csv", HEADER, VISIT.replace("12:00:00+00:00", "14:00:00+02:00")))

    assert (outcome.code, keys()) == (0, ["k1"])


def test_a_key_that_the_database_holds_for_something_else_is_refused(ada, manage, file):
    activities.record(ada, "daily_visit", key="k1", occurred_at=noon(2), now=noon(2))

    outcome = manage("import_activities", file("a.csv", HEADER, VISIT, VISIT.replace("06-01", "06-02")))

    assert outcome.err.splitlines() == [
        "  line 2: idempotency_conflict: This key was used before, for something else.",
        "1 row was refused.",
    ]
    assert outcome.out.splitlines()[2].split() == ["replayed", "1"]


@pytest.mark.parametrize("second", ["2026-06-02", "2026-05-31"])
def test_of_a_key_with_two_contents_the_later_line_is_refused(ada, manage, file, second):
    outcome = manage("import_activities", file("a.csv", HEADER, VISIT, VISIT.replace("2026-06-01", second)))

    assert outcome.err.splitlines()[0].startswith("  line 3: idempotency_conflict")
    assert Activity.objects.get().occurred_at == noon(1)


def test_behind_a_conflict_the_first_content_is_still_a_replay(ada, manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER, VISIT, VISIT.replace("06-01", "06-02"), VISIT))

    assert outcome.out.splitlines()[1:4] == [
        "  recorded             1",
        "  replayed             1",
        "  refused              1",
    ]


def test_a_bad_row_does_not_use_up_its_key(ada, manage, file):
    manage("import_activities", file("a.csv", HEADER, VISIT.replace("daily_visit", "nonsense"), VISIT))

    assert Activity.objects.get().occurred_at == noon(1)


def test_two_people_may_use_the_same_key(manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER, VISIT, VISIT.replace("ada", "bo")), "--create-users")

    assert (outcome.code, keys()) == (0, ["k1", "k1"])


def test_what_happened_at_the_same_moment_is_taken_in_order_of_keys(ada, manage, file):
    manage("import_activities", file("a.csv", HEADER, *(VISIT.replace("k1", key) for key in ("k3", "k1", "k2"))))

    assert list(Activity.objects.order_by("pk").values_list("key", flat=True)) == ["k1", "k2", "k3"]


def test_a_dry_run_says_the_same_and_keeps_nothing(manage, file):
    path = file("a.csv", HEADER, VISIT, VISIT, VISIT.replace("06-01", "06-02"), "a b,daily_visit,2026-06-01T12:00Z,k")

    before = snapshot()
    dry = manage("import_activities", path, "--create-users", "--dry-run")
    kept = snapshot(), get_user_model().objects.count()
    real = manage("import_activities", path, "--create-users")

    assert kept == (before, 0)
    assert dry.out.splitlines()[1:-1] == real.out.splitlines()[1:]
    assert (dry.code, dry.err) == (real.code, real.err)
    assert dry.out.splitlines()[-1] == "This was a dry run: nothing was kept."


moments = st.integers(0, 24 * 12).map(lambda hours: at("2026-06-08T00:30").timestamp() + 3600 * hours)
rows = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bo"]),
        st.sampled_from(["daily_visit", "words_learned", "nonsense"]),
        moments,
        st.integers(1, 3),
        st.sampled_from(["", "", "Asia/Kathmandu", "Pacific/Honolulu"]),
    ),
    min_size=1,
    max_size=12,
)


def imported(lines: list[str], events_at_once: int) -> tuple[imports.Imported, list[object]]:
    """Import ``lines`` into an empty database and return what was said, and all that is kept but who is who."""
    for user in get_user_model().objects.all():
        for model in (Activity, XPTransaction):
            model.objects.filter(user=user).erase()
        user.delete()
    stream = io.BytesIO("\n".join([FULL_HEADER, *lines]).encode())
    done = imports.run(stream, create_users=True, now=NOW, events_at_once=events_at_once)
    return done, [state_of(user) for user in get_user_model().objects.order_by("username")]


@pytest.fixture
def _words():
    AchievementFactory(achievement_id="words", metric="words_learned", value=4)


@DATABASE
@pytest.mark.usefixtures("_words")
@given(drafts=rows, random=st.randoms(use_true_random=False), events_at_once=st.integers(1, 5))
def test_neither_the_order_of_the_file_nor_the_size_of_a_batch_matters(drafts, random, events_at_once):
    lines = [
        f"{name},{kind},{at('1970-01-01').fromtimestamp(when, NOW.tzinfo).isoformat()},k{number},{quantity},{zone},"
        for number, (name, kind, when, quantity, zone) in enumerate(drafts)
    ]

    straight = imported(lines, 1000)
    random.shuffle(lines)
    shuffled = imported(lines, events_at_once)

    assert shuffled == straight
    assert list(integrity.verify(now=NOW)) == []
    assert straight[0].recorded + straight[0].refused == len(lines)


def test_a_person_with_more_events_than_a_batch_gets_what_one_by_one_gives(manage, file):
    achievements.initialize()
    days = [f"2026-05-{day:02}" for day in (*range(1, 12), *range(13, 20), *range(26, 31))]
    lines = [f"ada,words_learned,{day}T12:00:00Z,{day},10,," for day in days]
    Random(1).shuffle(lines)
    bo = UserFactory(username="bo")
    for day in days:
        activities.record(bo, "words_learned", key=day, quantity=10, occurred_at=noon(day), now=noon(day))

    manage("import_activities", file("a.csv", FULL_HEADER, *lines), "--create-users", "--batch-size", 3)

    ada = get_user_model().objects.get(username="ada")
    assert without_moments(state_of(ada)) == without_moments(state_of(bo))


def without_moments(state):
    """Leave out when a row was written, whom its content belongs to, and what the first caller was told."""
    written = {"recorded_at", "created_at", "content_hash", "outcome"}
    return {
        table: sorted(({name: value for name, value in row.items() if name not in written} for row in rows), key=str)
        for table, rows in state.items()
    }


def test_settings_of_the_moment_hold(ada, manage, file):
    with override_settings(GAMIFICATION={"ACTIVITY_TYPES": {"commit": {"counters": {"commits": 1}, "xp": 7}}}):
        manage("import_activities", file("a.csv", HEADER, VISIT.replace("daily_visit", "commit")))

    assert XPTransaction.objects.get(reason="commit").xp_amount == 7


@pytest.mark.parametrize("size", ["0", "-1", "x", "10001"])
def test_a_batch_size_that_no_database_takes_is_refused(manage, file, size):
    assert manage("import_activities", file("a.csv", HEADER), "--batch-size", size).code == 1

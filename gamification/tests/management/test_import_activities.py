"""Importing: what goes in, what is said about it, and that it can be done again."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import sys
from random import Random

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from gamification.models import Activity, UserStreak, XPTransaction
from gamification.services import achievements, activities, imports, integrity
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.helpers import at, noon, snapshot, state_of
from gamification.tests.management.conftest import NOW
from gamification.tests.properties import DATABASE
from gamification.tests.servers import ROOT, environment

pytestmark = pytest.mark.django_db

HEADER = "user,kind,occurred_at,key"
FULL_HEADER = f"{HEADER},quantity,timezone,data"
VISIT = "ada,daily_visit,2026-06-01T12:00:00+00:00,k1"


@pytest.fixture(autouse=True)
def _now(now):
    """Let every test here be on the same day."""


@pytest.fixture
def ada():
    return UserFactory(username="ada")


def keys() -> list[str]:
    return sorted(Activity.objects.values_list("key", flat=True))


# What goes in


def test_a_row_is_recorded_as_if_it_had_just_been_reported(ada, manage, file):
    path = file("a.csv", HEADER, VISIT)

    outcome = manage("import_activities", path)

    row = Activity.objects.get()
    assert (outcome.code, outcome.err) == (0, "")
    assert (row.user, row.kind, row.key, row.occurred_at) == (ada, "daily_visit", "k1", noon(1))
    assert (UserStreak.objects.get().total_active_days, row.is_in_streak) == (1, True)


def test_every_column_can_be_given(ada, manage, file):
    data = '"{""minutes"": 20, ""difficulty"": ""advanced""}"'
    path = file("a.csv", FULL_HEADER, f"ada,scenario_completed,2026-06-01T23:00:00+02:00,k1,2,Asia/Tokyo,{data}")

    outcome = manage("import_activities", path)

    row = Activity.objects.get()
    assert outcome.code == 0
    assert (row.quantity, row.timezone, row.data) == (2, "Asia/Tokyo", {"minutes": 20, "difficulty": "advanced"})
    assert str(row.local_date) == "2026-06-02"


def test_empty_columns_say_nothing(ada, manage, file):
    manage("import_activities", file("a.csv", FULL_HEADER, f"{VISIT},,,"))

    row = Activity.objects.get()
    assert (row.quantity, row.timezone, row.data) == (1, "UTC", {})


def test_columns_may_come_in_any_order(ada, manage, file):
    manage("import_activities", file("a.csv", "key,occurred_at,user,kind", "k1,2026-06-01T12:00:00Z,ada,daily_visit"))

    assert Activity.objects.get().occurred_at == noon(1)


def test_json_may_go_over_several_lines(ada, manage, file):
    path = file("a.csv", FULL_HEADER, 'ada,study_session,2026-06-01T12:00Z,k1,,,"{', '  ""minutes"": 5', '}"', f"{VISIT}2,,,")

    outcome = manage("import_activities", path)

    assert (outcome.code, keys()) == (0, ["k1", "k12"])
    assert Activity.objects.get(key="k1").data == {"minutes": 5}


def test_jsonl_is_read_by_its_name(ada, manage, file):
    line = {"user": "ada", "kind": "study_session", "occurred_at": "2026-06-01T12:00:00Z", "key": "k1"}
    path = file("a.jsonl", {**line, "data": {"minutes": 5}}, "", {**line, "key": "k2", "quantity": 3, "timezone": None})

    outcome = manage("import_activities", path)

    assert outcome.code == 0
    assert list(Activity.objects.order_by("key").values_list("key", "quantity", "data")) == [
        ("k1", 1, {"minutes": 5}),
        ("k2", 3, {}),
    ]


@pytest.mark.parametrize(
    ("name", "options"), [("a.txt", ["--format", "jsonl"]), ("a.txt", []), ("a.csv", ["--format", "jsonl"])]
)
def test_the_format_can_be_said_or_told_by_the_content(ada, manage, file, name, options):
    path = file(name, {"user": "ada", "kind": "daily_visit", "occurred_at": "2026-06-01T12:00:00Z", "key": "k1"})

    assert (manage("import_activities", path, *options).code, keys()) == (0, ["k1"])


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv"])
def test_gzipped_files_are_unpacked_whatever_they_are_called(ada, manage, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(f"{HEADER}\n{VISIT}\n".encode()))

    assert (manage("import_activities", path).code, keys()) == (0, ["k1"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_dash_reads_the_standard_input(ada, manage, monkeypatch, pack):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(pack(f"{HEADER}\n{VISIT}\n".encode()))))

    assert (manage("import_activities", "-").code, keys()) == (0, ["k1"])


@pytest.mark.parametrize("raw", [f"\ufeff{HEADER}\r\n{VISIT}\r\n\r\n", f"{HEADER}\n\n\n{VISIT}", f"\n{HEADER}\n{VISIT}\n"])
def test_marks_of_other_systems_and_empty_lines_do_no_harm(ada, manage, file, raw):
    outcome = manage("import_activities", file("a.csv", raw))

    assert (outcome.code, keys()) == (0, ["k1"])


def test_a_file_with_a_header_alone_has_no_rows(manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER))

    assert (outcome.code, outcome.err) == (0, "")
    assert ": 0 rows of 0 people in 0" in outcome.out


def test_years_may_lie_back(ada, manage, file):
    manage("import_activities", file("a.csv", HEADER, "ada,daily_visit,2014-01-01T12:00:00Z,k1", VISIT.replace("k1", "k2")))

    assert UserStreak.objects.get().total_active_days == 2


# What is said


def test_the_summary_tells_what_became_of_the_rows(ada, manage, file):
    path = file("a.csv", HEADER, VISIT, VISIT, "ada,nonsense,2026-06-01T12:00:00Z,k2", VISIT.replace("k1", "k3"))

    outcome = manage("import_activities", path)

    lines = [line.split() for line in outcome.out.splitlines()]
    assert outcome.out.startswith(f"{path}: 4 rows of 1 people in ")
    assert lines[1:] == [["recorded", "2"], ["replayed", "1"], ["refused", "1"], ["new", "users", "0"]]


def test_some_refused_rows_end_in_1_and_are_named_on_stderr(ada, manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER, VISIT, "ada,nonsense,2026-06-01T12:00:00Z,k2"))

    assert outcome.code == 1
    assert outcome.err.startswith("  line 3: unknown_kind: 'nonsense' is not a known kind; known are conversation_")
    assert outcome.err.endswith("1 row was refused.")


def test_the_first_twenty_refusals_are_shown_and_all_are_counted(manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER, *[VISIT] * 25))

    assert outcome.err.count("unknown_user") == 20
    assert outcome.err.endswith("25 rows were refused; the first 20 are above, --report FILE lists all.")


def test_a_report_lists_all_refusals_in_order_of_lines(manage, file, tmp_path):
    report = tmp_path / "report.csv"
    path = file("a.csv", HEADER, *[VISIT] * 24, "ada,nonsense,2026-06-01T12:00:00Z,k2")

    outcome = manage("import_activities", path, "--report", report)

    rows = list(csv.DictReader(report.read_text().splitlines()))
    assert [row["line"] for row in rows] == [str(number) for number in range(2, 27)]
    assert rows[0] == {"line": "2", "code": "unknown_user", "field": "user", "reason": "There is no such user."}
    assert (rows[-1]["code"], rows[-1]["field"]) == ("unknown_kind", "kind")
    assert outcome.err == f"25 rows were refused; {report} says why."


@pytest.mark.parametrize("report", ["no/such/folder/report.csv", "."])
def test_a_report_that_cannot_be_written_is_said_before_anything_is_recorded(ada, manage, file, tmp_path, report):
    outcome = manage("import_activities", file("a.csv", HEADER, VISIT), "--report", tmp_path / report)

    assert (outcome.code, keys()) == (1, [])
    assert outcome.err.startswith("The report cannot be written: ")


def test_a_report_never_overwrites_the_file(ada, manage, file):
    path = file("a.csv", HEADER, VISIT)

    outcome = manage("import_activities", path, "--report", path)

    assert (outcome.code, keys(), VISIT in path.read_text()) == (1, [], True)


@pytest.mark.slow
def test_the_exit_code_is_that_of_the_process(sqlite_url, file):
    def run(*arguments):
        command = [sys.executable, "manage.py", "import_activities", *map(str, arguments)]
        env = environment({"DATABASE_URL": sqlite_url})
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    good = run(file("a.csv", HEADER, VISIT), "--create-users")
    bad = run(file("b.csv", HEADER, VISIT, "ada,nonsense,2026-06-01T12:00:00Z,k2"))

    assert (good.returncode, good.stderr) == (0, "")
    assert (bad.returncode, bad.stderr.splitlines()[-1]) == (1, "CommandError: 1 row was refused.")


# Users


def test_missing_users_are_made_without_a_usable_password(manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER, VISIT, VISIT.replace("ada", "bo")), "--create-users")

    users = get_user_model().objects.order_by("username")
    assert [(user.username, user.has_usable_password(), user.is_active) for user in users] == [
        ("ada", False, True),
        ("bo", False, True),
    ]
    assert "new users            2" in outcome.out


def test_nobody_is_made_who_has_no_good_row(manage, file):
    manage("import_activities", file("a.csv", HEADER, "ada,nonsense,2026-06-01T12:00:00Z,k1"), "--create-users")

    assert not get_user_model().objects.exists()


def test_names_are_kept_in_the_form_that_sign_in_uses(manage, file):
    path = file("a.csv", HEADER, VISIT, VISIT.replace("ada", "\uff41da").replace("k1", "k2"))

    manage("import_activities", path, "--create-users")
    outcome = manage("import_activities", path)

    assert [user.username for user in get_user_model().objects.all()] == ["ada"]
    assert (outcome.code, keys()) == (0, ["k1", "k2"])


@pytest.mark.parametrize("name", ["a b", "x" * 151, "x!", "x" * 256])
def test_a_name_that_the_user_model_does_not_allow_is_refused_with_all_its_rows(manage, file, name):
    lines = [VISIT.replace("ada", name), VISIT, VISIT.replace("ada", name).replace("k1", "k2")]

    outcome = manage("import_activities", file("a.csv", HEADER, *lines), "--create-users")

    assert [user.username for user in get_user_model().objects.all()] == ["ada"]
    assert [line[:17] for line in outcome.err.splitlines()[:2]] == ["  line 2: invalid", "  line 4: invalid"]


def test_making_users_takes_few_queries(file, django_assert_max_num_queries, manage):
    path = file("a.csv", HEADER, *(VISIT.replace("ada", f"user{number}") for number in range(300)))

    with django_assert_max_num_queries(60):
        manage("import_activities", path, "--create-users")

    assert get_user_model().objects.count() == 300


# Again, and in any order


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
    path = file("a.csv", HEADER, VISIT, VISIT.replace("2026-06-01", second), VISIT)

    outcome = manage("import_activities", path)

    assert outcome.err.splitlines()[0].startswith("  line 3: idempotency_conflict")
    assert (Activity.objects.get().occurred_at, outcome.out.splitlines()[2].split()) == (noon(1), ["replayed", "1"])


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

"""Importing: what goes in, and what is said about it."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import sys

import pytest

from gamification.models import Activity, UserStreak
from gamification.tests.helpers import noon
from gamification.tests.management.conftest import FULL_HEADER, HEADER, VISIT, keys
from gamification.tests.servers import ROOT, environment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


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
    path = file(
        "a.csv", FULL_HEADER, 'ada,study_session,2026-06-01T12:00Z,k1,,,"{', '  ""minutes"": 5', '}"', f"{VISIT}2,,,"
    )

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


@pytest.mark.parametrize(
    "raw", [f"\ufeff{HEADER}\r\n{VISIT}\r\n\r\n", f"{HEADER}\n\n\n{VISIT}", f"\n{HEADER}\n{VISIT}\n"]
)
def test_marks_of_other_systems_and_empty_lines_do_no_harm(ada, manage, file, raw):
    outcome = manage("import_activities", file("a.csv", raw))

    assert (outcome.code, keys()) == (0, ["k1"])


def test_a_file_with_a_header_alone_has_no_rows(manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER))

    assert (outcome.code, outcome.err) == (0, "")
    assert ": 0 rows of 0 people in 0" in outcome.out


def test_years_may_lie_back(ada, manage, file):
    manage(
        "import_activities", file("a.csv", HEADER, "ada,daily_visit,2014-01-01T12:00:00Z,k1", VISIT.replace("k1", "k2"))
    )

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

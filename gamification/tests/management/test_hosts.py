"""The commands in projects whose users are not Django's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gamification.tests.servers import ROOT

pytestmark = pytest.mark.slow

NAMES = ("ada@example.org", "bo@example.org", "Bo@example.org", "12", "ada")


@pytest.fixture
def walk(file):
    """Return a function that runs the commands with a user model, in its own process, and returns what they said."""

    def _walk(model: str):
        rows = [f"{name},daily_visit,2026-06-01T12:00:00Z,k{number}" for number, name in enumerate(NAMES)]
        path = str(file("a.csv", "user,kind,occurred_at,key", *rows))
        command = [sys.executable, "-W", "error", "-m", "gamification.tests.management.host.walk", model, path]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return _walk


def test_users_with_a_uuid_who_sign_in_by_e_mail(walk):
    told = walk("Member")

    assert told["names"] == ["Bo@example.org", "ada@example.org"]
    assert [line[:23] for line in told["first"]] == [
        "  line 3: invalid_user:",
        "  line 5: invalid_user:",
        "  line 6: invalid_user:",
        "3 rows were refused.",
    ]
    assert told["again"][-1] == "3 rows were refused."
    assert told["usable"] == 0
    assert told["verified"] == ["Everything is as the records say, for all 2 people."]
    assert [line.split()[0] for line in told["demo"] if "@" in line] == [
        f"{name}@example.com" for name in ("admin", "staff", "ada", "newcomer")
    ]


def test_users_who_need_more_than_a_name_cannot_be_made(walk):
    told = walk("Citizen")

    assert told["names"] == []
    assert told["first"][3] == "  line 5: invalid_user: A user needs born_on too."
    assert told["demo"] == ["The project's users cannot be named admin: “admin” value must be an integer."]


def test_users_in_two_tables(walk):
    told = walk("Extended")

    assert told["names"] == sorted(NAMES)
    assert told["again"][2].split() == ["replayed", "5"]

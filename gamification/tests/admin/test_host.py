"""The admin in a project whose users have a UUID, an e-mail address, no ``username`` and no admin of their own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gamification.tests.servers import ROOT


@pytest.fixture(scope="module")
def walked():
    """Return what a walk through that admin saw, in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "gamification.tests.admin.host.walk"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_page_opens(walked):
    assert {page: status for page, status in walked["pages"].items() if status != 200} == {}


def test_every_form_does_its_work_and_refuses_what_is_no_id(walked):
    assert walked["steps"] == {
        "seed": 302,
        "award": 302,
        "grant": 302,
        "zone": 302,
        "refresh": 302,
        "forged": 200,
    }


def test_people_are_found_and_named_by_what_they_sign_in_with(walked):
    ada = [{"id": walked["ada"], "text": "ada@example.org"}]

    assert walked["found"] == {"ada@": ada, walked["ada"]: ada, "zoe": []}
    assert walked["named"]
    assert walked["exported"]
    assert walked["searched"] > 0

"""A person at a glance."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gamification.models import UserCounter
from gamification.services import achievements, xp
from gamification.tests.admin.conftest import NOON

PARTS = {
    "userxp": "Novice",
    "userstreak": "active days",
    "xptransaction": "Newest XP",
    "userachievement": "Newest achievements",
    "userday": "Last days",
    "usercounter": "Counters",
}


def url(user, model="userxp"):
    return reverse(f"admin:gamification_{model}_change", args=[user.pk])


@pytest.mark.parametrize("model", ["userxp", "userstreak"])
def test_one_page_tells_everything(award, ada, root_client, model):
    achievements.revoke(ada, "first_steps", reason="a mistake")

    content = root_client.get(url(ada, model)).content.decode()

    for told in (
        "ada at a glance",
        "0 days (broken); longest 1, 0 freezes, 1 active days",
        "for a test",
        "First Scenario",
    ):
        assert told in content
    assert "languages_practised:es" in content


def test_a_part_shows_to_those_who_may_see_its_table(award, ada, client_with):
    content = client_with("view_userxp", "view_usercounter").get(url(ada)).content.decode()

    shown = {model for model, told in PARTS.items() if told in content}
    assert shown == {"userxp", "usercounter"}


def test_it_takes_the_same_queries_for_a_long_history(ada, root, root_client, django_user_model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert root_client.get(url(ada)).status_code == 200
        return len(captured)

    queries()
    short = queries()
    for number in range(30):
        xp.award(ada, 1, reason=f"award {number}", key=f"k{number}", actor=root, now=NOON)
        UserCounter.objects.create(user=ada, name=f"counter{number}", value=1)

    assert queries() == short
    assert short <= 14


def test_the_ledger_shows_its_newest_twenty(ada, root_client):
    for number in range(30):
        xp.award(ada, 1, reason=f"award {number}.", key=f"k{number}")

    support = root_client.get(url(ada)).context["support"]

    assert [row.reason for row in support.ledger] == [f"award {number}." for number in range(29, 9, -1)]

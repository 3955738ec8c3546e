"""A person at a glance."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gamification.admin.support import ENTRIES
from gamification.models import UserCounter, UserDay, XPTransaction
from gamification.services import achievements, activities, xp
from gamification.tests.admin.conftest import NOON, list_url

PARTS = {
    "userxp": "XP and level",
    "userstreak": "Active days",
    "xptransaction": "Newest XP",
    "userachievement": "Newest achievements",
    "userday": "Day by day",
    "usercounter": "Counters",
}


def url(user, model="userxp"):
    return reverse(f"admin:gamification_{model}_change", args=[user.pk])


@pytest.mark.parametrize("model", ["userxp", "userstreak"])
def test_one_page_tells_everything(award, ada, root_client, model):
    achievements.revoke(ada, "first_steps", reason="a mistake")

    content = root_client.get(url(ada, model)).content.decode()

    for told in (
        "The streak of ada",
        "The streak of 1 day ended on",
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
    assert short <= 16


def test_the_ledger_shows_its_newest_twenty(ada, root_client):
    for number in range(30):
        xp.award(ada, 1, reason=f"award {number}.", key=f"k{number}")

    support = root_client.get(url(ada)).context["support"]

    assert [each.row.reason for each in support.ledger] == [f"award {number}." for number in range(29, 9, -1)]


def test_the_day_by_day_history_needs_both_permissions(ada, client_with):
    content = client_with("view_userstreak", "view_userday").get(url(ada, "userstreak")).content.decode()

    assert "acted: 1 activity, 405 XP" in content
    assert "missed, no freeze left: the streak of 1 day ended" in content


@pytest.mark.parametrize(("more", "is_told"), [([], False), (["view_activity"], True)])
def test_what_was_voided_is_told_to_those_who_may_see_activities(ada, client_with, more, is_told):
    fake = activities.record(ada, "words_learned", key="fake", now=NOON).activity
    activities.void(fake, reason="a made-up list", now=NOON)

    content = client_with("view_userstreak", "view_userday", *more).get(url(ada, "userstreak")).content.decode()

    assert ("a made-up list" in content) is is_told


def test_a_long_history_goes_on_where_the_page_ends(ada, root_client):
    for ago in range(130):
        at = NOON - timedelta(days=2 * ago)
        UserDay.objects.update_or_create(user=ada, date=at.date(), defaults={"status": "active"})

    first = root_client.get(url(ada)).context["support"]
    second = root_client.get(f"{url(ada)}?{first.older}").context["support"]

    assert len(first.history) == len(second.history) == ENTRIES
    assert not {line.dates for line in first.history} & {line.dates for line in second.history}


@pytest.mark.parametrize("before", ["", "x", "2026-13-01", "2026-02-30", "0001-01-01", "\x00"])
def test_a_page_from_no_date_is_a_page(ada, root_client, before):
    assert root_client.get(url(ada), {"before": before}).status_code == 200


def test_everything_can_be_done_from_the_page_and_comes_back_to_it(award, ada, root_client):
    page = root_client.get(url(ada))
    links = re.findall(r'href="(/[^"]*back=[^"]*)"', page.content.decode())
    names = {link.split("?")[0].rstrip("/").rpartition("/")[2] for link in links}
    answers = {
        "award": {"amount": "5", "reason": "helped", "key": "k"},
        "grant": {"achievement": "night_owl", "reason": "helped"},
        "set-timezone": {"timezone": "Europe/Berlin", "reason": "helped"},
        "reverse": {"reason": "helped"},
        "revoke": {"reason": "helped"},
        "exclude": {"reason": "helped"},
    }

    for name, data in answers.items():
        link = next(link for link in links if f"/{name}/" in link)
        response = root_client.post(unescape(link), data)
        assert (name, response.status_code, response["Location"]) == (name, 302, url(ada))

    assert names == set(answers)
    assert LogEntry.objects.filter(change_message__contains="helped").count() >= len(answers)
    rows = XPTransaction.objects.filter(user=ada)
    assert {row.stated_reason for row in rows} >= {"helped", "achievement_unlocked: helped"}
    ledger = root_client.get(list_url("xptransaction")).content.decode()
    assert "achievement_unlocked: helped" in ledger


def test_who_may_only_look_is_offered_nothing(award, ada, client_with):
    content = client_with("view_userxp", "view_xptransaction", "view_userachievement").get(url(ada)).content.decode()

    assert "back=" not in content


def test_what_was_reversed_cannot_be_again(award, ada, root_client):
    xp.reverse(award, reason="a mistake", now=NOON)

    support = root_client.get(url(ada)).context["support"]

    assert {bool(each.undo_url) for each in support.ledger if each.row.source in ("client", "reversal")} == {False}


def test_progress_is_told_beside_what_is_unlocked(ada, root_client):
    support = root_client.get(url(ada)).context["support"]

    assert {row.progress for row in support.underway} <= set(range(100))
    assert support.underway

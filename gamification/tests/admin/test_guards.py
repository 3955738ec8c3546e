"""Flags and exclusions in the admin: listed with figures, decided on with a note, each with who and why."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.models import BoardExclusion, Flag
from gamification.services import exclusions
from gamification.tests.admin.conftest import NOON, list_url, said
from gamification.tests.factories import UserFactory

DECIDE = "/admin/gamification/flag/decide/"
EXCLUDE = "/admin/gamification/boardexclusion/exclude/"
LIFT = "/admin/gamification/boardexclusion/lift/"


@pytest.fixture
def flag(ada):
    return Flag.objects.create(user=ada, rule="xp_a_day", date=NOON.date(), figure=6_000, expected=5_000, found_at=NOON)


@pytest.fixture
def staff_client(client_with):
    return client_with("view_flag", "review_flag", "view_boardexclusion", "exclude_from_boards")


def row_url(row):
    return reverse(f"admin:gamification_{row._meta.model_name}_change", args=[row.pk])


# Flags


def test_a_flag_tells_its_figures_and_leads_to_the_person(flag, staff_client):
    content = staff_client.get(list_url("flag")).content.decode()
    assert "6,000" in content
    assert "5,000" in content
    page = staff_client.get(row_url(flag)).content.decode()

    assert "Came to 6,000 XP on one day, of at most 5,000 expected." in page
    assert reverse("admin:gamification_userxp_change", args=[flag.user_id]) in content


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 1),
        ("?state=dismissed", 1),
        ("?state=all", 2),
        ("?rule__exact=xp_a_day", 1),
        ("?rule__exact=zones_a_day", 0),
    ],
)
def test_the_list_begins_with_what_is_to_be_looked_at(flag, staff_client, query, shown):
    dismissed = {"state": "dismissed", "figure": 7_777, "expected": 5_000, "found_at": NOON}
    Flag.objects.create(user=flag.user, rule="minutes_a_day", date=NOON.date(), **dismissed)

    content = staff_client.get(list_url("flag") + query).content.decode()

    assert ("6,000" in content) + ("7,777" in content) == shown


def test_several_flags_are_decided_on_at_once_with_who_and_why(flag, staff_client):
    other = Flag.objects.create(
        user=UserFactory(), rule="zones_a_day", date=NOON.date(), figure=3, expected=2, found_at=NOON
    )
    chosen = {"action": "decide", "_selected_action": [flag.pk, other.pk]}
    asked = staff_client.post(list_url("flag"), chosen)

    answer = staff_client.post(asked["Location"], {"state": "dismissed", "reason": "a prize"})

    told = set(Flag.objects.values_list("state", "note", "decided_by__username"))
    assert told == {("dismissed", "a prize", "grace")}
    assert said(answer) == "2 flags were decided on."
    assert LogEntry.objects.filter(change_message__contains="a prize").count() == 2


@pytest.mark.parametrize("sent", [{"state": "dismissed"}, {"reason": "why"}, {"state": "gone", "reason": "why"}])
def test_a_decision_needs_a_known_state_and_a_note(flag, staff_client, sent):
    response = staff_client.post(f"{DECIDE}?ids={flag.pk}", sent)

    assert response.status_code == 200
    assert "Please correct the error" in response.content.decode()
    assert Flag.objects.get().state == "open"


def test_whoever_may_only_look_decides_nothing(flag, client_with):
    client = client_with("view_flag")

    assert client.post(f"{DECIDE}?ids={flag.pk}", {"state": "dismissed", "reason": "x"}).status_code == 403
    assert client.post(f"{EXCLUDE}?users={flag.user_id}", {"reason": "x"}).status_code == 403
    assert DECIDE not in client.get(row_url(flag)).content.decode()


# Exclusions


def test_people_are_excluded_from_their_flags(flag, staff_client):
    asked = staff_client.post(list_url("flag"), {"action": "exclude_people", "_selected_action": [flag.pk]})

    answer = staff_client.post(asked["Location"], {"reason": "a script"})

    row = BoardExclusion.objects.get()
    assert (row.user, row.reason, row.excluded_by.username) == (flag.user, "a script", "grace")
    assert answer["Location"] == list_url("flag")
    assert said(answer) == "ada is on no leaderboard of others any more."
    assert exclusions.is_excluded(flag.user)


def test_somebody_is_picked_and_refused_the_second_time(ada, staff_client):
    staff_client.post(EXCLUDE, {"user": ada.pk, "reason": "a script"})

    again = staff_client.post(EXCLUDE, {"user": ada.pk, "reason": "a script"})

    assert "This user is excluded from leaderboards already." in again.content.decode()
    assert BoardExclusion.objects.count() == 1


def test_an_exclusion_is_lifted_with_a_reason_and_its_history_stays(ada, staff_client):
    row = exclusions.exclude(ada, reason="a script")

    answer = staff_client.post(f"{LIFT}?ids={row.pk}", {"reason": "it was not"})
    again = staff_client.post(f"{LIFT}?ids={row.pk}", {"reason": "it was not"})

    assert not exclusions.is_excluded(ada)
    assert said(answer) == "1 exclusion was lifted."
    assert "not excluded from leaderboards" in said(again)
    url = list_url("boardexclusion")
    pages = {state: staff_client.get(f"{url}?state={state}") for state in ("", "lifted", "excluded")}
    shown = {state: "lifted by grace: it was not" in page.content.decode() for state, page in pages.items()}
    assert shown == {"": True, "lifted": True, "excluded": False}


def test_the_page_of_a_person_offers_it_until_it_is_done(ada, client_with):
    client = client_with("view_userxp", "exclude_from_boards")
    url = reverse("admin:gamification_userxp_change", args=[ada.pk])
    before = client.get(url).content.decode()

    exclusions.exclude(ada, reason="a script")

    assert f"{EXCLUDE}?users={ada.pk}" in before
    assert EXCLUDE not in client.get(url).content.decode()

"""Excusing a date in the admin: seen before it is done, with a reason, and taken back with another."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from gamification.models import ExcusedDate, UserDay, UserStreak
from gamification.services import excuses, streaks
from gamification.tests.admin.conftest import list_url, said
from gamification.tests.factories import UserFactory

EXCUSE = "/admin/gamification/excuseddate/excuse/"
UNDO = "/admin/gamification/excuseddate/undo/"


@pytest.fixture
def outage():
    return (timezone.now() - timedelta(days=2)).date()


@pytest.fixture
def bob(db, outage):
    """Return somebody who missed the date of the outage and used a freeze for it."""
    user = UserFactory(username="bob")
    for days in (3, 1):
        streaks.touch(user, now=timezone.now() - timedelta(days=days))
    return user


@pytest.fixture
def staff_client(client_with):
    return client_with("view_excuseddate", "excuse_date")


def asked(on, **changes):
    return {"date": on.isoformat(), "reason": "outage", "confirmed": on.isoformat(), **changes}


def test_it_is_shown_what_follows_before_it_does(bob, outage, staff_client):
    response = staff_client.post(EXCUSE, asked(outage, confirmed=""))

    content = response.content.decode()
    assert "People who had a streak then or since: 1. Of them, 1 did nothing on" in content
    assert f'name="confirmed" value="{outage.isoformat()}"' in content
    assert not ExcusedDate.objects.exists()


def test_another_date_than_the_one_seen_is_shown_first(bob, outage, staff_client):
    staff_client.post(EXCUSE, asked(outage, confirmed=(outage - timedelta(days=1)).isoformat()))

    assert not ExcusedDate.objects.exists()


def test_a_date_is_excused_with_who_and_why_and_streaks_follow(
    bob, outage, staff_client, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = staff_client.post(EXCUSE, asked(outage))

    row = ExcusedDate.objects.get()
    logged = LogEntry.objects.get()
    assert response["Location"] == list_url("excuseddate")
    assert "is excused" in said(response)
    assert (row.date, row.reason, row.excused_by.username) == (outage, "outage", "grace")
    assert (logged.user.username, logged.change_message) == ("grace", "Excused: outage")
    assert UserStreak.objects.get(user=bob).streak_freezes_available == 3
    assert UserDay.objects.get(user=bob, date=outage).reason == "excused"
    assert "people looked at: 1, changed: 1" in staff_client.get(list_url("excuseddate")).content.decode()


def test_it_is_taken_back_with_another_reason(bob, outage, staff_client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        row = excuses.excuse_date(outage, reason="outage")
    with django_capture_on_commit_callbacks(execute=True):
        response = staff_client.post(f"{UNDO}?ids={row.pk}", {"reason": "there was none"})

    row.refresh_from_db()
    assert response["Location"] == list_url("excuseddate")
    assert said(response) == "1 date was taken back."
    assert (row.is_in_force, row.undo_reason, row.undone_by.username) == (False, "there was none", "grace")
    assert LogEntry.objects.get().change_message == "Taken back: there was none"
    assert UserStreak.objects.get(user=bob).streak_freezes_available == 2
    assert "taken back by grace: there was none" in staff_client.get(list_url("excuseddate")).content.decode()


def test_taking_it_back_twice_is_refused(outage, staff_client):
    row = excuses.excuse_date(outage, reason="outage")
    excuses.unexcuse_date(outage, reason="there was none")

    response = staff_client.post(f"{UNDO}?ids={row.pk}", {"reason": "there was none"})

    assert "This date is not excused." in said(response)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"date": ""}, "date"),
        ({"date": "yesterday"}, "date"),
        ({"date": "2019-01-01"}, "date"),
        ({"date": "9999-12-31"}, "date"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 256}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
    ],
)
@pytest.mark.parametrize("is_confirmed", [True, False])
def test_what_cannot_be_excused_comes_back_with_the_field(outage, staff_client, changes, field, is_confirmed):
    data = asked(outage, **changes)

    response = staff_client.post(EXCUSE, data | {"confirmed": data["date"] if is_confirmed else ""})

    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert not ExcusedDate.objects.exists()


def test_a_date_that_is_excused_already_is_said_at_the_preview(outage, staff_client):
    excuses.excuse_date(outage, reason="outage")

    response = staff_client.post(EXCUSE, asked(outage, confirmed=""))

    assert response.context["form"].errors == {"date": ["This date is excused already."]}


def test_what_was_cut_off_can_be_started_again(bob, outage, staff_client, django_capture_on_commit_callbacks):
    row = excuses.excuse_date(outage, reason="outage")  # its task is never run
    page = staff_client.get(reverse("admin:gamification_excuseddate_change", args=[row.pk])).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        staff_client.post(f"/admin/gamification/excuseddate/resume/?ids={row.pk}")

    row.refresh_from_db()
    assert "Go on" in page
    assert "under way" in page
    assert (row.people_changed, row.refolded_at is not None) == (1, True)
    assert LogEntry.objects.get().change_message == "Started again."


@pytest.mark.parametrize("page", ["excuse/", "undo/?ids={pk}", "resume/?ids={pk}"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_it_needs_the_permission(outage, client_with, page, method):
    row = excuses.excuse_date(outage, reason="outage")
    client = client_with("view_excuseddate", "change_excuseddate", "add_excuseddate")

    response = getattr(client, method)(f"/admin/gamification/excuseddate/{page.format(pk=row.pk)}", asked(outage))

    assert response.status_code == 403
    assert b"Excuse a date" not in client.get(list_url("excuseddate")).content


def test_starting_again_is_no_link(outage, staff_client):
    assert staff_client.get("/admin/gamification/excuseddate/resume/").status_code == 405


@pytest.mark.parametrize("page", ["excuse/", "undo/?ids=1", "resume/?ids=1"])
def test_it_needs_a_token_against_forgery(outage, client_with, page):
    client = client_with("excuse_date", enforce_csrf_checks=True)

    assert client.post(f"/admin/gamification/excuseddate/{page}", asked(outage)).status_code == 403


def test_a_preview_takes_few_queries(bob, outage, staff_client, django_assert_max_num_queries):
    staff_client.get(EXCUSE)

    with django_assert_max_num_queries(7):
        staff_client.post(EXCUSE, asked(outage, confirmed=""))

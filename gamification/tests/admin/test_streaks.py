"""Streaks in the admin: the time zone may be set, and nothing else."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.exceptions import UnknownTimezone
from gamification.models import UserDay, UserStreak
from gamification.services import streaks
from gamification.tests.admin.conftest import said


@pytest.fixture
def url(ada):
    return reverse("admin:gamification_userstreak_change", args=[ada.pk])


@pytest.fixture
def staff_client(client_with):
    return client_with("view_userstreak", "change_userstreak")


def test_staff_set_the_time_zone_from_now_on(ada, url, staff_client):
    days = list(UserDay.objects.filter(user=ada).values())

    response = staff_client.post(url, {"timezone": "Asia/Kathmandu"})

    assert response.status_code == 302
    assert streaks.timezone(ada) == "Asia/Kathmandu"
    assert UserStreak.objects.get(user=ada).timezone_changed_at is not None
    assert list(UserDay.objects.filter(user=ada).values()) == days
    assert json.loads(LogEntry.objects.get().change_message) == [{"changed": {"fields": ["Time zone"]}}]


def test_staff_may_set_it_twice_a_day(ada, url, staff_client):
    for zone in ("Asia/Kathmandu", "Europe/Berlin"):
        staff_client.post(url, {"timezone": zone})

    assert streaks.timezone(ada) == "Europe/Berlin"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "+02:00", "UTC\x00", "../../etc/passwd"])
def test_what_is_no_time_zone_is_refused(ada, url, staff_client, zone):
    response = staff_client.post(url, {"timezone": zone})

    assert response.status_code == 200
    assert "timezone" in response.context["adminform"].form.errors
    assert streaks.timezone(ada) == "UTC"


def test_nothing_else_can_be_set(ada, url, staff_client):
    forged = {"current_streak": 99, "longest_streak": 99, "streak_freezes_available": 9, "user": 1, "last_at_0": "x"}
    before = UserStreak.objects.values().get(user=ada)

    staff_client.post(url, {"timezone": "UTC", **forged})

    assert UserStreak.objects.values().get(user=ada) == before


def test_saving_without_a_change_writes_nothing(ada, url, staff_client):
    staff_client.post(url, {"timezone": "UTC"})

    assert UserStreak.objects.get(user=ada).timezone_changed_at is None


def test_a_refusal_of_the_service_becomes_a_message(url, staff_client, monkeypatch):
    def refuse(*args, **kwargs):
        raise UnknownTimezone("There is no such zone.")

    monkeypatch.setattr("gamification.services.streaks.set_timezone", refuse)

    response = staff_client.post(url, {"timezone": "Europe/Berlin"})

    assert response["Location"] == url
    assert said(response) == "There is no such zone."
    assert not LogEntry.objects.exists()


def test_setting_it_needs_the_permission_to_change(ada, url, client_with):
    response = client_with("view_userstreak").post(url, {"timezone": "Europe/Berlin"})

    assert response.status_code == 403
    assert streaks.timezone(ada) == "UTC"


def test_setting_it_needs_a_token_against_forgery(ada, url, client_with):
    client = client_with("view_userstreak", "change_userstreak", enforce_csrf_checks=True)

    assert client.post(url, {"timezone": "Europe/Berlin"}).status_code == 403


def test_streaks_are_neither_added_nor_deleted(ada, url, root_client):
    assert root_client.get(reverse("admin:gamification_userstreak_add")).status_code == 403
    assert root_client.post(url.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_a_lapsed_streak_reads_0_in_the_list(ada, root_client):
    row = UserStreak.objects.get(user=ada)

    response = root_client.get(reverse("admin:gamification_userstreak_changelist"))

    assert row.current_streak == 1
    assert '<td class="field-reads">0</td>' in response.content.decode()


def test_a_running_streak_reads_its_days(ada, root_client):
    streaks.touch(ada)

    response = root_client.get(reverse("admin:gamification_userstreak_changelist"))

    assert '<td class="field-reads">1</td>' in response.content.decode()

"""Streaks in the admin: the time zone may be set, with a reason, and nothing else."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.exceptions import UnknownTimezone
from gamification.models import UserDay, UserStreak
from gamification.services import streaks
from gamification.tests.admin.conftest import said


@pytest.fixture
def row_url(ada):
    return reverse("admin:gamification_userstreak_change", args=[ada.pk])


@pytest.fixture
def url(ada, row_url):
    return f"{reverse('admin:gamification_userstreak_set_timezone')}?users={ada.pk}&back={row_url}"


@pytest.fixture
def staff_client(client_with):
    return client_with("view_userstreak", "change_userstreak")


def test_staff_set_the_time_zone_from_now_on_and_say_why(ada, url, row_url, staff_client):
    days = list(UserDay.objects.filter(user=ada).values())

    response = staff_client.post(url, {"timezone": "Asia/Kathmandu", "reason": "moved"})

    assert response["Location"] == row_url
    assert streaks.timezone(ada) == "Asia/Kathmandu"
    assert UserStreak.objects.get(user=ada).timezone_changed_at is not None
    assert list(UserDay.objects.filter(user=ada).values()) == days
    logged = LogEntry.objects.get()
    assert (logged.user.username, logged.object_id) == ("grace", str(ada.pk))
    assert logged.change_message == "Time zone UTC to Asia/Kathmandu: moved"


def test_staff_may_set_it_twice_a_day(ada, url, staff_client):
    for zone in ("Asia/Kathmandu", "Europe/Berlin"):
        staff_client.post(url, {"timezone": zone, "reason": "moved"})

    assert streaks.timezone(ada) == "Europe/Berlin"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "+02:00", "UTC\x00", "../../etc/passwd"])
def test_what_is_no_time_zone_is_refused(ada, url, staff_client, zone):
    response = staff_client.post(url, {"timezone": zone, "reason": "moved"})

    assert response.status_code == 200
    assert "timezone" in response.context["form"].errors
    assert streaks.timezone(ada) == "UTC"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 256])
def test_it_takes_a_reason(ada, url, staff_client, reason):
    response = staff_client.post(url, {"timezone": "Europe/Berlin", "reason": reason})

    assert "reason" in response.context["form"].errors
    assert streaks.timezone(ada) == "UTC"


def test_a_refusal_of_the_service_is_shown(url, staff_client, monkeypatch):
    def refuse(*args, **kwargs):
        raise UnknownTimezone("There is no such zone.", field="timezone")

    monkeypatch.setattr("gamification.services.streaks.set_timezone", refuse)

    response = staff_client.post(url, {"timezone": "Europe/Berlin", "reason": "moved"})

    assert response.context["form"].errors == {"timezone": ["There is no such zone."]}
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("users", ["", "0", "x", "9" * 40, "\x00"])
def test_a_page_for_nobody_goes_back(ada, staff_client, users):
    response = staff_client.get(reverse("admin:gamification_userstreak_set_timezone"), {"users": users})

    assert response.status_code == 302
    assert said(response) == "Nothing was chosen."


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "x"])
def test_it_never_goes_back_to_somewhere_else(ada, staff_client, back):
    url = reverse("admin:gamification_userstreak_set_timezone")

    response = staff_client.post(f"{url}?users={ada.pk}&back={back}", {"timezone": "Europe/Berlin", "reason": "moved"})

    assert response["Location"] == reverse("admin:gamification_userstreak_changelist")


@pytest.mark.parametrize("method", ["get", "post"])
def test_setting_it_needs_the_permission_to_change(ada, url, client_with, method):
    response = getattr(client_with("view_userstreak"), method)(url, {"timezone": "Europe/Berlin", "reason": "moved"})

    assert response.status_code == 403
    assert streaks.timezone(ada) == "UTC"


def test_setting_it_needs_a_token_against_forgery(ada, url, client_with):
    client = client_with("view_userstreak", "change_userstreak", enforce_csrf_checks=True)

    assert client.post(url, {"timezone": "Europe/Berlin", "reason": "moved"}).status_code == 403


def test_streaks_are_neither_added_nor_deleted(ada, row_url, root_client):
    assert root_client.get(reverse("admin:gamification_userstreak_add")).status_code == 403
    assert root_client.post(row_url.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_a_lapsed_streak_reads_0_in_the_list(ada, root_client):
    row = UserStreak.objects.get(user=ada)

    response = root_client.get(reverse("admin:gamification_userstreak_changelist"))

    assert row.current_streak == 1
    assert '<td class="field-reads">0</td>' in response.content.decode()


def test_a_running_streak_reads_its_days(ada, root_client):
    streaks.touch(ada)

    response = root_client.get(reverse("admin:gamification_userstreak_changelist"))

    assert '<td class="field-reads">1</td>' in response.content.decode()

"""Snapshots of leaderboards: refreshed by those who may."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification.models import LeaderboardCache
from gamification.services import leaderboards
from gamification.tests.admin.conftest import NOON, said

LIST = "admin:gamification_leaderboardcache_changelist"


@pytest.fixture
def staff_client(client_with):
    return client_with("view_leaderboardcache", "change_leaderboardcache")


def refresh_url():
    return reverse("admin:gamification_leaderboardcache_refresh_all")


def test_all_boards_are_refreshed(ada, staff_client):
    response = staff_client.post(refresh_url())

    number = len(leaderboards.metrics())
    assert said(response) == f"{number} boards were refreshed."
    assert LeaderboardCache.objects.count() == number
    assert LogEntry.objects.count() == number


def test_chosen_boards_are_refreshed(boards, staff_client):
    row = LeaderboardCache.objects.get(metric="xp_all_time")

    response = staff_client.post(reverse(LIST), {"action": "refresh", "_selected_action": [row.pk]})

    row.refresh_from_db()
    assert said(response) == "1 board was refreshed."
    assert row.cached_at
    assert row.cached_at > NOON
    assert LogEntry.objects.get().object_id == str(row.pk)


@pytest.mark.parametrize("metric", ["gone", "xp_all_time@gone", "@", "xp_all_time@"])
def test_a_board_that_is_gone_is_refused_with_a_message(ada, staff_client, metric):
    row = LeaderboardCache.objects.create(metric=metric)

    response = staff_client.post(reverse(LIST), {"action": "refresh", "_selected_action": [row.pk]})

    assert response.status_code == 302
    assert said(response)
    assert staff_client.get(reverse(LIST)).status_code == 200


def test_refreshing_needs_its_permission(boards, client_with):
    client = client_with("view_leaderboardcache")
    row = LeaderboardCache.objects.first()
    before = row.cached_at

    assert client.post(refresh_url()).status_code == 403
    client.post(reverse(LIST), {"action": "refresh", "_selected_action": [row.pk]})

    row.refresh_from_db()
    assert row.cached_at == before
    assert refresh_url().encode() not in client.get(reverse(LIST)).content


def test_refreshing_needs_a_token_against_forgery(boards, client_with):
    client = client_with("view_leaderboardcache", "change_leaderboardcache", enforce_csrf_checks=True)

    assert client.post(refresh_url()).status_code == 403


def test_opening_the_address_refreshes_nothing(staff_client):
    assert staff_client.get(refresh_url()).status_code == 405
    assert not LeaderboardCache.objects.exists()


def test_the_content_of_a_snapshot_is_neither_read_nor_shown(boards, ada, staff_client):
    row = LeaderboardCache.objects.get(metric="xp_all_time")

    listed = staff_client.get(reverse(LIST)).context["cl"].result_list[0]
    content = staff_client.get(reverse("admin:gamification_leaderboardcache_change", args=[row.pk])).content.decode()

    assert "data" in listed.get_deferred_fields()
    assert "entries" not in content

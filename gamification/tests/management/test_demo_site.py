"""What the demo makes: looked at from every side."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from io import StringIO
from itertools import islice

import pytest
import time_machine
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from gamification.management.demo import people
from gamification.models import (
    Achievement,
    Activity,
    LeaderboardCache,
    UserAchievement,
    UserDay,
    UserStreak,
    UserXP,
    XPTransaction,
)
from gamification.services import dashboard, integrity, leaderboards, streaks
from gamification.tests.helpers import at

pytestmark = pytest.mark.django_db

NUMBER = 40
NOW = at("2026-06-20T17:00")


@pytest.fixture(scope="module", autouse=True)
def said(django_db_setup, django_db_blocker):
    """Return what the demo said. It runs once, and all tests of this module look at its site."""
    out = StringIO()
    with django_db_blocker.unblock(), transaction.atomic():
        with time_machine.travel(NOW, tick=False), override_settings(DEBUG=True):
            call_command("gamification_demo", "--people", str(NUMBER), stdout=out)
        yield out.getvalue()
        transaction.set_rollback(True)


def user(name):
    return get_user_model().objects.get(username=name)


def logins(said: str) -> dict[str, str]:
    """Return the passwords by name."""
    return dict(re.findall(r"^  (\w+) +(\w{12})   ", said, re.MULTILINE))


def test_a_second_run_leaves_the_site_alone(manage, settings):
    settings.DEBUG = True
    before = Activity.objects.count()

    assert manage("gamification_demo").code == 1
    assert (Activity.objects.count(), get_user_model().objects.count()) == (before, NUMBER + 4)


def test_four_accounts_can_sign_in_with_what_was_printed(said):
    told = logins(said)

    assert list(told) == ["admin", "staff", "ada", "newcomer"]
    assert all(authenticate(username=name, password=password) for name, password in told.items())
    assert [person.username for person in get_user_model().objects.all() if person.has_usable_password()] == [*told]
    assert said.rstrip().endswith("Sign in at http://127.0.0.1:8000/accounts/login/")


def test_admin_and_staff_may_what_they_should():
    admin, staff = user("admin"), user("staff")

    assert (admin.is_staff, admin.is_superuser, staff.is_staff, staff.is_superuser) == (True, True, True, False)
    assert staff.has_perms(
        ["gamification.award_xp", "gamification.grant_achievement", "gamification.view_userxp", "auth.view_user"]
    )
    assert not staff.has_perm("gamification.change_achievement")
    assert not staff.has_perm("gamification.run_backfill")
    assert not staff.has_perm("auth.change_user")


def test_the_learner_has_a_full_dashboard():
    shown = dashboard.overview(user("ada"), now=NOW)

    assert (shown.streak.status, shown.streak.current) == ("active", 68)
    assert shown.level.current_level >= 10
    assert shown.unlocked_count >= 10
    assert len(shown.recent) == 10
    assert len({row.created_at for row in shown.recent}) > 5
    assert shown.freeze_days
    assert shown.board.me is not None
    assert shown.board.me.rank is not None
    assert sum(day.status == "active" for day in shown.days) > 150


def test_the_newcomer_has_an_empty_one():
    shown = dashboard.overview(user("newcomer"), now=NOW)

    assert shown.is_new
    assert (shown.level.total_xp, shown.unlocked_count, shown.recent) == (0, 0, ())


def test_there_is_everything_to_see():
    readings = [streaks.status(person, now=NOW) for person in get_user_model().objects.all()]
    statuses = Counter(reading.status for reading in readings)

    assert {"active", "at_risk", "frozen", "broken", "none"} == set(statuses)
    assert max(reading.current for reading in readings) > 100
    assert sum(reading.current > 30 for reading in readings) >= 5
    assert any(reading.status == "broken" and reading.longest > 50 for reading in readings)
    assert {"automatic", "requested"} <= set(
        UserDay.objects.filter(freezes_used__gt=0).values_list("reason", flat=True)
    )
    assert UserXP.objects.filter(is_visible=False).exists()
    assert set(XPTransaction.objects.values_list("source", flat=True)) == {
        "activity",
        "streak",
        "achievement",
        "client",
        "reversal",
    }
    assert len(set(UserStreak.objects.values_list("timezone", flat=True))) >= 8
    assert Achievement.objects.count() == 27
    assert UserAchievement.objects.unlocked().filter(unlock_metadata__by="grant").exists()


def test_each_character_is_there():
    first = [streaks.status(user(name), now=NOW) for name in islice(people.names(), len(people.CHARACTERS))]

    assert [(reading.status, reading.current) for reading in first] == [
        ("active", 132),
        ("active", 109),
        ("active", 59),
        ("active", 45),
        ("active", 34),
        ("active", 10),
        ("at_risk", 24),
        ("frozen", 12),
        ("frozen", 16),
        ("broken", 0),
    ]
    assert (first[7].freezes, first[8].freezes, first[9].longest) == (2, 1, 60)


def test_months_lie_behind_it_and_nothing_ahead():
    moments = Activity.objects.order_by("occurred_at").values_list("occurred_at", "recorded_at")

    assert moments.first()[0] < NOW - timedelta(days=150)
    assert moments.last()[0] <= NOW
    assert all(occurred_at <= recorded_at <= NOW for occurred_at, recorded_at in moments)


def test_every_board_is_built_and_shows_usernames():
    assert LeaderboardCache.objects.count() == len(leaderboards.metrics())
    for metric in leaderboards.metrics():
        board = leaderboards.top(metric, now=NOW)
        assert len(board.entries) == 10
        assert get_user_model().objects.filter(username__in=[entry.name for entry in board.entries]).count() == 10


def test_nothing_has_drifted():
    assert list(integrity.verify(now=NOW)) == []

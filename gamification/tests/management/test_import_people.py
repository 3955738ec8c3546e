"""Importing for people who are not there yet."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from gamification.tests.management.conftest import HEADER, VISIT, keys

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


def test_missing_users_are_made_without_a_usable_password(manage, file):
    outcome = manage("import_activities", file("a.csv", HEADER, VISIT, VISIT.replace("ada", "bo")), "--create-users")

    users = get_user_model().objects.order_by("username")
    assert [(user.username, user.has_usable_password(), user.is_active) for user in users] == [
        ("ada", False, True),
        ("bo", False, True),
    ]
    assert "new users            2" in outcome.out


def test_nobody_is_made_who_has_no_good_row(manage, file):
    manage("import_activities", file("a.csv", HEADER, "ada,nonsense,2026-06-01T12:00:00Z,k1"), "--create-users")

    assert not get_user_model().objects.exists()


def test_names_are_kept_in_the_form_that_sign_in_uses(manage, file):
    path = file("a.csv", HEADER, VISIT, VISIT.replace("ada", "\uff41da").replace("k1", "k2"))

    manage("import_activities", path, "--create-users")
    outcome = manage("import_activities", path)

    assert [user.username for user in get_user_model().objects.all()] == ["ada"]
    assert (outcome.code, keys()) == (0, ["k1", "k2"])


@pytest.mark.parametrize("name", ["a b", "x" * 151, "x!", "x" * 256])
def test_a_name_that_the_user_model_does_not_allow_is_refused_with_all_its_rows(manage, file, name):
    lines = [VISIT.replace("ada", name), VISIT, VISIT.replace("ada", name).replace("k1", "k2")]

    outcome = manage("import_activities", file("a.csv", HEADER, *lines), "--create-users")

    assert [user.username for user in get_user_model().objects.all()] == ["ada"]
    assert [line[:17] for line in outcome.err.splitlines()[:2]] == ["  line 2: invalid", "  line 4: invalid"]


def test_making_users_takes_few_queries(file, django_assert_max_num_queries, manage):
    path = file("a.csv", HEADER, *(VISIT.replace("ada", f"user{number}") for number in range(300)))

    with django_assert_max_num_queries(60):
        manage("import_activities", path, "--create-users")

    assert get_user_model().objects.count() == 300

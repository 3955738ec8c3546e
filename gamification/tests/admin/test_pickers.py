"""The select boxes that ask as one types."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gamification.admin.people import people_like, people_meant

USER, ACHIEVEMENT = (
    "admin:gamification_userachievement_pick_user",
    "admin:gamification_userachievement_pick_achievement",
)


def names(response):
    return [result["text"] for result in response.json()["results"]]


@pytest.fixture
def people(db, django_user_model):
    return {name: django_user_model.objects.create_user(name) for name in ("ada", "adam", "Adele", "bea")}


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("ada", ["ada", "adam"]),
        ("ad", ["Adele", "ada", "adam"]),
        ("ADA", ["ada", "adam"]),
        ("bea", ["bea"]),
        (" bea ", ["bea"]),
        ("zoe", []),
        ("%", []),
        ("a\x00da", ["ada", "adam"]),
    ],
)
def test_people_are_found_by_the_beginning_of_their_name(people, root_client, term, found):
    response = root_client.get(reverse(USER), {"term": term})

    assert sorted(names(response)) == sorted(found)
    assert response.json()["pagination"] == {"more": False}


def test_the_one_meant_comes_first(people, root_client):
    assert names(root_client.get(reverse(USER), {"term": "adam"}))[0] == "adam"
    assert names(root_client.get(reverse(USER), {"term": str(people["bea"].pk)})) == ["bea"]


def test_without_a_term_the_first_names_are_shown(people, root_client):
    assert "ada" in names(root_client.get(reverse(USER)))


def test_never_more_than_a_page_and_never_a_count(db, root_client, django_user_model):
    django_user_model.objects.bulk_create(django_user_model(username=f"user{number:03}") for number in range(60))

    with CaptureQueriesContext(connection) as queries:
        response = root_client.get(reverse(USER), {"term": "user"})

    searches = [query["sql"] for query in queries][2:]
    assert len(names(response)) == 20
    assert len(searches) <= 3
    assert all("LIMIT 20" in sql and "COUNT" not in sql for sql in searches)


def test_a_list_of_people_has_an_end(db, django_user_model):
    django_user_model.objects.bulk_create(django_user_model(username=f"user{number:03}") for number in range(60))

    assert len(people_meant("user")) == 50
    assert len(people_like("user", 5)) == 5


@pytest.mark.parametrize("permission", ["grant_achievement", "award_xp"])
def test_who_acts_for_users_may_find_them(people, client_with, permission):
    assert names(client_with(permission).get(reverse(USER), {"term": "bea"})) == ["bea"]


@pytest.mark.parametrize("permission", ["view_userxp", "reverse_xp", "view_achievement"])
def test_others_may_not(people, client_with, permission):
    assert client_with(permission).get(reverse(USER), {"term": "bea"}).status_code == 403


def test_nor_may_anybody_who_is_no_staff(people, client):
    client.force_login(people["ada"])

    assert client.get(reverse(USER), {"term": "bea"}).status_code == 302


@pytest.mark.parametrize(("term", "found"), [("marathon", ["Scenario Marathoner"]), ("first_steps", ["First Steps"])])
def test_achievements_are_found_by_name_or_id(seeded, client_with, term, found):
    assert names(client_with("grant_achievement").get(reverse(ACHIEVEMENT), {"term": term})) == found


def test_achievements_are_not_told_to_others(seeded, client_with):
    assert client_with("view_userxp").get(reverse(ACHIEVEMENT)).status_code == 403

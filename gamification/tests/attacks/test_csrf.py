"""Requests that another site makes somebody's browser send: without the token of a form nothing is done."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from gamification.tests.attacks import callers, world
from gamification.tests.attacks.doors import DOORS

#: All that the table lists and that is not for reading.
WRITES = [door for door in DOORS if door.method != "GET"]


@pytest.fixture
def root(site):
    return callers.user_of("superuser")


def test_every_write_without_a_token_is_refused_and_changes_nothing(site, root):
    client = callers.client_of(root, enforce_csrf_checks=True)
    before = world.rows()

    told = {str(door): callers.knock(client, door, site.names).status_code for door in WRITES}

    assert {door: status for door, status in told.items() if status != 403} == {}
    assert world.rows() == before


def test_a_made_up_token_is_none(site, root):
    client = callers.client_of(root, enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32

    for door in WRITES[::7]:
        headers = {"X-CSRFToken": "b" * 32, "Origin": "https://evil.example"}
        response = callers.knock(client, door, site.names, **headers)

        assert response.status_code == 403, door


def test_a_form_with_its_token_is_taken(site, root):
    client = callers.client_of(root, enforce_csrf_checks=True)
    client.get("/gamification/settings")
    token = client.cookies["csrftoken"].value

    response = client.post("/gamification/settings", {"timezone": "Asia/Tokyo", "csrfmiddlewaretoken": token})

    assert response.status_code == 302


def test_a_caller_with_a_token_of_the_api_needs_none_of_a_form(site, root):
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Token {Token.objects.create(user=root).key}"})
    body = {"user": site.bob.pk, "amount": 5, "reason": "essay", "key": "another"}

    response = client.post("/api/v1/gamification/xp/award", json.dumps(body), "application/json")

    assert response.status_code == 201


def test_a_session_beside_a_wrong_token_of_the_api_lets_nobody_in(site, root):
    client = callers.client_of(root, enforce_csrf_checks=True)

    response = client.post("/api/v1/gamification/streaks/update", headers={"Authorization": "Token nonsense"})

    assert response.status_code == 401

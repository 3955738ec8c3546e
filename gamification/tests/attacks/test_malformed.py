"""Malformed requests to every route: refused or put up with, never an error of ours.

The script ``benchmarks.faults.malformed`` sends some hundreds to each, and holds SQLite's answers against PostgreSQL's.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, transaction

from gamification.tests.admin.conftest import MODELS
from gamification.tests.attacks import callers
from gamification.tests.attacks.doors import DOORS
from gamification.tests.attacks.malformed import generated


@pytest.fixture
def root(site):
    return callers.client_of(callers.user_of("superuser"))


@pytest.mark.slow
def test_nothing_malformed_breaks_a_route(site, root):
    broken = []

    for door in DOORS:
        for request in generated(door, site.names, 1 if door.is_of_admin else 4, seed=7):
            with transaction.atomic():
                status = root.generic(
                    request.method, request.address, request.body, request.content_type, headers=request.headers
                ).status_code
                transaction.set_rollback(True)
            broken += [str(request)] if status >= 500 else []

    assert broken == []


def test_the_same_seed_makes_the_same_requests():
    names = {"bob": 1, "transaction": 2}
    door = next(each for each in DOORS if each.route.endswith("xp/award"))

    assert list(map(str, generated(door, names, 20))) == list(map(str, generated(door, names, 20)))


def test_an_id_that_no_row_can_have_finds_none_in_the_admin(root):
    for model in ("userxp", "userstreak", "achievement", "xptransaction"):
        for number in (2**63 - 1, 2**63, 10**20, -(2**63) - 1):
            for page in ("change", "history", "delete"):
                response = root.get(f"/admin/gamification/{model}/{number}/{page}/")

                assert response.status_code in {302, 403}, (model, number, page)


@pytest.mark.django_db
def test_a_filter_for_a_number_that_no_row_can_have_finds_none_or_leads_to_the_whole_list(root):
    fields = {model: apps.get_model("gamification", model)._meta.get_fields() for model in MODELS}
    about_people = [model for model in MODELS if any(field.name == "user" for field in fields[model])]

    for model in about_people:
        address = f"/admin/gamification/{model}/"
        for number in (2**63, -(2**63) - 1):
            response = root.get(address, {"user": number})

            if connection.vendor == "sqlite":
                assert (response.status_code, response.headers.get("Location")) == (302, f"{address}?e=1"), model
            else:
                assert list(response.context["cl"].result_list) == [], model

    assert len(about_people) > 8

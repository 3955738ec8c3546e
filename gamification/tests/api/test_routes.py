"""Who may call what. The table is held against the addresses, so that no route is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver

from gamification.api import urls
from gamification.services import activities, xp
from gamification.tests.api.conftest import PASSWORD, assert_problem
from gamification.tests.api.table import BY_CALLER, TABLE, Row, filled


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield method and route of everything below ``patterns``."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            assert isinstance(pattern, URLPattern)
            actions = pattern.callback.actions  # type: ignore[attr-defined]
            yield from ((method.upper(), route.replace("<str:", "{").replace(">", "}")) for method in actions)


@pytest.fixture
def names(bob) -> dict[str, Any]:
    """Return what stands for the placeholders, after bob has done something."""
    receipt = activities.record(bob.user, "scenario_completed", key="first", data={"difficulty": "beginner"})
    award = xp.award(bob.user, 30, reason="essay", key="essay")
    return {
        "bob": bob.user.pk,
        "transaction": award.transaction.pk,
        "activity": receipt.activity.pk,
        "password": PASSWORD,
    }


def test_the_table_lists_every_route_and_method():
    found = {(method, route) for method, route in routes(urls.urlpatterns) if method != "HEAD"}

    assert found == {(row.method, row.route) for row in TABLE}


def test_no_route_ends_with_a_slash():
    assert [route for _, route in routes(urls.urlpatterns) if route.endswith("/")] == []


def test_the_project_mounts_all_of_it():
    mounted = [each for each in get_resolver().url_patterns if getattr(each, "urlconf_name", None) is urls]

    assert [str(each.pattern) for each in mounted] == ["api/v1/gamification/"]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("who", BY_CALLER)
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_each_caller_gets_the_answer_of_the_table(row: Row, who: str, names, request):
    caller = request.getfixturevalue(who)
    expected = row.statuses[BY_CALLER.index(who)]

    response = caller.call(row.method, filled(row.path or row.route, names), filled(row.body, names), key=row.key)

    assert response.status_code == expected, response.content
    if expected in {401, 403}:
        assert_problem(response, expected, "not_authenticated" if expected == 401 else "permission_denied")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("row", [row for row in TABLE if row.method == "GET"], ids=str)
def test_reading_also_answers_head(row: Row, ada, names):
    response = ada.call("HEAD", filled(row.path or row.route, names))

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_each_route_stays_below_its_ceiling_of_queries(row: Row, names, request, django_assert_max_num_queries):
    who = "trusted" if row.statuses[1] == 403 else "bob"
    caller = request.getfixturevalue(who)
    caller.get("leaderboard/xp_all_time")
    ContentType.objects.clear_cache()

    with django_assert_max_num_queries(row.queries):
        caller.call(row.method, filled(row.path or row.route, names), filled(row.body, names), key=row.key)


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_what_is_about_a_person_stays_out_of_caches(row: Row, ada, names):
    response = ada.call(row.method, filled(row.path or row.route, names), filled(row.body, names), key=row.key)

    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE"])
def test_methods_that_no_route_has_are_problems_too(method, ada):
    response = ada.send(method, "xp/level", b"")

    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD"

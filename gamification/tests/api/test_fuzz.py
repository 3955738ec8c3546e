"""What a machine makes of the schema: no answer that it does not promise."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from rest_framework.authtoken.models import Token
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gamification.api.throttles import DEFAULT_RATES
from gamification.services import activities
from gamification.tests.api.conftest import BASE, Caller
from project.wsgi import application

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("catalogue", "_unthrottled")]

schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application).include(path_regex=f"^{BASE}")


@pytest.fixture(autouse=True)
def _one_connection():
    """Keep the server from closing the connection that the test's transaction is open on, as Django's client does."""
    edges = (request_started, request_finished)
    for edge in edges:
        edge.disconnect(close_old_connections)
    yield
    for edge in edges:
        edge.connect(close_old_connections)


@pytest.fixture
def _unthrottled(rates):
    rates(**dict.fromkeys(DEFAULT_RATES))


@pytest.fixture(params=["ada", "trusted"])
def token(request) -> str:
    """Return the token of a user who has done something, without and with permissions."""
    who: Caller = request.getfixturevalue(request.param)
    activities.record(who.user, "scenario_completed", key="k", data={"difficulty": "beginner"})
    return str(Token.objects.create(user=who.user).key)


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_answer_is_as_the_schema_says(case: Any, token: str):
    # Who exists, which keys and cursors there are: a body can be all that the schema asks for and still be refused.
    is_about_what_exists = case.operation.body or "cursor" in (case.query or {})

    case.call_and_validate(
        headers={"Authorization": f"Token {token}"},
        excluded_checks=[positive_data_acceptance] if is_about_what_exists else [],
    )

"""The schema is valid, complete, and no condition of running the app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from gamification.tests.api.conftest import BASE
from gamification.tests.api.table import TABLE
from gamification.tests.servers import ROOT


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    generated: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return generated


def operations(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path.removeprefix(BASE)): operation
        for path, methods in schema["paths"].items()
        if path.startswith(BASE)
        for method, operation in methods.items()
    }


def test_it_is_valid_and_without_warnings(tmp_path, capsys):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))

    assert "Warning" not in capsys.readouterr().err


def test_it_has_every_route_of_the_table(schema):
    assert set(operations(schema)) == {(row.method, row.route) for row in TABLE}


def test_every_status_of_the_table_is_in_it(schema):
    found = operations(schema)

    missing = [
        (str(row), status)
        for row in TABLE
        for status in {*row.statuses, 429, 503}
        if str(status) not in found[row.method, row.route]["responses"]
    ]
    assert missing == []


def test_every_refusal_is_a_problem(schema):
    for operation in operations(schema).values():
        for status, response in operation["responses"].items():
            media_types = set(response.get("content", {}))
            assert media_types == (
                {"application/problem+json"}
                if int(status) >= 400
                else set()
                if status == "204"
                else {"application/json"}
            )


def test_what_has_a_body_says_what_can_be_wrong_with_it(schema):
    with_body = [each for each in operations(schema).values() if "requestBody" in each]

    assert len(with_body) == len([row for row in TABLE if row.body])
    assert all({"400", "413", "415"} <= set(each["responses"]) for each in with_body)


def test_the_key_is_a_header_of_the_writes_that_take_one_and_of_no_other(schema):
    keyed = {
        route
        for (_, route), operation in operations(schema).items()
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))
    }

    assert keyed == {"xp/award", "activities", "xp/transactions/{transaction_id}/reverse"}
    for (_, route), operation in operations(schema).items():
        assert ("Idempotent-Replayed" in operation["responses"].get("200", {}).get("headers", {})) is (route in keyed)


def test_throttled_answers_promise_when_to_come_back(schema):
    answers = [each["responses"] for each in operations(schema).values()]

    assert all("Retry-After" in each[status]["headers"] for each in answers for status in ("429", "503"))


def test_every_operation_has_a_title_and_a_text(schema):
    assert all(each["summary"] and each["description"] for each in operations(schema).values())


def test_names_of_components_do_not_meet_the_hosts(schema):
    ours = {name.removeprefix("Paginated").removeprefix("Patched") for name in schema["components"]["schemas"]}

    assert [name for name in ours if not name.startswith("Gamification")] == []


def test_examples_of_requests_are_what_the_schema_says(schema):
    shown = schema["paths"][f"{BASE}activities"]["post"]["requestBody"]["content"]["application/json"]["examples"]

    assert {name: type(example["value"]) for name, example in shown.items()} == {"One": dict, "List": list}


def test_the_schema_and_the_page_to_try_it_are_served():
    client = Client()

    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0].startswith("drf_spectacular"):
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "gamification"],
    ROOT_URLCONF="gamification.api.urls",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]},
)
django.setup()
from django.core.management import call_command
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient
call_command("migrate", verbosity=0)
client = APIClient()
assert client.get("/xp/level").status_code == 401
client.force_authenticate(get_user_model().objects.create_user("ada"))
print([client.get(path).status_code for path in ("/xp/level", "/achievements", "/dashboard", "/xp/history")])
"""


def test_the_api_runs_without_drf_spectacular():
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}

    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (told.stdout.strip(), told.stderr) == ("[200, 200, 200, 200]", "")


def test_the_schema_is_json_too():
    response = Client().get("/api/schema/?format=json")

    assert json.loads(response.content)["openapi"].startswith("3.")

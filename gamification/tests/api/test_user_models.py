"""The API over a user model with a UUID for a key, no username and no permissions: what a host may well have."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gamification.tests.servers import ROOT

MODELS = """
import uuid
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

class Person(AbstractBaseUser):
    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    may = models.JSONField(default=list)
    USERNAME_FIELD = "email"
    objects = BaseUserManager()

    def has_perm(self, permission, obj=None):
        return permission in self.may

class Guest(AbstractBaseUser):
    email = models.EmailField(unique=True)
    USERNAME_FIELD = "email"
    objects = BaseUserManager()
"""

CALLS = """
import json, os, uuid, django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "people", "gamification"],
    AUTH_USER_MODEL="people." + os.environ["MODEL"],
    ROOT_URLCONF="gamification.api.urls",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    },
)
django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from rest_framework.test import APIClient
from gamification.api.serializers.inputs import AwardInputSerializer
from drf_spectacular.generators import SchemaGenerator

call_command("migrate", run_syncdb=True, verbosity=0)
User = get_user_model()
me, other = User(email="a@example.com"), User(email="b@example.com")
if hasattr(me, "may"):
    me.may = ["gamification.award_xp", "gamification.record_activity"]
me.save(), other.save()
client = APIClient()
client.force_authenticate(me)

def post(path, body, key):
    response = client.post(path, body, format="json", headers={"Idempotency-Key": key})
    return response.status_code, [error["field"] for error in response.json().get("errors", [])]

award = {"user": str(other.pk), "amount": 5, "reason": "x"}
reads = ("/xp/level", "/dashboard", "/me", "/me/data", "/leaderboard/xp_all_time")
components = SchemaGenerator().get_schema(public=True)["components"]["schemas"]
told = {
    "award": post("/xp/award", award, "1"),
    "unknown": post("/xp/award", {**award, "user": str(uuid.uuid4())}, "2"),
    "nonsense": [post("/xp/award", {**award, "user": user}, "3")[0] for user in ("x", 7, None, True, "")],
    "activity": post("/activities", {"user": str(other.pk), "kind": "daily_visit"}, "4"),
    "mine": post("/activities", {"kind": "daily_visit"}, "5"),
    "reads": list({client.get(path).status_code for path in reads}),
    "leaks": "example.com" in client.get("/leaderboard/xp_all_time").content.decode(),
    "schema": components["GamificationAwardInput"]["properties"]["user"].get("format"),
    "erase": client.delete("/me/data", {"confirm": "erase"}, format="json").status_code,
}
print(json.dumps(told))
"""


@pytest.fixture
def told_by(tmp_path):
    """Return a function that makes the calls as a user of a model, and returns what was answered."""
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "__init__.py").touch()
    (tmp_path / "people" / "models.py").write_text(MODELS)

    def _told_by(model: str) -> dict:
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        done = subprocess.run(
            [sys.executable, "-c", CALLS],
            cwd=ROOT, text=True, capture_output=True, check=False,
            env={**environment, "MODEL": model, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return _told_by


def test_a_uuid_is_a_primary_key_like_any_other(told_by):
    assert told_by("Person") == {
        "award": [201, []],
        "unknown": [400, ["user"]],
        "nonsense": [400] * 5,
        "activity": [201, []],
        "mine": [201, []],
        "reads": [200],
        "leaks": False,
        "schema": "uuid",
        "erase": 204,
    }


def test_a_model_without_permissions_grants_none(told_by):
    told = told_by("Guest")

    assert (told["award"][0], told["activity"][0], told["mine"][0]) == (403, 403, 403)
    assert (told["reads"], told["erase"]) == ([200], 204)

"""Runs the commands in a project with the user model that is named, and prints what came of it as JSON."""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import Any

import django
from django.conf import settings

urlpatterns: list[Any] = []


def configure(model: str) -> None:
    settings.configure(
        DEBUG=True,
        SECRET_KEY="x",
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        AUTH_USER_MODEL=f"host.{model}",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "gamification.tests.management.host",
            "gamification",
        ],
    )
    django.setup()


def manage(*arguments: str) -> list[str]:
    """Run a command and return what it said last: how it was refused, or its last line."""
    from django.core.management import CommandError, call_command

    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except CommandError as error:
        return [*err.getvalue().splitlines(), str(error)]
    return out.getvalue().splitlines()


def walk(path: str) -> dict[str, Any]:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    model = get_user_model()
    call_command("migrate", run_syncdb=True, verbosity=0)
    told = {
        "first": manage("import_activities", path, "--create-users"),
        "again": manage("import_activities", path),
        "names": sorted(str(user.get_username()) for user in model._default_manager.all()),
        "usable": model._default_manager.exclude(password__startswith="!").count(),
        "verified": manage("gamification_verify"),
    }
    model._default_manager.all().delete()
    return {**told, "demo": manage("gamification_demo", "--people", "20")}


if __name__ == "__main__":
    configure(sys.argv[1])
    sys.stdout.write(json.dumps(walk(sys.argv[2])))

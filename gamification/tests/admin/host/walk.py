"""Walks through the admin of the host and prints what it saw as JSON; run by test_hosts in a process of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.conf import settings
from django.urls import path

urlpatterns: list[Any] = []

LISTS = [
    "achievement",
    "activity",
    "dailyfigure",
    "excuseddate",
    "leaderboardcache",
    "queuedactivity",
    "userachievement",
    "usercounter",
    "userday",
    "userstreak",
    "userxp",
    "xptransaction",
]


def configure() -> None:
    apps = ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")
    settings.configure(
        SECRET_KEY="x",
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        STATIC_URL="/static/",
        ALLOWED_HOSTS=["testserver"],
        AUTH_USER_MODEL="host.Person",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[*(f"django.contrib.{app}" for app in apps), "gamification.tests.admin.host", "gamification"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    django.setup()


def walk() -> dict[str, Any]:
    from django.contrib import admin
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import setup_test_environment

    setup_test_environment()
    urlpatterns.append(path("admin/", admin.site.urls))
    call_command("migrate", run_syncdb=True, verbosity=0)
    people = get_user_model().objects
    ada, client = people.create(email="ada@example.org"), Client()
    client.force_login(people.create_superuser("root@example.org"))
    site = "/admin/gamification/"
    key = client.get(f"{site}xptransaction/award/").context["form"]["key"].value()
    award = {"user": str(ada.pk), "amount": "120", "reason": "a start", "key": key}
    steps = {
        "seed": client.post(f"{site}achievement/seed/"),
        "award": client.post(f"{site}xptransaction/award/", award),
        "grant": client.post(
            f"{site}userachievement/grant/", {"user": str(ada.pk), "achievement": "first_steps", "reason": "a start"}
        ),
        "zone": client.post(
            f"{site}userstreak/set-timezone/?users={ada.pk}", {"timezone": "Asia/Kathmandu", "reason": "moved"}
        ),
        "refresh": client.post(f"{site}leaderboardcache/refresh-all/"),
        "forged": client.post(f"{site}xptransaction/award/", award | {"user": "ada@example.org"}),
    }
    pages = [*(f"{model}/" for model in LISTS), f"userxp/{ada.pk}/change/", f"userstreak/{ada.pk}/change/"]
    pages += ["achievement/add/", "achievement/import/", "achievement/export/"]
    answers = {page: client.get(site + page) for page in pages}
    ledger = b"".join(client.get(f"{site}xptransaction/export/").streaming_content)
    found = {
        term: client.get(f"{site}userachievement/pick-user/", {"term": term}).json()["results"]
        for term in ("ada@", str(ada.pk), "zoe")
    }
    searched = client.get(f"{site}xptransaction/", {"q": "ada@example.org"})
    return {
        "ada": str(ada.pk),
        "steps": {name: answer.status_code for name, answer in steps.items()},
        "pages": {page: answer.status_code for page, answer in answers.items()},
        "named": b"ada@example.org" in answers["userxp/"].content,
        "found": found,
        "exported": b"ada@example.org" in ledger,
        "searched": searched.context["cl"].result_count,
    }


if __name__ == "__main__":
    configure()
    sys.stdout.write(json.dumps(walk()))

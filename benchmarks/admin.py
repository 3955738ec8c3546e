"""Every list of the admin among a million people and ten million rows of the ledger: statements, and their time.

Nothing is asserted: the ceilings of the tests hold the number of statements, this shows what they cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from benchmarks.harness import Measurement
from benchmarks.people import Crowd, populate
from gamification.models import Activity, UserAchievement
from gamification.services import achievements

DATABASES = ("sqlite", "postgresql")
PEOPLE, LEDGER = 1_000_000, 10_000_000
ROUNDS = 3
#: A page that is slower than this is looked at.
SLOW_MS = 100


def run(database: str, *, is_quick: bool) -> Iterator[Measurement]:
    people = 5_000 if is_quick else PEOPLE
    achievements.initialize()
    populate(Crowd(users=people, ledger=people * LEDGER // PEOPLE))
    _more_of(people)
    client = _root(people + 1)
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        for name, url in _pages(people):
            yield _measure(name, url, client, database)


def _more_of(people: int) -> None:
    """Give a few people what the crowd lacks: unlocks and a log, a hundredth as many rows as there are people."""
    ids = range(1, people, 100)
    names = ["first_steps", "word_collector"]
    at = "2026-06-10T12:00:00+00:00"
    UserAchievement.objects.bulk_create(
        UserAchievement(user_id=pk, achievement_id=name, progress=100, unlocked_at=at, grants=1)
        for pk in ids
        for name in names
    )
    Activity.objects.bulk_create(
        Activity(
            user_id=pk,
            kind="daily_visit",
            key=f"visit-{pk}",
            occurred_at=at,
            recorded_at=at,
            timezone="UTC",
            local_date="2026-06-10",
            content_hash="0" * 64,
        )
        for pk in ids
    )


def _root(pk: int) -> Client:
    client = Client()
    client.force_login(get_user_model()._default_manager.create_superuser("root", pk=pk))
    return client


def _pages(people: int) -> Iterator[tuple[str, str]]:
    """Yield every list with its search, its filters and its pages, the pickers, and the pages of one person."""
    for listed in [page for model, page in admin.site._registry.items() if model._meta.app_label == "gamification"]:
        name = str(listed.opts.model_name)
        url = reverse(f"admin:gamification_{name}_changelist")
        for label, query in _queries(listed, people):
            yield f"{name}: {label}", f"{url}?{urlencode(query)}"
    user = get_user_model()._default_manager.get(pk=people // 2)
    yield "picker of users", f"{reverse('admin:gamification_userachievement_pick_user')}?term=user-77"
    yield "picker of achievements", f"{reverse('admin:gamification_userachievement_pick_achievement')}?term=first"
    yield "support", reverse("admin:gamification_userstreak_change", args=[user.pk])
    yield "history of a user", reverse("admin:gamification_userstreak_history", args=[user.pk])
    yield "deleting a user", reverse("admin:auth_user_delete", args=[user.pk])
    yield "users", reverse("admin:auth_user_changelist")


def _queries(listed: Any, people: int) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "first page", {}
    yield "page 2", {"p": 2}
    yield "last page", {"p": 10_000 // listed.list_per_page}
    if listed.search_fields or hasattr(listed, "exact_field"):
        yield "search", {"q": f"user-{people // 2}"}
        yield "search of many", {"q": "user-77"}
        yield "search of nobody", {"q": "nobody-at-all"}
    yield from _filters(listed)


def _filters(listed: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each choice of each filter that the list offers."""
    request = _request()
    for spec in listed.get_changelist_instance(request).filter_specs:
        for choice in list(spec.choices(listed.get_changelist_instance(request)))[1:6]:
            query = dict(parse_qsl(choice["query_string"].lstrip("?")))
            if query:
                yield f"{spec.title} = {choice['display']}", query


def _request() -> Any:
    request = Client().get("/").wsgi_request
    request.user = get_user_model()._default_manager.get(username="root")
    return request


def _measure(name: str, url: str, client: Client, database: str) -> Measurement:
    """Return the time of all statements of a page in the fastest of some rounds, and how many they are."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        connection.force_debug_cursor = True
        with CaptureQueriesContext(connection) as captured:
            response = client.get(url)
        taken.append(sum(float(query["time"]) for query in captured.captured_queries) * 1000)
    number = len(captured)
    note = f"{number} statements, {min(taken):.0f} ms{', SLOW' * (min(taken) > SLOW_MS)}"
    if response.status_code != 200:
        note += f", answered {response.status_code}"
    fastest = round(min(taken), 1)
    return Measurement(name, database, number, number, number, product_us=fastest * 1000, rounds=ROUNDS, note=note)

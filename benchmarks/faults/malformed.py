"""Malformed requests, the same on SQLite and PostgreSQL: none may break, and both must answer alike.

The rest goes to gunicorn as bytes, because a test client would send nothing so wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from benchmarks.faults import raw
from benchmarks.faults.inside import inside
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import databases, site
from gamification.tests.attacks import callers, world
from gamification.tests.attacks.doors import DOORS
from gamification.tests.attacks.malformed import generated

#: Requests to each route of the API and the pages, and to each of the admin.
EACH, EACH_OF_ADMIN = 500, 100
FEW = 5
SHOWN = 20


def run(*, is_quick: bool) -> Iterator[Outcome]:
    numbers = {"each": FEW, "each_of_admin": FEW} if is_quick else {"each": EACH, "each_of_admin": EACH_OF_ADMIN}
    with databases("SQLite", "PostgreSQL") as urls:
        with ThreadPoolExecutor() as pool:
            asked = {name: pool.submit(inside, url, f"{__name__}:statuses", **numbers) for name, url in urls.items()}
            found = {name: each.result() for name, each in asked.items()}
        for name, told in found.items():
            _show(told["broken"])
            routes = len({door.route for door in DOORS})
            yield Outcome("malformed input", name, len(told["statuses"]), len(told["broken"]), {"routes": routes})
        pairs = list(zip(*(told["statuses"] for told in found.values()), strict=True))
        others = [f"{one[0]}: {one[1]}, {other[1]}" for one, other in pairs if one[1] != other[1]]
        _show(others)
        yield Outcome("malformed input, the same status", " and ".join(found), len(pairs), len(others))
    for name in ("SQLite", "PostgreSQL"):
        with databases(name) as urls, site(urls[name]) as served:
            yield raw.attack(served, name)


def statuses(each: int, each_of_admin: int) -> dict[str, Any]:
    """Return request and status of every malformed request, and those that broke something with what was raised."""
    here = world.build()
    client = callers.client_of(callers.user_of("superuser"))
    told, broken = [], []
    for door in DOORS:
        for request in generated(door, here.names, each_of_admin if door.is_of_admin else each):
            with transaction.atomic():
                response = client.generic(
                    request.method, request.address, request.body, request.content_type, headers=request.headers
                )
                transaction.set_rollback(True)
            if "sessionid" not in client.cookies or not client.cookies["sessionid"].value:
                client = callers.client_of(get_user_model()._default_manager.get(username="root"))
            told.append((str(request), response.status_code))
            if response.status_code >= 500:
                raised = getattr(response, "exc_info", None)
                broken.append(f"{request}: {response.status_code} {raised[1]!r}"[:1500] if raised else f"{request}")
    return {"statuses": told, "broken": broken}


def _show(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        sys.stderr.write(json.dumps(line) + "\n")

"""Erasure: after it, what somebody did and was called stands in no table, no cache and no log; the rest adds up.

First the person erases what is kept about them, with their password, and keeps the account; then staff delete that in
the admin. Of SQLite the files themselves are looked through, with their free pages; of PostgreSQL a dump.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db import connection

from benchmarks.faults import canaries
from benchmarks.faults.canaries import ADMIN, API, PASSWORD, Place, hits
from benchmarks.faults.outcomes import Outcome
from gamification.models import Activity, UserXP, XPTransaction
from gamification.tests.races.processes import database


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield what was left of a person on each database, and whether all else holds together."""
    for kind, where in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))[: 1 if is_quick else None]:
        with canaries.site(kind) as place:
            subject = place.subject
            canaries.live(place)
            canaries.expect(place.clients["anonymous"].ask("GET", f"/gamification/people/{place.slug()}/card.svg"), 200)
            before = _others(place)
            kept = hits(canaries.in_database(place.url), subject.texts)
            if len(kept) < len(subject.texts):
                raise SystemExit(f"Only {kept} were there to be erased.")
            body = json.dumps({"password": PASSWORD})
            canaries.expect(place.clients["subject"].ask("DELETE", f"{API}me/data", body), 204)
            yield _left("a word left after erasing, the account kept", where, place, subject.texts)
            page = f"{ADMIN}auth/user/{subject.pk}/delete/"
            canaries.expect(place.clients["admin"].post(page, {"post": "yes"}), 302)
            yield _left("a name left after deleting the account", where, place, {**subject.texts, **subject.names})
            yield _whole(where, place, before)


def _left(fault: str, where: str, place: Place, words: dict[str, str]) -> Outcome:
    """Look for ``words`` everywhere."""
    if place.url.startswith("sqlite"):
        with database(place.url), connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    dump = canaries.in_database(place.url)
    cached = b"".join(canaries.in_redis(place.redis_url).values())
    log = place.log.read_bytes()
    places = {"database": dump, "Redis": cached, "log": log}
    found = [f"{name} in {where}" for where, content in places.items() for name in hits(content, words)]
    sizes = {f"{name}, bytes": len(content) for name, content in places.items()}
    return Outcome(fault, where, len(words) * len(places), len(found), {**sizes, **({"found": found} if found else {})})


def _whole(where: str, place: Place, before: object) -> Outcome:
    """Hold all that is left against the records, the boards against the database, and others against what they had."""
    broken = []
    for command in (("gamification_verify",), ("check_leaderboards",)):
        try:
            place.manage(*command)
        except RuntimeError as error:
            broken.append(str(error)[-500:])
    if _others(place) != before:
        broken.append("Others have not what they had.")
    board = canaries.expect(place.clients["other"].ask("GET", f"{API}leaderboard/xp_all_time"), 200)
    if [entry["is_me"] for entry in json.loads(board.body)["entries"]] != [True]:
        broken.append(f"The board shows {board.body}")
    figures = {"found": broken} if broken else {}
    return Outcome("something else was changed by an erasure", where, 4, len(broken), figures)


def _others(place: Place) -> list[object]:
    with database(place.url):
        models = (Activity, XPTransaction, UserXP)
        return [list(model._default_manager.filter(user=place.other).order_by("pk").values()) for model in models]

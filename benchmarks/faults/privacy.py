"""Privacy: somebody uses everything there is; who they are stands in no answer to others, no log line and no cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.faults import canaries
from benchmarks.faults.canaries import API, LOGIN, Place, hits
from benchmarks.faults.outcomes import Outcome
from gamification.tests.sites import Answer, Client

BOARDS = (
    "xp_all_time",
    "xp_weekly",
    "xp_monthly",
    "streak",
    "longest_streak",
    "achievements",
    "scenarios_completed",
)
READ = (
    *(f"{API}leaderboard/{name}" for name in BOARDS),
    *(f"{API}leaderboard/{name}?limit=1" for name in BOARDS),
    *(f"{API}leaderboard/{name}/rank" for name in BOARDS),
    *(
        f"{API}{path}"
        for path in ("achievements", "achievements/user", "achievements/progress", "achievements/polyglot")
    ),
    *(
        f"{API}{path}"
        for path in ("streaks/status", "xp/level", "xp/history", "xp/stats", "dashboard", "me", "me/data")
    ),
    *(f"/gamification?metric={name}" for name in BOARDS),
    *(
        "/",
        LOGIN,
        "/gamification",
        "/gamification/achievements",
        "/gamification/settings",
        "/gamification/settings/data",
    ),
    *(
        "/",
        LOGIN,
        "/api/schema/",
        "/api/docs/",
        "/widgets",
        "/metrics",
        "/healthz",
        "/nowhere",
        "/broken",
        "/admin/",
        "/%00",
    ),
)


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield what was found in the answers, the logs and the caches of a site on each database."""
    for kind, where in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))[: 1 if is_quick else None]:
        with canaries.site(kind) as place:
            words = {**place.subject.names, **place.subject.texts}
            canaries.live(place)
            answers = _answers(place)
            cached = canaries.in_redis(place.redis_url)
            log = place.log.read_text()
        found = [f"{path}: {name}" for path, answer in answers for name in hits(_whole(answer), words)]
        yield _told("a name in an answer to others", where, len(answers) * len(words), found, answers=len(answers))
        lines = log.splitlines()
        found = [f"{line[:120]}: {name}" for line in lines for name in hits(line.encode(), words)]
        yield _told("a name in a log line", where, len(lines) * len(words), found, lines=len(lines))
        names = place.subject.names
        found = [f"{key}: {name}" for key, raw in cached.items() for name in hits(raw, names)]
        size = sum(map(len, cached.values()))
        yield _told("a name in Redis", where, len(cached) * len(names), found, keys=len(cached), bytes=size)


def _told(fault: str, where: str, tried: int, found: list[str], **figures: int) -> Outcome:
    return Outcome(fault, where, tried, len(found), {**figures, **({"found": found[:20]} if found else {})})


def _answers(place: Place) -> list[tuple[str, Answer]]:
    """Return what others get to see, whatever they ask for, with the profile on and off."""
    browsing = place.clients["other"]
    signed_in = Client(browsing.port, address="198.51.100.77")
    canaries.expect(signed_in.sign_in(LOGIN, "other", canaries.PASSWORD), 302)
    others = {"another": browsing, "another's browser": signed_in, "nobody": place.clients["anonymous"]}
    found = []
    for who, client in others.items():
        found += [(f"{who} {path}", client.ask("GET", path)) for path in READ]
        found += [(f"{who} {method} {path}", client.ask(method, path, body)) for method, path, body in _writes(place)]
    slug = place.slug()
    for state in ("on", "off"):
        people = f"/gamification/people/{slug}"
        for path in (people, f"{people}/card.svg", f"{people}/card.png"):
            for who, client in others.items():
                answer = client.ask("GET", path)
                canaries.expect(answer, 200 if state == "on" else 404)
                found.append((f"{who} {path} {state}", answer))
        browser = place.clients["browser"]
        canaries.expect(browser.post("/gamification/settings", {}, "/gamification/settings/profile"), 302)
    return found


def _writes(place: Place) -> Iterator[tuple[str, str, str]]:
    """Yield calls that are refused, about the subject."""
    pk = place.subject.pk
    bodies: tuple[Any, ...] = ({"user": pk}, {"user": pk, "amount": 5, "reason": "x", "key": "k"}, {"user": "x"}, [])
    for body in bodies:
        yield "POST", f"{API}xp/award", json.dumps(body)
    for event in ({"user": pk, "kind": "note_taken", "key": "k"}, {"user": pk, "kind": "x", "key": "k"}):
        yield "POST", f"{API}activities", json.dumps(event)
        yield "POST", f"{API}activities", json.dumps([event, event])
    yield "POST", f"{API}xp/transactions/1/reverse", json.dumps({"reason": "x", "key": "k"})
    yield "POST", f"{API}activities", "{"
    yield "DELETE", f"{API}me/data", json.dumps({"password": "guess"})


def _whole(answer: Answer) -> bytes:
    return str(answer.headers).encode() + answer.raw

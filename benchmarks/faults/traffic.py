"""Visitors of a site: what they ask for, how long each answer took, and what it was."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from uuid import uuid4

from benchmarks.faults.served import Site
from benchmarks.faults.visitors import Visitor

#: The settings of a site that is asked as often as it answers.
UNLIMITED = "benchmarks.faults.unlimited"
API = "/api/v1/gamification"
KINDS = ("scenario_completed", "words_learned", "study_session", "daily_visit")
METRICS = ("xp_all_time", "xp_weekly", "xp_monthly", "streak_current", "streak_longest", "achievements_unlocked")
#: The status of what was not answered at all.
UNANSWERED = 0
SERVER_ERRORS = 500
#: How often a visitor does what: awards and the admin are for the first visitor alone.
ROUTES = {
    "record": 30, "award": 10, "board": 20, "rank": 10, "dashboard": 10, "api dashboard": 5, "history": 5, "me": 5,
    "achievements": 3, "admin": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: ``at`` on the monotonic clock, how many ``seconds`` it took, its ``status`` and some of its body."""

    route: str
    at: float
    seconds: float
    status: int
    text: str = ""

    @property
    def is_lost(self) -> bool:
        return self.status == UNANSWERED or self.status >= SERVER_ERRORS


class Traffic:
    """Visitors who ask for one thing after the other, in threads of their own, until they are told to stop.

    ``rate`` is how many requests all of them make in a second; None is as many as they can.
    """

    def __init__(self, site: Site, people: Sequence[Visitor], *, threads: int = 4, rate: float | None = None) -> None:
        self.answers: list[Answer] = []
        self._site, self._people = site, people
        self._pause = threads / rate if rate else 0.0
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def since(self, begun: float) -> list[Answer]:
        """Return the answers to what was asked at ``begun`` (on the monotonic clock) or later."""
        return [answer for answer in list(self.answers) if answer.at >= begun]

    def _visit(self, number: int) -> None:
        dice = random.Random(number)
        connection = HTTPConnection("127.0.0.1", self._site.port, timeout=60)
        due = time.monotonic() + dice.random() * self._pause
        while not self._is_over.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pause, time.monotonic() - self._pause)
            (route,) = dice.choices(list(ROUTES), list(ROUTES.values()))
            self.answers.append(_asked(connection, route, *_request(route, dice, self._people)))
        connection.close()


def _request(route: str, dice: random.Random, people: Sequence[Visitor]) -> tuple[str, str, object, Visitor]:
    """Return method, path, body and visitor of a request."""
    visitor, metric = dice.choice(people), dice.choice(METRICS)
    staff, key = people[0], uuid4().hex
    activity = {"kind": dice.choice(KINDS), "key": key, "user": visitor.pk}
    gift = {"user": visitor.pk, "amount": dice.randrange(1, 50), "reason": "gift", "key": key}
    return {
        "record": ("POST", f"{API}/activities", activity, staff),
        "award": ("POST", f"{API}/xp/award", gift, staff),
        "board": ("GET", f"{API}/leaderboard/{metric}", None, visitor),
        "rank": ("GET", f"{API}/leaderboard/{metric}/rank", None, visitor),
        "dashboard": ("GET", "/gamification", None, visitor),
        "api dashboard": ("GET", f"{API}/dashboard", None, visitor),
        "history": ("GET", f"{API}/xp/history", None, visitor),
        "me": ("GET", f"{API}/me", None, visitor),
        "achievements": ("GET", f"{API}/achievements", None, visitor),
        "admin": ("GET", "/admin/gamification/activity/", None, staff),
    }[route]


def _asked(connection: HTTPConnection, route: str, method: str, path: str, body: object, visitor: Visitor) -> Answer:
    """Ask once, and again where a kept connection was closed before it was used."""
    is_page = not path.startswith(API)
    headers = {"Cookie": visitor.cookie} if is_page else {"Authorization": f"Token {visitor.token}"}
    text = json.dumps(body) if body is not None else None
    if text:
        headers["Content-Type"] = "application/json"
    at, status, said = time.monotonic(), UNANSWERED, ""
    for _ in range(2):
        try:
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            said, status = answer.read().decode(errors="replace"), answer.status
            break
        except (OSError, HTTPException) as error:
            connection.close()
            said = repr(error)
    return Answer(route, at, time.monotonic() - at, status, said[:500] if status >= 400 or not status else "")


def percentile(answers: Sequence[Answer], percent: float) -> float:
    """Return within how many seconds so many percent were answered."""
    taken = sorted(answer.seconds for answer in answers)
    return taken[min(len(taken) - 1, int(len(taken) * percent / 100))] if taken else 0.0


def told(answers: Sequence[Answer]) -> str:
    """Return p50, p95 and p99 in milliseconds."""
    return " / ".join(f"{percentile(answers, percent) * 1000:.0f}" for percent in (50, 95, 99)) + " ms"


def lost(answers: Sequence[Answer], keep: Callable[[str], object] = print) -> int:
    """Return how many got an error of the server or no answer; the first three are told to ``keep``."""
    found = [answer for answer in answers if answer.is_lost]
    for answer in found[:3]:
        keep(f"{answer.route}: {answer.status} {answer.text}")
    return len(found)

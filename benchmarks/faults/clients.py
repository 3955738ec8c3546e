"""Clients of a site whose database comes and goes: each write is sent again, with its key, until it is acknowledged."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model

from benchmarks.faults.visitors import visitor_of
from gamification.models import XPTransaction
from gamification.services import achievements, integrity, xp

API = "/api/v1/gamification/"
READS = ("xp/level", "leaderboard/xp_all_time", "dashboard", "streaks/status", "achievements")
PAGES = ("/gamification", "/gamification/achievements", "/gamification/settings")
AMOUNT = 10
CODE = "temporarily_unavailable"
PAGE = "We will be right back"


@dataclass(frozen=True, slots=True)
class Answer:
    """``at`` is when it came, on the clock of ``time.monotonic``; it took ``seconds``."""

    status: int
    is_right: bool
    at: float
    seconds: float


@dataclass
class Clients:
    """Somebody's clients: ``acknowledged`` are the keys whose award was answered with 200 or 201."""

    port: int
    user: Any
    token: str
    cookie: str
    acknowledged: set[str] = field(default_factory=set)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)

    def award(self, key: str) -> Answer:
        body = json.dumps({"user": self.user.pk, "amount": AMOUNT, "reason": "race"})
        answer = self.ask("POST", f"{API}xp/award", body, **{"Idempotency-Key": key})
        if answer.status in {200, 201}:
            self.acknowledged.add(key)
        return answer

    def read(self, path: str) -> Answer:
        return self.ask("GET", f"{API}{path}")

    def look(self, path: str) -> Answer:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """Send a request and judge the answer: as asked, or a 503 that says when to come again, and nothing else."""
        is_api = path.startswith(API)
        headers |= {"Authorization": f"Token {self.token}"} if is_api else {"Cookie": self.cookie}
        headers |= {"Content-Type": "application/json"} if body else {}
        begun = time.monotonic()
        try:
            open_to = HTTPConnection("127.0.0.1", self.port, timeout=60)
            open_to.request(method, path, body, headers)
            found = open_to.getresponse()
            text = found.read().decode()
            open_to.close()
            status = found.status
            is_right = status in {200, 201} or (
                status == 503
                and int(found.headers["Retry-After"] or 0) > 0
                and ((is_api and json.loads(text)["code"] == CODE) or (not is_api and PAGE in text))
            )
        except (OSError, HTTPException, ValueError, KeyError) as error:
            status, is_right, text = 0, False, repr(error)
        now = time.monotonic()
        answer = Answer(status, is_right, now, now - begun)
        self.answers.append((f"{method} {path}", answer))
        if not is_right:
            self.wrong[f"{method} {path}: {status} {text[:200]}"] += 1
        return answer

    @contextmanager
    def busy(self, writers: int = 3, readers: int = 1) -> Iterator[None]:
        """Let so many write, and read, one thing after the other."""
        self._stop.clear()
        crew = [threading.Thread(target=self._write) for _ in range(writers)]
        crew += [threading.Thread(target=self._read) for _ in range(readers)]
        for each in crew:
            each.start()
        try:
            yield
        finally:
            self._stop.set()
            for each in crew:
                each.join()

    def wait_for_a_write(self, seconds: float = 60) -> float:
        """Return when the next award was acknowledged, on the clock of ``time.monotonic``."""
        key, ends = uuid4().hex, time.monotonic() + seconds
        while (answer := self.award(key)).status not in {200, 201}:
            if time.monotonic() > ends:
                raise SystemExit(f"The site does not come back: {self.statuses()} {self.wrong.most_common(1)}")
            time.sleep(0.05)
        return answer.at

    def lost(self) -> list[str]:
        """Return what was acknowledged and is not there once, or not in the total, and every drift."""
        rows = XPTransaction.objects.filter(user=self.user, source="client").values_list("key", flat=True)
        booked = Counter(rows)
        lost = [f"key {key}: {booked[key]} rows" for key in self.acknowledged if booked[key] != 1]
        return lost + [str(drift) for drift in integrity.verify()]

    def summary(self, lost: list[str]) -> dict[str, Any]:
        """Return what every script tells of what was ``lost`` and answered; print the commonest wrong answers."""
        for what, times in self.wrong.most_common(3):
            print(f"  {times} x {what}")
        return {
            "drifts and missing rows": len(lost),
            "answers by status": self.statuses(),
            "neither as asked nor a 503 with Retry-After": self.wrong.total(),
        }

    def statuses(self) -> dict[int, int]:
        return dict(sorted(Counter(answer.status for _, answer in self.answers).items()))

    def _write(self) -> None:
        while not self._stop.is_set():
            key = uuid4().hex
            while self.award(key).status not in {200, 201} and not self._stop.wait(0.05):
                pass

    def _read(self) -> None:
        while not self._stop.is_set():
            for path in READS:
                self.read(path)
            for path in PAGES:
                self.look(path)


def signed_up(port: int) -> Clients:
    """Make somebody on the database of this process, who may award XP, and return their clients of the site."""
    achievements.initialize()
    user = get_user_model()._default_manager.create_superuser("ada")
    xp.award(user, 1000, reason="to begin with", key="first")
    visitor = visitor_of(user)
    return Clients(port, user, visitor.token, visitor.cookie)

"""What stands before the camera: the demonstration in a database of its own, on a day that never changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from gamification.management.demo import site
from gamification.management.demo.people import ADMIN, LEARNER, NEWCOMER
from gamification.models import Achievement, PublicProfile
from gamification.models.profiles import SHOWCASE_MAX
from gamification.services import activities, profiles

#: A Wednesday, and the same people each time: the demo draws them by the date.
NOW = datetime(2026, 6, 17, 18, tzinfo=UTC)
PEOPLE = 300
#: Lost a long streak: one of the demo's characters.
LAPSED = "bruno"
#: As long as those that are drawn at random.
SLUG = "sV1xkA7u0mQ2b9TfYdLh3w"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration is served, the session of each person there, and the id of who lost a streak."""

    port: int
    sessions: dict[str, str]
    lapsed: int


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the parent's name
        """Say nothing."""


@contextmanager
def stage() -> Iterator[Stage]:
    """Fill the database of this process, serve it, and yield what the camera needs."""
    call_command("migrate", verbosity=0)
    site.build(PEOPLE, now=NOW, progress=lambda *_: None)
    people = {name: _user(name) for name in (ADMIN, LEARNER, NEWCOMER)}
    best = Achievement.objects.unlocked_by(people[LEARNER]).order_by("-xp_reward", "achievement_id")
    profiles.share(people[LEARNER], is_public=True, showcase=[row.achievement_id for row in best[:SHOWCASE_MAX]])
    PublicProfile.objects.update(slug=SLUG)
    _unlock(people[NEWCOMER])
    sessions = {name: _session(user) for name, user in people.items()}
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Stage(server.server_port, sessions, _user(LAPSED).pk)
    finally:
        server.shutdown()


def _user(name: str) -> Any:
    return get_user_model()._default_manager.get_by_natural_key(name)


def _unlock(user: Any) -> None:
    """Let somebody complete a first scenario a minute ago, so that the next page tells what it brought."""
    data = {"difficulty": "beginner", "minutes": 20, "perfect": True, "language": "es"}
    activities.record(user, "scenario_completed", key="first", data=data, now=NOW - timedelta(minutes=1))


def _session(user: Any) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)

"""People whose names are found wherever they stand, what they do through the site, and where to look for them then."""

from __future__ import annotations

import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from django.contrib.auth.models import User
from django.test import override_settings
from rest_framework.authtoken.models import Token

from benchmarks.faults.canary_site import KINDS
from gamification.domain.webhooks import EVENT_TYPES
from gamification.models import Flag, PublicProfile
from gamification.services import achievements, activities, exclusions, excuses, ingestion, webhooks
from gamification.tests import servers
from gamification.tests.races.processes import database
from gamification.tests.sites import Answer, Client, gunicorn

API = "/api/v1/gamification/"
ADMIN = "/admin/"
LOGIN = "/accounts/login/"
PASSWORD = secrets.token_urlsafe(12)


@dataclass(frozen=True)
class Subject:
    """Somebody with words of their own: ``names`` are who they are, ``texts`` what was written around them."""

    pk: int
    names: dict[str, str]
    texts: dict[str, str]


@dataclass(frozen=True)
class Place:
    """A running site: where its data are, its log, and those who use it."""

    url: str
    redis_url: str
    log: Path
    env: dict[str, str]
    subject: Subject
    other: int
    clients: dict[str, Client]

    def manage(self, *arguments: str) -> str:
        return servers.manage(*arguments, env=self.env)

    def slug(self) -> str:
        with database(self.url):
            return PublicProfile.objects.get(user_id=self.subject.pk).slug


@contextmanager
def site(kind: str) -> Iterator[Place]:
    """Yield a site on a private ``sqlite`` or ``postgresql`` with a private Redis, and people with accounts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gamification-canaries-")))
        is_sqlite = kind == "sqlite"
        url = f"sqlite:///{folder}/db.sqlite3" if is_sqlite else stack.enter_context(servers.postgresql())
        redis_url = stack.enter_context(servers.redis_server())
        env = {
            "DJANGO_SETTINGS_MODULE": "benchmarks.faults.canary_site",
            "DEBUG": "0",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "practice.example.com",
            "BEHIND_PROXY": "1",
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "TASKS_BACKEND": "django_tasks.backends.dummy.DummyBackend",
        }
        servers.manage("migrate", "--skip-checks", "--verbosity=0", env=env)
        with database(url), override_settings(GAMIFICATION={"ACTIVITY_TYPES": KINDS}):
            subject, other, tokens = _people()
        port = stack.enter_context(gunicorn(env, folder, options=("--log-level", "debug")))
        clients = {
            name: Client(port, address=f"198.51.100.{number}", token=token)
            for number, (name, token) in enumerate(tokens.items())
        }
        clients |= {"browser": Client(port), "anonymous": Client(port), "admin": Client(port)}
        yield Place(url, redis_url, folder / "log", env, subject, other, clients)


def _people() -> tuple[Subject, int, dict[str, str]]:
    word = secrets.token_hex(4)
    names = {
        "login": f"canarylogin{word}",
        "e-mail": f"canarymail{word}@example.org",
        "first name": f"Canaryfirst{word}",
        "last name": f"Canarylast{word}",
    }
    texts = {name: f"canary{name}{word}" for name in ("data", "key", "reason", "metadata", "note")}
    achievements.initialize()
    subject = User.objects.create_user(names["login"], names["e-mail"], PASSWORD, first_name=names["first name"])
    User.objects.filter(pk=subject.pk).update(last_name=names["last name"])
    staff = User.objects.create_superuser("staff", "staff@example.org", PASSWORD)
    other = User.objects.create_user("other", "other@example.org", PASSWORD)
    told = {"subject": subject, "staff": staff, "other": other}
    text = f"the mail was down, as {names['e-mail']} told us"  # of which only the name is the subject's
    excuses.excuse_date(datetime.now(UTC).date() - timedelta(days=40), reason=text, actor=staff)
    for quantity in (1, 2):  # the second is refused, for its key was used
        ingestion.enqueue(
            [ingestion.Event(subject, "note_taken", f"{texts['key']}-queued", quantity, data={"note": texts["data"]})]
        )
        ingestion.work()
    _decide(subject, staff, texts)
    ids = {name: Token.objects.create(user=user).key for name, user in told.items()}
    return Subject(subject.pk, names, texts), other.pk, ids


def _decide(subject: User, staff: User, texts: dict[str, str]) -> None:
    """Let staff void, flag and exclude, and a webhook be told of everything, to which nothing is sent."""
    webhooks.add("https://[2606:4700::1111]/", EVENT_TYPES)
    done = activities.record(subject, "note_taken", key=f"{texts['key']}-voided", data={"note": texts["data"]})
    activities.void(done.activity, reason=texts["reason"], actor=staff)
    exclusions.exclude(subject, reason=texts["reason"], actor=staff)
    exclusions.lift(subject, reason=texts["note"], actor=staff)
    now = datetime.now(UTC)
    flag = {"rule": "xp_a_day", "date": now.date(), "figure": 2, "expected": 1, "found_at": now}
    Flag.objects.create(user=subject, note=texts["note"], **flag)


def live(place: Place) -> None:
    """Let the subject use everything there is, and staff help."""
    subject, staff, browser = (place.clients[name] for name in ("subject", "staff", "browser"))
    texts, pk = place.subject.texts, place.subject.pk
    note = {"kind": "note_taken", "key": texts["key"], "data": {"note": texts["data"]}}
    award = {"user": pk, "amount": 500, "reason": texts["reason"], "metadata": {"why": texts["metadata"]}}
    reference = {"reference_id": texts["key"], "key": f"{texts['key']}-award"}
    for client, method, path, body in (
        (subject, "POST", "activities", note),
        (staff, "POST", "activities", {**note, "key": f"{texts['key']}-2", "user": pk}),
        (staff, "POST", "xp/award", {**award, **reference}),
        (staff, "POST", "xp/award", {"user": place.other, "amount": 5, "key": "for another", "reason": "prize"}),
        (subject, "POST", "streaks/update", {}),
        (subject, "POST", "streaks/freeze", {}),
        (subject, "POST", "achievements/check", {}),
        (subject, "PATCH", "me", {"timezone": "Asia/Tokyo"}),
        (subject, "PATCH", "me", {"is_visible": True}),
        (subject, "GET", "me/data", None),
        (place.clients["other"], "POST", "activities", {**note, "key": "mine"} | {"data": {}}),
    ):
        expect(client.ask(method, API + path, None if body is None else json.dumps(body)), 200, 201, 409)
    place.clients["other"].ask("POST", f"{API}xp/award", json.dumps(award))  # 403, and logged
    browser.sign_in(LOGIN, place.subject.names["e-mail"], "wrong")
    expect(browser.sign_in(LOGIN, place.subject.names["login"], PASSWORD), 302)
    browser.ask("GET", "/gamification")
    browser.ask("GET", "/broken")
    expect(browser.post("/gamification/settings", {"is_public": "on"}, "/gamification/settings/profile"), 302)
    _help(place)


def _help(place: Place) -> None:
    """Let staff look for the subject in the admin, grant an achievement and discard an event."""
    admin, subject = place.clients["admin"], place.subject
    expect(admin.sign_in(f"{ADMIN}login/", "staff", PASSWORD), 302)
    admin.sign_in(f"{ADMIN}login/", subject.names["login"], PASSWORD)  # no staff: refused, and logged
    for search in subject.names.values():
        expect(
            admin.ask("GET", f"{ADMIN}auth/user/?q={search}", Referer=f"https://practice.example.com/?q={search}"), 200
        )
    admin.ask("GET", f"{ADMIN}auth/user/?email__regex={subject.names['e-mail']}")
    grant = f"{ADMIN}gamification/userachievement/grant/"
    said = {"user": str(subject.pk), "achievement": "polyglot", "reason": f"{subject.texts['note']} granted"}
    expect(admin.post(grant, said), 302)


def expect(answer: Answer, *statuses: int) -> Answer:
    if answer.status not in statuses:
        raise SystemExit(f"{answer.status}, and not {statuses}: {answer.body[:2000]}")
    return answer


def in_redis(url: str) -> dict[str, bytes]:
    """Return what each key of a Redis holds: its value, and what DUMP makes of it."""
    found = {}
    with redis.Redis.from_url(url) as client:
        readers: dict[bytes, Any] = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"set": client.smembers,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
            b"stream": client.xrange,
        }
        for key in client.scan_iter():
            value = readers[client.type(key)](key)
            raw = value if isinstance(value, bytes) else repr(value).encode()
            found[key.decode(errors="replace")] = key + b" " + raw + b" " + (client.dump(key) or b"")
    return found


def in_database(url: str) -> bytes:
    """Return a dump of the whole database: of SQLite the files themselves, with the pages that are free."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))
    (program,) = (servers._find("PostgreSQL", "pg_dump", folders=servers._postgresql_folders()),)
    done = subprocess.run([program, "--dbname", url.replace("postgres://", "postgresql://")], check=True, stdout=-1)
    return done.stdout


def hits(content: bytes, words: dict[str, str]) -> list[str]:
    """Return the names of those ``words`` that stand in ``content``, in whatever case."""
    found = content.lower()
    return [name for name, word in words.items() if word.lower().encode() in found]

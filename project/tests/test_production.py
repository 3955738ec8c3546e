"""The site as a server runs it: gunicorn, the example's settings, a proxy in front; and what browsers get to see."""

from __future__ import annotations

import json
import re
import secrets

import pytest

from gamification.tests.servers import manage, postgresql_database
from gamification.tests.sites import HOST, Client, gunicorn

PASSWORD = secrets.token_urlsafe(20)
ADMIN = "/staff-room/"
STAFF = """
from django.contrib.auth.models import User
for name in ("grace", "linus", "alan"):
    User.objects.create_superuser(name, f"{name}@example.com", %r)
"""
POLICY = {
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("production")


@pytest.fixture(scope="module")
def site(postgres_server, _postgres_template, redis_server, folder):
    """Return the port of the site by the example's settings, with its secret filled in and servers of its own."""
    with postgresql_database(postgres_server, template=_postgres_template) as url:
        env = {
            "ENV_FILE": ".env.production.example",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DATABASE_URL": url,
            "REDIS_URL": redis_server,
            "STATIC_ROOT": str(folder / "static"),
        }
        manage("collectstatic", "--no-input", "--verbosity=0", env=env)
        manage("shell", "--verbosity=0", "--command", STAFF % PASSWORD, env=env)
        with gunicorn(env, folder) as port:
            yield port


@pytest.fixture
def visitor(site):
    return Client(site, address=f"198.51.100.{secrets.randbelow(250)}")


@pytest.fixture(scope="module")
def grace(site):
    client = Client(site, address="203.0.113.5")
    assert client.sign_in("/accounts/login/", "grace", PASSWORD).status == 302
    return client


@pytest.fixture(scope="module")
def pages(site, grace):
    """Return every kind of answer there is, by what it is."""
    visitor = Client(site)
    style = re.search(r'href="(/static/[^"]+\.css)"', visitor.ask("GET", "/").body)[1]
    return {
        "home": visitor.ask("GET", "/"),
        "login": visitor.ask("GET", "/accounts/login/"),
        "dashboard": grace.ask("GET", "/gamification"),
        "settings": grace.ask("GET", "/gamification/settings"),
        "api": grace.ask("GET", "/api/v1/gamification/dashboard"),
        "api refused": visitor.ask("GET", "/api/v1/gamification/dashboard"),
        "api docs": visitor.ask("GET", "/api/docs/"),
        "schema": visitor.ask("GET", "/api/schema/"),
        "admin": grace.ask("GET", ADMIN),
        "admin login": visitor.ask("GET", f"{ADMIN}login/"),
        "admin list": grace.ask("GET", f"{ADMIN}gamification/userxp/"),
        "static": visitor.ask("GET", style),
        "not found": visitor.ask("GET", "/nowhere"),
        "forbidden": visitor.ask("POST", "/accounts/login/", {"username": "x"}),
        "bad request": visitor.ask("GET", "/", Host="elsewhere.example"),
        "bad path": visitor.ask("GET", "/%00%ff"),
    }


def test_each_kind_of_answer_is_what_it_should_be(pages):
    expected = {"api refused": 401, "not found": 404, "forbidden": 403, "bad request": 400, "bad path": 404}

    assert {name: page.status for name, page in pages.items()} == {name: expected.get(name, 200) for name in pages}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ],
)
def test_every_answer_has_the_header(pages, header, value):
    assert {name: page.headers[header] for name, page in pages.items()} == dict.fromkeys(pages, value)


def test_every_page_is_under_the_policy_and_in_no_frame(pages):
    shown = {name: page for name, page in pages.items() if name != "static"}

    assert {name: set(page.headers["Content-Security-Policy"].split("; ")) for name, page in shown.items()} == (
        dict.fromkeys(shown, POLICY)
    )
    assert {page.headers["X-Frame-Options"] for page in shown.values()} == {"DENY"}
    assert all("camera=()" in page.headers["Permissions-Policy"] for page in pages.values())


def test_no_answer_says_what_it_was_made_with(pages):
    told = {header.lower() for page in pages.values() for header in page.headers}

    assert not told & {"x-powered-by", "access-control-allow-origin"}
    assert {page.headers["Server"] for page in pages.values()} <= {"gunicorn"}


def test_no_error_shows_how_it_came_about(pages):
    for name in ("not found", "forbidden", "bad request", "bad path", "api refused"):
        body = pages[name].body
        assert not re.search(r"Traceback|DEBUG|urlpatterns|Request URL|site-packages|django\.|settings", body), name


def test_cookies_are_out_of_reach_of_scripts_and_other_hosts(site):
    client = Client(site, address="203.0.113.9")
    found = dict(client.ask("GET", "/accounts/login/").cookies)
    found |= client.sign_in("/accounts/login/", "alan", PASSWORD).cookies
    found |= client.post("/", {"language": "de"}, "/i18n/setlang/").cookies

    assert set(found) == {"__Host-csrftoken", "__Host-sessionid", "gamification_device", "django_language"}
    for name, morsel in found.items():
        flags = (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"])
        assert flags == (True, True, "Lax", "/", ""), name
    assert int(found["__Host-sessionid"]["max-age"]) == 14 * 24 * 60 * 60


def test_plain_http_is_sent_on_and_gets_no_cookie(visitor):
    answer = visitor.ask("GET", "/accounts/login/", X_Forwarded_Proto="http")

    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/accounts/login/")
    assert answer.headers["Set-Cookie"] is None
    assert visitor.ask("GET", "/healthz", X_Forwarded_Proto="http").status == 200


def test_what_the_proxy_did_not_say_is_not_believed(visitor):
    answer = visitor.ask("GET", "/accounts/login/", X_Forwarded_Host="evil.example", X_Forwarded_Proto="http")

    assert answer.headers["Location"].startswith(f"https://{HOST}/")


def test_the_admin_is_where_the_settings_say(visitor):
    assert visitor.ask("GET", "/admin/").status == 404
    assert visitor.ask("GET", ADMIN).headers["Location"] == f"{ADMIN}login/?next={ADMIN}"


def test_other_peoples_pages_are_no_secret_store(pages):
    for name in ("dashboard", "settings", "api", "admin", "admin list"):
        assert re.search("no-store|no-cache|private", pages[name].headers["Cache-Control"] or ""), name


def let_through(site, guesses):
    """Return how many guesses, each an address and a name, pass before one is refused.

    That is ten, or up to twenty where a window ends meanwhile.
    """
    for number, (address, name) in enumerate(guesses):
        if Client(site, address=address).sign_in(f"{ADMIN}login/", name, "a guess").status == 429:
            return number
    pytest.fail(f"None of {len(guesses)} was refused.")


def test_guesses_at_a_staff_password_end_though_every_one_names_another_address(site):
    addresses = [f"10.9.8.{number}, 192.0.2.{number}" for number in range(21)]

    assert 10 <= let_through(site, [(address, "linus") for address in addresses]) <= 20
    assert Client(site, address="192.0.2.200").sign_in(f"{ADMIN}login/", "linus", PASSWORD).status == 429


def test_a_made_up_forwarding_chain_is_no_new_address(site):
    forged = [f"10.1.1.{number}, 192.0.2.99" for number in range(21)]

    assert 10 <= let_through(site, [(chain, f"x{chain}") for chain in forged]) <= 20


def test_too_large_a_body_is_refused(grace):
    answer = grace.ask("POST", "/api/v1/gamification/activities", json.dumps({"kind": "x" * 3_000_000}))

    assert answer.status in {403, 413}
    assert "Traceback" not in answer.body


def test_the_logs_name_nobody(site, grace, folder):
    grace.ask("GET", f"{ADMIN}auth/user/?q=grace@example.com", Referer=f"https://{HOST}/?q=grace@example.com")
    stranger = Client(site, address="198.51.100.251")
    assert stranger.sign_in(f"{ADMIN}login/", "grace@example.com", "hunter2").status == 200

    log = (folder / "log").read_text()

    assert f"GET {ADMIN}auth/user/ 200" in log
    assert "Sign-in at /staff-room/login/ failed" in log
    for secret in ("grace", "linus", "alan", "hunter2", "203.0.113", "198.51.100", PASSWORD):
        assert secret not in log

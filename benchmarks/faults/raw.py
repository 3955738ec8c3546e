"""Bytes on a socket that no library would send: what a server has to survive before any view is asked."""

from __future__ import annotations

import gzip
import socket
import sys
from itertools import product

from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import Site, ask

TIMEOUT = 20
SIGN_IN = """
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
print("token:" + Token.objects.create(user=User.objects.create_superuser("root")).key)
"""
PATHS = ["xp/award", "activities", "me", "streaks/update", "me/data"]
LONG = b'{"reason": "' + b"x" * 10_000_000 + b'"}'
BODIES = {
    "10 MB": LONG,
    "100,000 deep": b"[" * 100_000,
    "1,000 deep": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "gzip": gzip.compress(b'{"amount": 1}'),
    "a bomb": gzip.compress(b" " * 10_000_000),
    "no UTF-8": b'{"reason": "\xff\xfe"}',
    "NUL": b"\x00" * 1000,
}
LINES = [
    b"Idempotency-Key: a\x01b",
    b"Idempotency-Key: \xff\xfe",
    b"Idempotency-Key: " + b"k" * 8000,
    b"Idempotency-Key: a\r\nIdempotency-Key: b",
    b"Content-Encoding: gzip",
    b"Content-Type: multipart/form-data; boundary=" + b"x" * 5000,
    b"Content-Type: application/json; charset=nonsense",
    b"Expect: 100-continue",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: nonsense",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: \xef\xbc\x91",
    b"Host: \x00",
    b"Host: evil.example",
    b"Cookie: sessionid=\x00; csrftoken=\xff",
    b"Cookie: " + b"a=b; " * 1500,
    b"Authorization: Token \xff",
    b"Authorization: Token a b c",
    b"Accept: */*;q=nonsense, ,;",
    b"Accept-Language: " + b"x" * 5000,
    b"Range: bytes=-1,5-2",
    b"X-Forwarded-For: \x00, " + b"1.2.3.4, " * 500,
    b"HX-Request: true\r\nHX-Target: \xff",
    b"If-None-Match: " + b'"' * 3000,
    b"If-Modified-Since: 99999",
]
TARGETS = [
    b"/%",
    b"/%00",
    b"/%ff%fe",
    b"/gamification?metric=%00",
    b"/" + b"x" * 7000,
    b"/gamification/people/%2e%2e",
    b"*",
    b"//",
    b"http://x/",
]


def attack(served: Site, where: str) -> Outcome:
    """Send everything above and count what was answered with 5xx, or what kept the site from answering after."""
    token = served.run(SIGN_IN).rpartition("token:")[2].strip()
    common = [b"Host: 127.0.0.1", b"Content-Type: application/json", f"Authorization: Token {token}".encode()]
    requests = []
    for path, (name, body) in product(PATHS, BODIES.items()):
        lines = [*common, b"Content-Length: %d" % len(body), b"Idempotency-Key: k", b"Connection: close"]
        requests.append((f"{path}, {name}", _request(b"POST", f"/api/v1/gamification/{path}".encode(), lines, body)))
    for path, line in product([*(f"/api/v1/gamification/{path}" for path in PATHS), "/gamification", "/"], LINES):
        lines = [each for each in common if each.split(b":")[0] != line.split(b":")[0]]
        sent = _request(
            b"POST" if "api" in path else b"GET", path.encode(), [line, *lines, b"Connection: close"], b"{}"
        )
        requests.append((f"{path}, {line[:60]!r}", sent))
    requests += [(repr(target[:60]), _request(b"GET", target, [*common, b"Connection: close"])) for target in TARGETS]
    answers = [(name, _status(served.port, sent)) for name, sent in requests]
    # 501 is what RFC 9112 asks for where a server does not know the transfer coding.
    broken = [f"{name}: {status}" for name, status in answers if status >= 500 and status != 501]
    is_alive = ask(served.port, "GET", "/healthz") == 200
    if broken or not is_alive:
        sys.stderr.write("\n".join(broken[:20]) + served.said()[-3000:] + "\n")
    return Outcome("malformed bytes to gunicorn", where, len(answers), len(broken) + (not is_alive))


def _request(method: bytes, target: bytes, lines: list[bytes], body: bytes = b"") -> bytes:
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, target), *lines, b"", body])


def _status(port: int, sent: bytes) -> int:
    """Return the status of the answer, 0 where the connection was closed or nothing came for too long."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before it was all sent: the answer may be there
        try:
            first = connection.recv(64)
        except OSError:
            return 0
    parts = first.split(b" ")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0

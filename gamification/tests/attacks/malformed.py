# ruff: noqa: E501 -- lists, to be looked over and not read
"""Requests that no client of ours would send: the same ones for the same seed, whatever the database."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from gamification.tests.api.table import filled
from gamification.tests.attacks.doors import Door


def _cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "x\udfffy", "\uffff", "１２", "²", "٣", "-1", "0", "1.5", "1e999", "NaN", "Infinity",
    str(2**31), str(2**63 - 1), str(2**63), str(-(2**63)), str(-(2**63) - 1), str(2**64), str(10**20), "9" * 5000,
    "0x10", "1_000", "+1", " 1", "1 ", "1,2,3", ",", ",,1", "null", "None", "true", "[]", "{}", "()", "__class__", "-pk",
    "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "2026-13-01", "1969-12-31", "yesterday",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-06-01T24:00:00Z", "2026-06-01T12:00:00+99:99",
    "2026-06-01T12:00:60Z", "2026-06-01 12:00", "2026-W23", "１９９９-01-01", "../../etc/passwd", "..\\..", "%", "%00", "%zz",
    "'", '"', "' OR 1=1 --", "\\", "\n", "\r\nSet-Cookie: a=b", "\t", "\x7f", "\x1b[2J", "\u202eabc", "\u200b", "é" * 300,
    "😀" * 200, "a\u0301" * 200, "x" * 256, "x" * 5000, "{{ 7|add:7 }}", "${7*7}", "%s%n", "<script>", "javascript:alert(1)",
    "//evil.example", "https://evil.example/", "/\\evil.example", "user__password", "me", "xp_all_time", "xp_weekly@x", "~",
    _cursor("p=\x00"), _cursor("o=-1"), _cursor("o=99999999999999999999"), _cursor("r=1&p=9999-12-31T23:59:59+00:00"),
    _cursor("p=0001-01-01T00:00:00%2B14:00"), _cursor("[1,2]"), _cursor('{"a":' * 500), "=" * 7, "bz0x\u00f0",
]  # fmt: skip
VALUES: list[Any] = [
    *TEXTS, 0, -1, 1, 1.5, -0.0, 1e308, 5e-324, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**20,
    10**400, True, False, None, [], {}, [None], [[]], {"": ""}, {"\x00": 1}, {"\ud800": 1}, {"__proto__": {}}, {"a": 10**400},
    {"x" * 5000: 1}, ["x"] * 2000, {str(number): number for number in range(500)},
]  # fmt: skip


def _deep(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


BODIES = [
    b"", b" ", b"null", b"true", b"7", b'"text"', b"[]", b"[[]]", b"[{}]", b"{", b'{"a":}', b"{'a': 1}", b"<xml/>", b"\x00",
    b'{"user": 1, "user": 2, "amount": 1, "amount": 2}', b'{"": 1}', b'{"amount": NaN}', b'{"amount": Infinity}',
    b'{"amount": -Infinity}', b'{"amount": 1e999}', b'{"amount": -1e999}', b'{"amount": 01}', b'{"amount": ' + b"9" * 5000 + b"}",
    b'{"reason": "\xff\xfe"}', b'{"reason": "\xed\xa0\x80"}', b'{"reason": "\\ud800"}', b'{"reason": "\\u0000"}',
    b'\xef\xbb\xbf{"reason": "x"}', '{"reason": "x"}'.encode("utf-16"), gzip.compress(b'{"reason": "x"}', mtime=0),
    _deep(31), _deep(33), _deep(1000), _deep(1000, '{"a":', "}"), b"[" * 100_000, b'{"a":' * 50_000, _deep(100_000),
    b'[{"kind": "daily_visit", "key": "k"}' + b', {"kind": "daily_visit", "key": "k"}' * 1000 + b"]", b"a=1&b=2", b"%",
]  # fmt: skip
#: What some page or list listens to, and what Django's admin does.
PARAMETERS = [
    "limit", "cursor", "metric", "category", "scope", "me", "unlocked", "reason", "created_after", "created_before",
    "earned_after", "earned_before", "days", "before", "q", "p", "o", "e", "all", "ids", "users", "back", "term", "next",
    "achievement", "state", "kind", "name", "title", "status", "status__exact", "source", "source__exact", "category__exact",
    "rarity__exact", "is_active__exact", "is_hidden__exact", "created_at__gte", "created_at__lt", "created_at__year",
    "occurred_at__gte", "occurred_at__lt", "date__gte", "date__lt", "user", "user__exact", "user__id__exact", "user__password",
    "id__in", "pk", "_changelist_filters", "_facets", "_popup", "_to_field", "app_label", "model_name", "field_name",
    "format", "v", "action", "select_across", "index", "_selected_action", "_continue", "language", "metric__startswith",
]  # fmt: skip
FIELDS = [
    "user", "amount", "reason", "reference_id", "metadata", "key", "kind", "quantity", "data", "occurred_at", "timezone",
    "is_visible", "password", "confirm", "confirmation", "is_public", "first", "second", "third", "username", "language",
    "next", "name", "achievement_id", "description", "icon", "category", "rarity", "xp_reward", "conditions", "order",
    "is_active", "is_hidden", "achievement", "date", "confirmed", "file", "format", "action", "_selected_action",
    "select_across", "index", "post", "_reopen", "_seen", "_unlock", "_save", "csrfmiddlewaretoken", "email", "groups",
    "old_password", "new_password1", "user_permissions", "date_joined_0", "date_joined_1",
]  # fmt: skip
HEADERS = [
    "Idempotency-Key", "Accept", "Accept-Language", "Content-Type", "Content-Encoding", "HX-Request", "HX-Target",
    "HX-Current-URL", "HX-History-Restore-Request", "If-None-Match", "If-Modified-Since", "Range", "Sec-Purpose", "Referer",
    "Origin", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-HTTP-Method-Override", "X-Requested-With",
    "User-Agent", "Authorization", "Host",
]  # fmt: skip
TYPES = [
    "application/json", "application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "application/xml", "", "json",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request, as the test client takes it."""

    method: str
    address: str
    body: bytes = b""
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = f"{self.method} {self.address[:300]} {self.headers} {self.content_type} {self.body[:300]!r}"
        return told.encode("ascii", "backslashreplace").decode()


def generated(door: Door, names: dict[str, Any], count: int, seed: int = 1) -> Iterator[Malformed]:
    """Yield ``count`` requests to the route of ``door``, each wrong in one to three ways."""
    random = Random(f"{seed} {door}")
    for _ in range(count):
        yield _request(door, names, random)


def _request(door: Door, names: dict[str, Any], random: Random) -> Malformed:
    address = door.address({**names, **_junk_names(door, random)})
    headers = {"Idempotency-Key": door.key} if door.key else {}
    ways = random.sample(["query", "body", "header"], random.randint(1, 2))
    if "query" in ways:
        query = [(random.choice(PARAMETERS), _sendable(random.choice(TEXTS))) for _ in range(random.randint(1, 3))]
        address += ("&" if "?" in address else "?") + urlencode(query)
    if "header" in ways:
        for name in random.sample(HEADERS, random.randint(1, 2)):
            headers[name] = _header(random.choice(TEXTS))
    body, content_type = _body(door, names, random, is_junk="body" in ways)
    if "Content-Type" in headers:
        content_type = headers.pop("Content-Type")
    return Malformed(door.method, address, body, content_type, headers)


def _junk_names(door: Door, random: Random) -> dict[str, Any]:
    """Return nonsense for a name in the address, now and then."""
    places = [
        name for name in ("bob", "achievement_id", "metric", "transaction", "slug") if f"{{{name}}}" in str(door.path)
    ]
    return {name: quote(_sendable(random.choice(TEXTS)), safe="") or "-" for name in places if random.random() < 0.3}


def _body(door: Door, names: dict[str, Any], random: Random, *, is_junk: bool) -> tuple[bytes, str]:
    sent = dict(filled(door.body, names) or {}) if isinstance(door.body, dict | None) else {}
    if not is_junk:
        return (json.dumps(sent).encode(), "application/json") if door.is_of_api else _form(sent)
    if random.random() < 0.25:
        kind = "application/json" if door.is_of_api and random.random() < 0.8 else random.choice(TYPES)
        return random.choice(BODIES), kind
    for _ in range(random.randint(1, 3)):
        name = random.choice([*sent, *FIELDS]) if sent and random.random() < 0.6 else random.choice(FIELDS)
        sent[name] = random.choice(VALUES)
    if door.is_of_api:
        listed = [sent] if "activities" in door.route and random.random() < 0.3 else sent
        return json.dumps(listed).encode(), "application/json"
    return _form({name: value if isinstance(value, str) else _plain(value) for name, value in sent.items()})


def _form(sent: dict[str, Any]) -> tuple[bytes, str]:
    pairs = {name: _sendable(str(value)) for name, value in sent.items()}
    return urlencode(pairs).encode(), "application/x-www-form-urlencoded"


def _plain(value: Any) -> str:
    return str(value)[:4000] if not isinstance(value, int) or value.bit_length() < 10_000 else "9" * 400


def _sendable(text: str) -> str:
    """Return ``text`` as an address can hold it: half a letter becomes the bytes that would be it."""
    return (
        text.encode("utf-8", "surrogatepass").decode("latin-1")
        if any("\ud800" <= one <= "\udfff" for one in text)
        else text
    )


def _header(text: str) -> str:
    """Return ``text`` as a server passes it on: bytes as Latin-1, and never a line's end."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1").replace("\r", "").replace("\n", "")[:4000]

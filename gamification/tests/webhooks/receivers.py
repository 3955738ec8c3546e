"""Somebody else's server: it listens on a port of this machine, and answers as well or as badly as a test wants."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Received:
    """A request as it came: headers in lower case, the body to the letter."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return self.payload["type"]

    def is_signed_by(self, secret: str) -> bool:
        """Tell whether one of the signatures is that of ``secret``; as the standard has it, by nothing of ours."""
        key = base64.b64decode(secret.split("_", 1)[1])
        signed = b".".join([self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body])
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(expected, each) for each in self.headers["webhook-signature"].split(" "))


@dataclass
class Receiver:
    """A server, what it has received, and ``answer``: what it does with a request, by default 204.

    ``answer`` returns a status, or a status and headers, or speaks through the handler itself and returns None.
    """

    url: str
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received, BaseHTTPRequestHandler], Any] = lambda received, handler: 204

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.received]

    @property
    def types(self) -> list[str]:
        return [each.type for each in self.received]


@contextmanager
def receiver(tls: Any = None) -> Iterator[Receiver]:
    """Yield a server on a free port; with the context ``tls`` it speaks https."""
    here = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                return  # whoever sent it was killed over it
            received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            here.received.append(received)
            answered = here.answer(received, self)
            if answered is None:
                return
            status, headers = answered if isinstance(answered, tuple) else (answered, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *args: Any) -> None:
            """Say nothing: tests cut connections off."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        here.url = f"{scheme}://127.0.0.1:{server.server_port}/hooks?from=us"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield here
        finally:
            server.shutdown()

"""One POST to somebody else's server: bounded in time, straight to a checked address, no redirects, no body read."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from socket import SHUT_RDWR
from time import monotonic
from typing import TYPE_CHECKING, Any

from gamification.engine import addresses
from gamification.models.webhooks import Failure

try:
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
    from urllib3.exceptions import TimeoutError as RequestTimeout
except ImportError:  # the extra `webhooks` is not installed
    HAS_URLLIB3 = False
else:
    HAS_URLLIB3 = True

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gamification.engine.addresses import Target

#: Seconds until the next address of a host is tried.
CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a ``status`` with its ``retry_after`` header, or the ``failure``, why nothing did."""

    status: int | None = None
    retry_after: str = ""
    failure: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    """Send ``body`` to ``url`` and return the answer; whatever goes wrong is one too.

    It is over after ``seconds``, however slowly the other side talks. What it says beside its status is not read.
    """
    until = monotonic() + seconds
    try:
        target = addresses.target(url)
        found = addresses.addresses(target.host, target.port)
    except addresses.ForbiddenURL:
        return Answer(failure=Failure.FORBIDDEN)
    except addresses.UnknownHost:
        return Answer(failure=Failure.NO_ADDRESS)
    failure: str = Failure.CONNECTION
    for address in found:
        if (remaining := until - monotonic()) <= 0:
            return Answer(failure=Failure.TIMEOUT)
        connection = _connection(target, address, min(remaining, CONNECT_SECONDS))
        with _closed_after(connection, remaining) as is_late:
            try:
                connection.connect()
            except (OSError, HTTPError) as error:
                failure = _why(error, is_late=is_late.is_set())
                continue
            return _ask(connection, target, body, headers, is_late, until)
    return Answer(failure=failure)


def _ask(
    connection: HTTPConnection,
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    is_late: threading.Event,
    until: float,
) -> Answer:
    """Send the request over an open connection. Once it was sent, no other address is tried."""
    if is_late.is_set():  # while the encryption was agreed on there was nothing yet to cut off
        return Answer(failure=Failure.TIMEOUT)
    try:
        if connection.sock is not None:
            connection.sock.settimeout(max(until - monotonic(), 0.001))
        connection.request(
            "POST", target.path, body=body, headers={**headers, "Host": target.authority}, preload_content=False
        )
        response = connection.getresponse()
    except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
        return Answer(failure=_why(error, is_late=is_late.is_set()))
    return Answer(status=response.status, retry_after=response.headers.get("Retry-After", ""))


def _connection(target: Target, address: str, seconds: float) -> HTTPConnection:
    if not target.is_secure:
        return HTTPConnection(address, target.port, timeout=seconds)
    # The address is connected to, and the name is what the certificate has to be for.
    return HTTPSConnection(address, target.port, timeout=seconds, ssl_context=_tls(), server_hostname=target.host)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _closed_after(connection: HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """Cut a connection off after ``seconds``, and close it at the end; the event tells whether it was cut off.

    A timeout of a socket begins anew with each byte, and a server may send one now and then for ever.
    """
    is_late = threading.Event()

    def cut() -> None:
        is_late.set()
        sock: Any = connection.sock
        with suppress(OSError, AttributeError):
            sock.shutdown(SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
        connection.close()


def _why(error: Exception, *, is_late: bool) -> str:
    if is_late or isinstance(error, TimeoutError | RequestTimeout):
        # The library calls it a timeout too when nobody listens.
        return Failure.CONNECTION if isinstance(error, NewConnectionError) and not is_late else Failure.TIMEOUT
    return Failure.TLS if isinstance(error, ssl.SSLError | SSLError) else Failure.CONNECTION

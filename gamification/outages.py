"""Databases that are away, locked or full: what is no defect of ours, and passes by itself.

The API answers it with a problem, pages with one to read: both 503, both saying when to come again.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.utils import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from django.template.loader import select_template
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults

#: Seconds after which asking again may help.
RETRY_AFTER = 5
#: Milliseconds that a reader waits for SQLite's write lock, for what it can do without.
MOMENT = 100
#: The site's own page where it has one. Neither may ask for the user: that takes the database. ``address`` is where to
#: try again.
TEMPLATES = ("503.html", "gamification/503.html")

#: By their codes, without what an extended one adds: busy, locked, out of memory, read-only, interrupted, input and
#: output, full, cannot open, locking protocol.
SQLITE_CODES = frozenset({5, 6, 7, 8, 9, 10, 13, 14, 15})
#: By the first two characters of their SQLSTATE: no connection, rolled back over others (deadlock, serialization), out
#: of resources (disk, memory, connections), stopped by the server or a timeout, its system failed.
POSTGRESQL_CLASSES = frozenset({"08", "40", "53", "57", "58"})
#: A read-only transaction; a transaction that idled too long, or took too long; in use; locked.
POSTGRESQL_STATES = frozenset({"25006", "25P03", "25P04", "55006", "55P03"})
#: A statement that took too long: it may be a slow one of ours.
CANCELED = "57014"

logger = logging.getLogger(__name__)


def is_outage(error: BaseException) -> bool:
    """Tell whether ``error`` says that the database is away, locked, full or read-only, and not that we asked wrong."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in SQLITE_CODES
    state = _sqlstate(error)
    if state:
        return state[:2] in POSTGRESQL_CLASSES or state in POSTGRESQL_STATES
    return isinstance(error, OperationalError | InterfaceError)


def report(error: BaseException) -> None:
    """Log an outage in a line: while it lasts there is one for every request. A slow statement says where it was."""
    told = error if _sqlstate(error) == CANCELED else None
    logger.error("The database is away, locked or full: %s", str(error).strip().replace("\n", " "), exc_info=told)


def _sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's code of what Django's ``error`` came from, or the empty text."""
    return getattr(error.__cause__, "sqlstate", None) or ""


@contextmanager
def impatient() -> Iterator[None]:
    """Fail within a moment where somebody holds SQLite's write lock: for what a reader writes and can do without.

    On PostgreSQL nothing but rows is locked, and ``SKIP LOCKED`` passes over those.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    (before,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute(f"PRAGMA busy_timeout = {min(before, MOMENT)}")
    try:
        yield
    finally:
        if connection.connection is driver:
            driver.execute(f"PRAGMA busy_timeout = {before}")


class OutageMiddleware:
    """Answer 503, with a page that says so, where the database is away, locked or full; defects stay what they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _page(request, error) if is_outage(error) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer as ``handler500`` what failed outside of views, where no middleware sees it: sessions, pages of errors."""
    error = sys.exc_info()[1]
    return _page(request, error) if error is not None and is_outage(error) else defaults.server_error(request)


def _page(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Return the page; it is given no request, whose user, session and messages may all take the database."""
    report(error)
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    page = select_template(TEMPLATES).render({"address": _where_to_try_again(request)})
    return HttpResponse(page, status=503, headers=headers)


def _where_to_try_again(request: HttpRequest) -> str:
    """Return an address to follow: that of the page itself is empty; a form is found on the page that it came from."""
    if request.method in {"GET", "HEAD"}:
        return ""
    before = request.headers.get("Referer", "")
    return before if url_has_allowed_host_and_scheme(before, {request.get_host()}) else "/"

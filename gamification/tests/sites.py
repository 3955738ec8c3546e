"""The project behind gunicorn, as a server runs it, and a client that speaks to it as the proxy in front would."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gamification.tests.servers import ROOT, START_SECONDS, STOP_SECONDS, _free_port, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "practice.example.com"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back; ``cookies`` are those that were set."""

    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def body(self) -> str:
        return self.raw.decode(errors="replace")

    @property
    def cookies(self) -> SimpleCookie:
        found = SimpleCookie()
        for header in self.headers.get_all("Set-Cookie") or ():
            found.load(header)
        return found


@dataclass
class Client:
    """Somebody with cookies of their own, behind ``address``; ``token`` is one of the API."""

    port: int
    address: str = "198.51.100.7"
    token: str = ""
    jar: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Mapping[str, str] | str | None = None, **headers: str) -> Answer:
        """Send a request and return the answer; a mapping is sent as a form."""
        sent = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": self.address}
        if self.jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        if self.token:
            sent["Authorization"] = f"Token {self.token}"
        if body is not None and not isinstance(body, str):
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://{HOST}{path}"}
            body = urlencode(body)
        elif body is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method, path, body, sent | {name.replace("_", "-"): text for name, text in headers.items()}
            )
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        self.jar |= {name: morsel.value for name, morsel in answer.cookies.items() if morsel.value}
        return answer

    def post(self, page: str, fields: Mapping[str, str], path: str = "") -> Answer:
        """Open ``page`` and send its form, to ``path`` where that is another address."""
        token = TOKEN.search(self.ask("GET", page).body)
        return self.ask("POST", path or page, {"csrfmiddlewaretoken": token[1] if token else "", **fields})

    def sign_in(self, page: str, name: str, password: str) -> Answer:
        return self.post(page, {"username": name, "password": password})


@contextmanager
def gunicorn(env: Mapping[str, str], folder: Path, *, workers: int = 1, options: tuple[str, ...] = ()) -> Iterator[int]:
    """Serve the project with the configuration that servers use, and yield the port; all output goes to ``log``."""
    port, log = _free_port(), folder / "log"
    command = [sys.executable, "-m", "gunicorn", "--config", "python:project.gunicorn", "project.wsgi"]
    command += ["--chdir", str(ROOT), "--bind", f"127.0.0.1:{port}", "--workers", str(workers), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(env), stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, log)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if Client(port).ask("GET", "/healthz").status == 200:
                return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"gunicorn did not start:\n{log.read_text()}")
        time.sleep(0.1)

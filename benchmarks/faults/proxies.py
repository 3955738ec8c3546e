"""A way to a server that can be shut, fall silent or become slow."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.faults.served import free_port

THROUGH, SILENT, SLOW, REFUSED = "through", "silent", "slow", "refused"
AT_ONCE = 65_536


class Proxy:
    """Hands on what comes in on ``port``, as its ``mode`` says; ``delay`` is that of slow answers, in seconds."""

    def __init__(self, to_port: int, *, delay: float) -> None:
        self.port, self.mode = free_port(), THROUGH
        self._to_port, self._delay = to_port, delay
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.loop = asyncio.new_event_loop()

    def become(self, mode: str) -> None:
        """Go on in another way; ``refused`` also ends what is open."""
        asyncio.run_coroutine_threadsafe(self._become(mode), self.loop).result(10)

    async def _become(self, mode: str) -> None:
        self.mode = mode
        if mode == REFUSED and self._server:
            self._server.close()
            self._server = None
            for writer in list(self._open):
                writer.transport.abort()
        elif mode != REFUSED and not self._server:
            self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        await asyncio.gather(self._hand_on(reader, far_writer), self._hand_on(far_reader, writer, is_answer=True))
        self._open -= {writer, far_writer}

    async def _hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(AT_ONCE):
                if is_answer and self.mode == SLOW:
                    await asyncio.sleep(self._delay)
                if self.mode != SILENT:  # what it swallowed is not said later: the other side has long hung up
                    writer.write(data)
                    await writer.drain()
        writer.close()


@contextmanager
def proxy(to_port: int, *, delay: float) -> Iterator[Proxy]:
    """Yield a proxy that runs in a thread of its own."""
    made = Proxy(to_port, delay=delay)
    thread = threading.Thread(target=made.loop.run_forever, daemon=True)
    thread.start()
    made.become(THROUGH)
    try:
        yield made
    finally:
        made.become(REFUSED)
        time.sleep(0.1)  # what was open comes to its end
        made.loop.call_soon_threadsafe(made.loop.stop)
        thread.join()

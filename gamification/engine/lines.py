"""Lines of a file that somebody sent: numbered, bounded, unpacked, and never a reason to stop."""

from __future__ import annotations

import gzip
import io
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

#: Longer than any row that could be accepted, and short enough to be held in memory.
ROW_MAX_BYTES = 65_536
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
BROKEN = (OSError, EOFError, zlib.error)


class BrokenFileError(Exception):
    """The file itself cannot be read to its end."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number, from 1. ``problem`` says what is wrong with it as such: not_utf8 or too_long."""

    number: int
    text: str
    problem: str = ""


class Lines:
    """The lines of a stream, gzipped or not, with a way back for those that turn out to belong to another row.

    ``start`` is the first character that is no white space, as bytes.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = _buffered(stream)
        self._waiting: deque[Line] = deque()
        self._number = 0
        try:
            if self._stream.peek(2)[:2] == GZIP:
                self._stream = _buffered(gzip.GzipFile(fileobj=self._stream))
            first = self._stream.peek(1)
        except BROKEN as error:
            raise BrokenFileError(str(error)) from error
        self.is_empty = not first
        self.start = first.removeprefix(BOM).lstrip()[:1]

    def take(self) -> Line | None:
        """Return the next line, None after the last. One that is too long comes without its text.

        Raises:
            BrokenFileError: the file breaks off here.
        """
        if self._waiting:
            return self._waiting.popleft()
        raw = self._read()
        if not raw:
            return None
        self._number += 1
        if len(raw) > ROW_MAX_BYTES:
            while raw and not raw.endswith(b"\n"):
                raw = self._read()
            return Line(self._number, "", "too_long")
        if self._number == 1:
            raw = raw.removeprefix(BOM)
        try:
            return Line(self._number, raw.decode())
        except UnicodeDecodeError:
            return Line(self._number, raw.decode(errors="replace"), "not_utf8")

    def put_back(self, lines: Sequence[Line]) -> None:
        """Let ``lines`` be taken again, the first of them next."""
        self._waiting.extendleft(reversed(lines))

    def _read(self) -> bytes:
        try:
            return self._stream.readline(ROW_MAX_BYTES + 1)
        except BROKEN as error:
            raise BrokenFileError(f"it breaks off after line {self._number:,}: {error}") from error


def _buffered(stream: object) -> io.BufferedReader:
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", stream))

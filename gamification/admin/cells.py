"""Cells of a CSV file: no text in them is taken for a formula by a spreadsheet, and none is lost by that."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Spreadsheets know a file as UTF-8 by this.
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
#: What a formula can begin with; apostrophes before it are those of :func:`safe`.
FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def safe(value: object) -> object:
    """Return ``value`` with an apostrophe in front, if it is a text that a spreadsheet could run. Numbers stay."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def restored(text: str) -> str:
    """Return the text that :func:`safe` made ``text`` of."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


class _Line:
    """What the writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file of ``rows``, one at a time."""
    writer: Any = csv.writer(_Line())
    yield BOM
    for row in rows:
        yield writer.writerow([safe(value) for value in row])

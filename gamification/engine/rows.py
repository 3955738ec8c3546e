"""Rows of a file of activities, CSV or JSONL: what cannot be read is named with its line, and the rest goes on."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Never

from gamification.engine.lines import ROW_MAX_BYTES, Line, Lines

CSV, JSONL = "csv", "jsonl"
REQUIRED = ("user", "kind", "occurred_at", "key")
COLUMNS = (*REQUIRED, "quantity", "timezone", "data")
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,30}")
PROBLEMS = {
    "not_utf8": "The row is not UTF-8.",
    "too_long": f"The row is longer than {ROW_MAX_BYTES:,} bytes.",
    "bad_csv": "The row is not CSV: a quote is missing or misplaced.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row did not go in. ``line`` counts from 1 and is the row's first; ``field`` may be empty."""

    line: int
    code: str
    reason: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says, by column; a column of which it says nothing is absent."""

    line: int
    values: dict[str, Any]


class UnreadableRow(Exception):
    """A row that does not have the form of one."""

    def __init__(self, code: str, reason: str = "", field: str = "") -> None:
        super().__init__(reason or PROBLEMS[code])
        self.code = code
        self.field = field


def read(lines: Lines, form: str = "") -> Iterator[Row | Refusal]:
    """Yield the rows in their order, each as a row or as the reason why it is none; empty lines are passed over.

    ``form`` is ``csv`` or ``jsonl``; left out, the first character tells.
    """
    if lines.is_empty:
        yield Refusal(1, "empty_file", "There is nothing in the file.")
    elif (form or (JSONL if lines.start == b"{" else CSV)) == JSONL:
        yield from _json_rows(lines)
    else:
        yield from _csv_rows(lines)


def _csv_rows(lines: Lines) -> Iterator[Row | Refusal]:
    header: list[str] | None = None
    while (first := lines.take()) is not None:
        try:
            fields = _csv_record(first, lines, header)
            if not fields:
                continue
            if header is None:
                header = _checked_header(fields)
            else:
                yield Row(first.number, _values(dict(zip(header, fields, strict=True))))
        except UnreadableRow as error:
            yield Refusal(first.number, error.code, str(error), error.field)
            if header is None:
                return


def _csv_record(first: Line, lines: Lines, header: list[str] | None) -> list[str]:
    """Return the fields of the row that starts on ``first``; none for an empty line.

    Only JSON may go over several lines. A quote that was never closed would swallow the rows behind it: they are put
    back, so that it costs no more than the line it is on.
    """
    if first.problem == "too_long":
        raise UnreadableRow("too_long")
    more: list[Line] = []

    def pull() -> Iterator[str]:
        yield first.text
        size = len(first.text)
        while size <= ROW_MAX_BYTES and (line := lines.take()) is not None:
            more.append(line)
            size += len(line.text)
            if line.problem == "too_long":
                return
            yield line.text

    try:
        fields = next(csv.reader(pull(), strict=True), [])
        _check_record(fields, header, [first, *more])
    except csv.Error as error:
        lines.put_back(more)
        raise UnreadableRow("bad_csv") from error
    except UnreadableRow:
        lines.put_back(more)
        raise
    return fields


def _check_record(fields: list[str], header: list[str] | None, taken: list[Line]) -> None:
    if any(line.problem for line in taken):
        raise UnreadableRow("not_utf8")
    if header is None or not fields:
        return
    if len(taken) > 1 and any("\n" in text for name, text in zip(header, fields, strict=False) if name != "data"):
        raise UnreadableRow("bad_csv")
    if len(fields) != len(header):
        code = "missing_columns" if len(fields) < len(header) else "too_many_columns"
        raise UnreadableRow(code, f"The row has {len(fields)} columns, the header {len(header)}.")


def _checked_header(fields: list[str]) -> list[str]:
    names = [name.strip() for name in fields]
    if missing := [name for name in REQUIRED if name not in names]:
        raise UnreadableRow("missing_columns", f"The header lacks {', '.join(missing)}.")
    if unknown := [name for name in names if name not in COLUMNS or names.count(name) > 1]:
        raise UnreadableRow("unknown_column", f"The header has {_shown(unknown)}; known, each once: {_shown(COLUMNS)}.")
    return names


def _values(texts: dict[str, str]) -> dict[str, Any]:
    """Return what the texts of a CSV row stand for; an empty one stands for nothing."""
    values: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if "quantity" in values:
        if not WHOLE_NUMBER.fullmatch(values["quantity"]):
            raise UnreadableRow("invalid", "quantity must be a whole number.", "quantity")
        values["quantity"] = int(values["quantity"])
    if "data" in values:
        values["data"] = _json(values["data"], "data")
    return values


def _json_rows(lines: Lines) -> Iterator[Row | Refusal]:
    while (line := lines.take()) is not None:
        if not line.problem and not line.text.strip():
            continue
        try:
            yield Row(line.number, _json_object(line))
        except UnreadableRow as error:
            yield Refusal(line.number, error.code, str(error), error.field)


def _json_object(line: Line) -> dict[str, Any]:
    if line.problem:
        raise UnreadableRow(line.problem)
    value = _json(line.text, "The line")
    if not isinstance(value, dict):
        raise UnreadableRow("not_an_object", "The line is not a JSON object.")
    if missing := [name for name in REQUIRED if name not in value and name != "key"]:
        raise UnreadableRow("missing_columns", f"The object lacks {', '.join(missing)}.")
    if unknown := [name for name in value if name not in COLUMNS]:
        raise UnreadableRow("unknown_column", f"The object has {_shown(unknown)}; known: {_shown(COLUMNS)}.")
    return {name: inner for name, inner in value.items() if inner is not None}


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        field = what if what in COLUMNS else ""
        raise UnreadableRow("bad_json", f"{what} is not JSON: {ascii(str(error))[1:-1][:100]}.", field) from error


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no number of JSON")


def _shown(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(ascii(name)[1:-1][:50] for name in names[:10])

"""Definitions as files: CSV, JSON and, where PyYAML is installed, YAML."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gamification.admin import cells
from gamification.admin.forms import AchievementForm

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

if TYPE_CHECKING:
    from gamification.models import Achievement

#: What a file holds of a definition: what its form asks for.
FIELDS = AchievementForm.Meta.fields
NUMBERS, SWITCHES, CONDITIONS = ("xp_reward", "order"), ("is_active", "is_hidden"), "conditions"
MAX_BYTES = 500_000
MAX_ROWS = 1_000
CONTENT_TYPES = {"csv": "text/csv", "json": "application/json", "yaml": "application/yaml"}
DELIMITERS = (",", ";", "\t")
YAML_DEPTH, YAML_EVENTS = 20, 100_000
#: YAML knows numbers to the base of 60, and takes minutes to work out a long one.
LONG_NUMBER = re.compile(r"[-+]?[0-9][0-9:_.]{99,}")


class FileProblem(Exception):
    """A file that cannot be read, with the reason in a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition in a file: where it stands, counted as people do, and its fields as they were written."""

    number: int
    fields: dict[str, Any]


def values(row: Achievement) -> dict[str, Any]:
    """Return a definition by the names of its columns."""
    return {name: getattr(row, name) for name in FIELDS}


def formats() -> list[str]:
    """Return the formats that can be read and written here."""
    return [name for name in CONTENT_TYPES if name != "yaml" or HAS_YAML]


# Writing


def written(rows: list[dict[str, Any]], file_format: str) -> str:
    """Return a file of definitions that can be imported again."""
    if file_format == "json":
        return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    if file_format == "yaml":
        # Through JSON, so that what is the same object is not written as a reference.
        return str(yaml.safe_dump(json.loads(json.dumps(rows)), allow_unicode=True, sort_keys=False, width=120))
    body = [[as_text(name, row[name]) if name not in NUMBERS else row[name] for name in FIELDS] for row in rows]
    return "".join(cells.lines([FIELDS, *body]))


def as_text(name: str, value: object) -> str:
    """Return ``value`` as a form takes it from its field.

    Raises:
        FileProblem: it is of a kind that the field does not have.
    """
    if name == CONDITIONS and not isinstance(value, str):
        return _json(value)
    if isinstance(value, str):
        return _encodable(value)
    if value is None:
        return ""
    if name in SWITCHES and isinstance(value, bool):
        return "true" if value else "false"
    if name in NUMBERS and type(value) is int:
        return str(value)
    if name in NUMBERS:
        raise FileProblem(_("This must be a whole number."))
    if name in SWITCHES:
        raise FileProblem(_("This must be true or false."))
    raise FileProblem(_("This must be a text; put it in quotes."))


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False) if value is not None else ""
    except (TypeError, ValueError, RecursionError) as error:
        raise FileProblem(_("This is no JSON that a condition can be.")) from error


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FileProblem(_("This holds half a character.")) from error
    return text


# Reading


def read(name: str, text: str) -> list[Entry]:
    """Return the definitions in a file; ``name`` tells its format.

    Raises:
        FileProblem: it is none, has too many definitions, or columns that there are not.
    """
    found = PurePath(name).suffix.lower().lstrip(".").replace("yml", "yaml")
    if found not in formats():
        known = ", ".join(f".{each}" for each in formats())
        raise FileProblem(_("The name of the file must end in one of {known}.").format(known=known))
    entries = READERS[found](text.removeprefix(cells.BOM))
    if len(entries) > MAX_ROWS:
        raise FileProblem(
            ngettext(
                "A file may have at most {number} definition.",
                "A file may have at most {number} definitions.",
                MAX_ROWS,
            ).format(number=f"{MAX_ROWS:,}")
        )
    strange = sorted({ascii(column) for entry in entries for column in entry.fields if column not in FIELDS})
    if strange:
        names = ", ".join(strange[:5])
        raise FileProblem(
            _("There is no field {names}; there are {known}.").format(names=names, known=", ".join(FIELDS))
        )
    return entries


def decoded(content: bytes) -> str:
    """Return the text of a file.

    Raises:
        FileProblem: it is not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise FileProblem(_("The file is not a text in UTF-8.")) from error


def _read_csv(text: str) -> list[Entry]:
    first_line = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header, *rows = [row for row in reader if row] or [[]]
    except csv.Error as error:
        said = _("Line {line} cannot be read: {reason}.").format(line=reader.line_num, reason=error)
        raise FileProblem(said) from error
    header = [name.strip() for name in header]
    if "achievement_id" not in header:
        raise FileProblem(_("The first line must name the columns, with achievement_id among them."))
    if len(set(header)) < len(header):
        raise FileProblem(_("The first line names a column twice."))
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            said = _("Row {row} has {cells} cells, the first line {columns}.")
            raise FileProblem(said.format(row=number, cells=len(row), columns=len(header)))
    return [
        Entry(number, dict(zip(header, map(cells.restored, row), strict=True)))
        for number, row in enumerate(rows, start=2)
    ]


def _read_json(text: str) -> list[Entry]:
    try:
        return _entries(json.loads(text))
    except json.JSONDecodeError as error:
        said = _("Line {line}, column {column} is not JSON: {reason}.")
        raise FileProblem(said.format(line=error.lineno, column=error.colno, reason=error.msg)) from error
    except (ValueError, RecursionError) as error:
        raise FileProblem(_("This JSON is nested too deep, or has too long a number.")) from error


def _read_yaml(text: str) -> list[Entry]:
    try:
        _look_through(text)
        return _entries(_loader()(text).get_single_data())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = _("This is not YAML.") if mark is None else _("Line {line} is not YAML.").format(line=mark.line + 1)
        raise FileProblem(said) from error
    except (ArithmeticError, ValueError, RecursionError, TypeError) as error:
        raise FileProblem(_("This YAML is nested too deep, or has a value that cannot be read.")) from error


def _loader() -> Any:
    """Return the safe loader that is written in C, where there is one: ten times as fast."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _look_through(text: str) -> None:
    """Refuse what would take long to load, before it is."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_loader())):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            # A few of them inside each other make a text of any length.
            raise FileProblem(_("References (*name) are not read here."))
        if depth > YAML_DEPTH or number > YAML_EVENTS:
            raise FileProblem(_("This YAML is nested too deep, or has too many parts."))
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            # By one a text of any form becomes a number.
            raise FileProblem(_("Tags (!name) are not read here."))
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and LONG_NUMBER.fullmatch(event.value):
            raise FileProblem(_("This YAML has too long a number."))


def _entries(raw: object) -> list[Entry]:
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise FileProblem(_("The file must be a list of definitions, each with its fields by name."))
    return [Entry(number, each) for number, each in enumerate(raw, start=1)]


READERS: dict[str, Callable[[str], list[Entry]]] = {"csv": _read_csv, "json": _read_json, "yaml": _read_yaml}

"""The app is built in floors: a module imports only from floors below its own. This holds it, and a few lengths."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = Path(__file__).resolve().parents[1]

FLOORS = [
    {"domain", "exceptions"},
    {"conf", "signals", "replicas", "plots", "outages"},
    {"models"},
    {"backends", "migrations"},
    {"engine"},
    {"tasks", "login"},
    {"services", "checks"},
    {"api", "dashboard", "admin", "management", "apps", "prometheus"},
    {"templatetags"},  # show elsewhere what the dashboard shows
]
FLOOR_OF = {unit: number for number, units in enumerate(FLOORS) for unit in units}

# The rules are pure, so what they stand on is too: the standard library, without what reads a clock, a disk or a net.
PURE = {"domain", "exceptions"}
PURE_THIRD_PARTY = {"jsonschema"}
# fmt: off
IMPURE_STANDARD = {
    "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil", "signal",
    "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
}
# fmt: on
IMPURE_CALLS = {"now", "open", "today", "utcnow"}

# Django imports an app's configuration before its models exist, so what needs them waits for ready().
IMPORTS_LATE = {("gamification.apps", "ready")}

MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 50
# Files that may be longer, each with why.
LONG_FILES: dict[str, str] = {}


@dataclass(frozen=True)
class Import:
    """One imported name: by whom, what, on which line, in which function if in one."""

    importer: str
    target: str
    line: int
    function: str | None


@dataclass(frozen=True)
class Module:
    """One file of the app, ``name`` dotted and with the app's own name in front."""

    name: str
    is_package: bool
    tree: ast.Module
    lines: int

    @property
    def unit(self) -> str:
        """Return what the floors are made of: the name below the app's; the app's own module has none."""
        return self.name.split(".")[1] if "." in self.name else ""


def read(app: Path) -> dict[str, Module]:
    """Return every module of ``app`` but its tests, by name."""
    modules = {}
    for path in sorted(app.rglob("*.py")):
        parts = path.relative_to(app.parent).with_suffix("").parts
        if "tests" in parts:
            continue
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = path.read_text()
        modules[name] = Module(name, is_package, ast.parse(text), len(text.splitlines()))
    return modules


def imports(module: Module, modules: dict[str, Module]) -> Iterator[Import]:
    """Yield what ``module`` imports, wherever in the file; ``from package import module`` counts as that module."""

    def walk(node: ast.AST, function: str | None) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(module.name, alias.name, child.lineno, function) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                source = _absolute(module, child)
                for alias in child.names:
                    name = f"{source}.{alias.name}"
                    is_module = name in modules or ("." not in source and not alias.name.startswith("__"))
                    yield Import(module.name, name if is_module else source, child.lineno, function)
            inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            yield from walk(child, inside)

    yield from walk(module.tree, None)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parents = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*parents, *([node.module] if node.module else [])])


def problems(app: Path) -> list[str]:
    """Return one sentence for each thing in ``app`` that the house does not allow."""
    modules = read(app)
    found = [found for module in modules.values() for found in imports(module, modules)]
    return [
        *(
            f"{name} is on no floor; say in FLOORS where it belongs"
            for name in sorted({m.unit for m in modules.values()} - {"", *FLOOR_OF})
        ),
        *(f"{each.importer}:{each.line} {why}" for each in found for why in _import_problems(each, modules, app.name)),
        *_circles(found),
        *(problem for module in modules.values() for problem in _purity_problems(module)),
        *(problem for module in modules.values() for problem in _length_problems(module)),
    ]


def _import_problems(found: Import, modules: dict[str, Module], app: str) -> Iterator[str]:
    importer, target = found.importer, found.target
    unit = modules[importer].unit
    top = target.partition(".")[0]
    if found.function and (importer, found.function) not in IMPORTS_LATE:
        yield f"imports {target} inside the function {found.function}"
    if top == "project":
        yield f"imports {target}: the app knows no project"
    if not unit and importer == app:
        yield f"imports {target}: the app's own module imports nothing"
    if top != app:
        if unit in PURE and (top in IMPURE_STANDARD or top not in sys.stdlib_module_names | PURE_THIRD_PARTY):
            yield f"imports {target}: the domain is pure"
        return
    if ".tests" in target:
        yield f"imports {target}: tests are not shipped"
    elif target != app and unit:
        yield from _floor_problems(importer, target, unit, target.split(".")[1])


def _floor_problems(importer: str, target: str, unit: str, other: str) -> Iterator[str]:
    if not {unit, other} <= FLOOR_OF.keys():
        return
    if unit == other:
        if unit == "services" and importer.count(".") > 1:
            yield f"imports {target}: a service knows no sibling; what two need is a step of the engine"
    elif {unit, other} != PURE and FLOOR_OF[other] >= FLOOR_OF[unit]:
        yield f"imports {target}: {other} is not below {unit}"


def _circles(found: list[Import]) -> Iterator[str]:
    """Yield each group of modules that import one another, shortest way round."""
    graph: dict[str, set[str]] = {}
    for each in found:
        graph.setdefault(each.importer, set()).add(each.target)
    reported: set[str] = set()
    for start in sorted(graph):
        circle = _way_back(graph, start)
        if circle and not reported & set(circle):
            reported |= set(circle)
            yield f"{' -> '.join([*circle, start])}: an import circle"


def _way_back(graph: dict[str, set[str]], start: str) -> list[str]:
    """Return the shortest path from ``start`` to itself, without its end; empty where there is none."""
    paths = [[start]]
    seen: set[str] = set()
    for path in paths:
        for target in sorted(graph.get(path[-1], ())):
            if target == start:
                return path
            if target not in seen:
                seen.add(target)
                paths.append([*path, target])
    return []


def _purity_problems(module: Module) -> Iterator[str]:
    if module.unit not in PURE:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            if name in IMPURE_CALLS:
                yield f"{module.name}:{node.lineno} calls {name}(): the domain has no clock and no files"


def _length_problems(module: Module) -> Iterator[str]:
    if module.unit == "migrations":
        return
    if module.lines > MAX_FILE_LINES and module.name not in LONG_FILES:
        yield f"{module.name} has {module.lines} lines, more than {MAX_FILE_LINES}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{module.name}:{node.lineno} {node.name} has {length} lines, more than {MAX_FUNCTION_LINES}"


def test_the_app_keeps_to_its_floors():
    assert problems(APP) == []


def test_the_list_of_long_files_is_no_longer_than_it_must_be():
    modules = read(APP)

    assert [name for name in LONG_FILES if name not in modules or modules[name].lines <= MAX_FILE_LINES] == []


# The checker itself


@pytest.fixture
def problems_of(tmp_path):
    """Return a function that writes an app of the files given, by path, and returns what is wrong with it."""

    def _problems_of(files: dict[str, str]) -> list[str]:
        app = tmp_path / "gamification"
        for name, text in {"__init__": "", **files}.items():
            path = app / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        return problems(app)

    return _problems_of


def test_a_sound_tree_has_no_problems(problems_of):
    found = problems_of(
        {
            "__init__": '__version__ = "1"',
            "exceptions": "class Refused(Exception): ...",
            "domain/levels": "from datetime import date\nfrom gamification.exceptions import Refused",
            "conf": "from django.conf import settings\nfrom gamification.domain import levels",
            "models/xp": "from gamification import conf, __version__",
            "engine/ledger": "from gamification.models.xp import UserXP",
            "services/xp": "from gamification.engine import ledger\nfrom gamification.exceptions import Refused",
            "api/views": "from gamification.services import xp",
            "apps": "class Config:\n    def ready(self):\n        from gamification import checks",
            "checks": "from gamification import conf",
            "tests/test_xp": "from gamification.services import xp\nfrom project import urls",
        }
    )

    assert found == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("models/xp", "from gamification.services import xp", "services is not below models"),
        ("models/xp", "from gamification import services", "services is not below models"),
        ("models/xp", "import gamification.services.xp", "services is not below models"),
        ("models/xp", "from ..services import xp", "services is not below models"),
        ("engine/ledger", "from gamification.backends import base\nfrom gamification import checks", "checks is not"),
        ("checks", "from gamification.services import xp", "services is not below checks"),
        ("api/views", "from gamification.dashboard import views", "dashboard is not below api"),
        ("domain/levels", "from gamification.conf import get_settings", "conf is not below domain"),
        ("conf", "from gamification.signals import level_up", "signals is not below conf"),
        ("services/xp", "from gamification.services import streaks", "a service knows no sibling"),
        ("services/xp", "from gamification.services.streaks import touch", "a service knows no sibling"),
        ("services/xp", "from . import streaks", "a service knows no sibling"),
        ("services/xp", "from project import hooks", "the app knows no project"),
        ("services/xp", "from gamification.tests.factories import UserFactory", "tests are not shipped"),
        ("services/xp", "def award():\n    import decimal", "inside the function award"),
        (
            "services/xp",
            "class A:\n    async def b(self):\n        if 1:\n            import re",
            "inside the function b",
        ),
        ("apps", "def helper():\n    from gamification import checks", "inside the function helper"),
        (
            "models/xp",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from gamification.engine import ledger",
            "engine is not below models",
        ),
        ("domain/levels", "from django.utils import timezone", "the domain is pure"),
        ("domain/levels", "import requests", "the domain is pure"),
        ("domain/levels", "from pathlib import Path", "the domain is pure"),
        ("exceptions", "from rest_framework.exceptions import APIException", "the domain is pure"),
        ("domain/levels", "import datetime\nx = datetime.datetime.now()", "calls now()"),
        ("domain/levels", "x = open('x')", "calls open()"),
        ("__init__", "import os", "the app's own module imports nothing"),
        ("utils", "from gamification import conf", "utils is on no floor"),
        ("models/xp", "\n" * 251, "has 251 lines, more than 250"),
        ("models/xp", "def long():\n" + "    x = 1\n" * 50, "long has 51 lines, more than 50"),
    ],
)
def test_each_breach_is_found(problems_of, name, text, expected):
    found = problems_of({name: text})

    assert len(found) == 1
    assert expected in found[0]


def test_circles_are_found_within_a_floor_too(problems_of):
    found = problems_of(
        {
            "models/a": "from gamification.models.b import B",
            "models/b": "from gamification.models.c import C",
            "models/c": "from gamification.models import a",
        }
    )

    way = "gamification.models.a -> gamification.models.b -> gamification.models.c -> gamification.models.a"
    assert found == [f"{way}: an import circle"]


def test_a_package_and_its_module_can_be_a_circle(problems_of):
    found = problems_of(
        {
            "models/__init__": "from gamification.models.a import A",
            "models/a": "from gamification.models import B",
        }
    )

    assert found == ["gamification.models -> gamification.models.a -> gamification.models: an import circle"]

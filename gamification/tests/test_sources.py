"""What no source may hold: ways past the escaping, past the ORM and past the interpreter's own care."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Calls that make code, markup or SQL of a text.
CALLS = {"eval", "exec", "mark_safe", "SafeString", "extra", "RawSQL", "raw", "import_string", "__import__", "system"}
#: Names of the list above that are something else, or are given nothing that came from outside; each with why.
ALLOWED = {
    ("gamification/backends/sorted_sets/connection.py", "eval"): "a script of ours, in Redis",
    ("gamification/conf.py", "import_string"): "a dotted path of the project's settings",
    ("gamification/checks.py", "import_string"): "a dotted path of the project's settings",
    ("gamification/backends/__init__.py", "import_string"): "a dotted path of the project's settings",
}
#: Modules that write SQL, whose every value is a parameter; a text of SQL is never made of what came in.
SQL = {
    "gamification/backends/climbing.py",
    "gamification/backends/database.py",
    "gamification/backends/recipes.py",
    "gamification/engine/sql/reading.py",
    "gamification/engine/staging.py",  # of a file that only an import has
    "gamification/engine/sql/writing.py",
    "gamification/engine/throttling.py",
    "gamification/engine/sql/triggers.py",  # names from the models, quoted
    "gamification/models/erasing.py",
    "gamification/outages.py",
    "gamification/migrations/_locks.py",
    "gamification/migrations/_indexes.py",
    "gamification/replicas.py",
    "project/views.py",
}
TEMPLATE_HOLES = re.compile(r"\|\s*(safe|safeseq)\b|autoescape\s+off|\{%\s*(debug|load\s+\w*unsafe)")
SCRIPT_HOLES = re.compile(r"\beval\(|new Function\(|document\.write\(|insertAdjacentHTML|\bouterHTML\s*=")
HERE = "If it has to be, say why in gamification/tests/test_sources.py."


def sources(*endings: str) -> list[Path]:
    """Return our files with these endings: the app's and the project's, without tests, vendors and migrations."""
    folders = (ROOT / "gamification", ROOT / "project", ROOT / "templates")
    found = (path for folder in folders for ending in endings for path in folder.rglob(f"*{ending}"))
    return sorted(path for path in found if not {"tests", "vendor"} & set(path.relative_to(ROOT).parts))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def problems(name: str, text: str) -> list[str]:
    """Return the calls in a module that the list above forbids, and markup that is built before it is escaped."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in CALLS and (name, called) not in ALLOWED:
                found.append(f"{name}:{node.lineno} calls {called}()")
            if called in {"format_html", "format_html_join"} and not _is_fixed(node, called):
                found.append(f"{name}:{node.lineno} gives {called}() a text that is not fixed")
            is_sql = called in {"execute", "executemany", "callproc"} and node.args
            if is_sql and name not in SQL:
                found.append(f"{name}:{node.lineno} writes SQL of its own")
    return found


def _is_fixed(call: ast.Call, called: str) -> bool:
    """Tell whether the markup itself stands in the source, and nothing is filled in but by the function."""
    markup = call.args[:1] if called == "format_html" else call.args[:2]
    return all(isinstance(each, ast.Constant) for each in markup)


def test_no_module_makes_code_markup_or_sql_of_a_text():
    found = [each for path in sources(".py") for each in problems(named(path), path.read_text())]

    assert not found, f"{found}. {HERE}"


def test_no_template_turns_the_escaping_off():
    found = [named(path) for path in sources(".html", ".svg", ".txt") if TEMPLATE_HOLES.search(path.read_text())]

    assert not found, f"{found}. {HERE}"


def test_no_script_makes_code_or_markup_of_a_text():
    found = [named(path) for path in sources(".js") if SCRIPT_HOLES.search(path.read_text())]

    assert not found, f"{found}. {HERE}"


def test_what_is_allowed_is_still_there():
    texts = {named(path): path.read_text() for path in sources(".py")}

    assert [name for name, called in ALLOWED if f"{called}(" not in texts.get(name, "")] == []
    assert [name for name in SQL if "execute(" not in texts.get(name, "")] == []


@pytest.mark.parametrize(
    "text",
    [
        "eval(x)",
        "builtins.exec(x)",
        "mark_safe(f'<b>{x}</b>')",
        "rows.extra(where=[x])",
        "Model.objects.raw(x)",
        "format_html(f'<b>{x}</b>')",
        "format_html('<b>%s</b>' % x)",
        "format_html_join(x, '{}', rows)",
        "cursor.execute(x)",
    ],
)
def test_each_breach_is_found(text):
    assert len(problems("gamification/services/xp.py", text)) == 1


def test_a_fixed_text_is_no_breach():
    assert problems("gamification/services/xp.py", "format_html('<b>{}</b>', x)") == []

"""What docs/threat-model.md and docs/production.md say exists."""

from __future__ import annotations

import ast
import re

import pytest

from gamification.engine.throttling import DEFAULT_RATES, ERASE, LOGIN, LOGIN_ACCOUNT
from gamification.tests.servers import ROOT

MODEL, PRODUCTION, SECURITY = (
    (ROOT / name).read_text() for name in ("docs/threat-model.md", "docs/production.md", "SECURITY.md")
)
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", MODEL)))


def names_in(path):
    return {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_threat_model_names_exists():
    assert [f"{path}::{name}" for path, name in NAMED if name not in names_in(path)] == []
    assert len(NAMED) > 30


def test_every_line_of_its_tables_names_a_test():
    rows = re.findall(r"^\| (?:API|V)\d+ .*\|$", MODEL, re.MULTILINE)

    assert [row for row in rows if ".py::test_" not in row] == []


def test_every_item_of_the_top_10_is_there():
    assert re.findall(r"^\| (API\d+) ", MODEL, re.MULTILINE) == [f"API{number}" for number in range(1, 11)]


def test_every_variable_that_production_explains_exists():
    known = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", PRODUCTION, re.MULTILINE))

    assert explained
    assert explained <= known


@pytest.mark.parametrize(
    ("scope", "said"), [(LOGIN, "10 a minute"), (LOGIN_ACCOUNT, "10 an hour"), (ERASE, "5 times an hour")]
)
def test_the_rates_that_production_states_are_the_defaults(scope, said):
    requests, _, period = DEFAULT_RATES[scope].partition("/")

    assert said.split()[0] == requests
    assert said.split()[-1].startswith(period[:3])
    assert said in PRODUCTION


def test_every_check_that_production_lists_exists():
    code = "".join(path.read_text() for path in (ROOT / "gamification").rglob("*.py") if "tests" not in path.parts)
    listed = re.findall(r"`(gamification\.W\d+)`", PRODUCTION)

    assert len(listed) == 3
    assert [name for name in listed if f'"{name}"' not in code] == []


@pytest.mark.parametrize("text", [MODEL, PRODUCTION, SECURITY])
def test_links_between_pages_lead_somewhere(text):
    targets = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]

    folders = (ROOT, ROOT / "docs")
    assert [link for link in targets if not any((folder / link).is_file() for folder in folders)] == []

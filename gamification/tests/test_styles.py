"""The style sheets: a brace that is missing swallows every rule after it, and no page says so."""

from __future__ import annotations

import re

import pytest

from gamification.tests.servers import ROOT

SHEETS = [
    path
    for folder in ("gamification/static", "project/static")
    for path in sorted((ROOT / folder).rglob("*.css"))
    if "vendor" not in path.parts
]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_block_ends_where_its_indentation_says(sheet):
    text = re.sub(r"/\*.*?\*/", lambda note: re.sub(r"[^\n]", "", note[0]), sheet.read_text(), flags=re.DOTALL)
    depth, wrong = 0, []

    for number, line in enumerate(text.splitlines(), 1):
        if line and not line[0].isspace() and not line.startswith("}") and depth:
            wrong.append(f"{number}: {line}")
        depth += line.count("{") - line.count("}")

    assert wrong == []
    assert depth == 0

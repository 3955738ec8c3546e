"""The pictures of README and docs: all there, and all made by a command."""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from gamification.tests.servers import ROOT
from pictures import shots

IMAGES = ROOT / "docs" / "images"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: What `make bench` draws.
DRAWN = {"benchmarks-goals.svg", "benchmarks-growth.svg"}
MEGABYTE = 1_000_000
JAVASCRIPT_MAX = 60_000
SCRIPT = re.compile(r'<script[^>]*\ssrc="/static/([^"]+)"')


def named(page: Path) -> list[str]:
    """Return the paths of the pictures that a page shows, as Markdown or as HTML."""
    text = page.read_text()
    return [
        path for path in re.findall(r'!\[[^\]]*\]\(([^)]+)\)|<img[^>]*\ssrc="([^"]+)"', text) for path in path if path
    ]


def taken() -> set[str]:
    """Return the names of the pictures that the code of the scenes takes."""
    names = set(shots.TAGS)
    for node in ast.walk(ast.parse(Path(shots.__file__).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"take", "keep"}:
            names |= {part.value for part in node.args[:1] if isinstance(part, ast.Constant)}
    return {f"{name}.png" for name in names | {name for name, *_ in shots.PAGES}}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_that_a_page_names_is_there(page):
    missing = [path for path in named(page) if "://" not in path and not (page.parent / path).is_file()]

    assert missing == []


def test_every_picture_has_words_for_those_who_cannot_see_it():
    silent = [page.name for page in PAGES if re.search(r"!\[\s*\]\(|<img(?![^>]*\salt=\"[^\"]+\")", page.read_text())]

    assert silent == []


def test_every_picture_is_made_by_a_command_and_shown_somewhere():
    kept = {path.name for path in IMAGES.iterdir()}
    shown = {name for page in PAGES for name in re.findall(r"images/([\w-]+\.\w+)\)", page.read_text())}

    assert kept == taken() | DRAWN
    assert kept - shown == set()


def test_all_pictures_together_stay_small():
    assert sum(path.stat().st_size for path in IMAGES.glob("*.png")) < 3 * MEGABYTE


@pytest.mark.django_db
def test_the_dashboard_loads_at_most_60_kb_of_javascript(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("ada"))

    scripts = set(SCRIPT.findall(client.get("/gamification").text))

    assert {"gamification/vendor/htmx.min.js", "gamification/gamification.js"} <= scripts
    assert sum(len(gzip.compress(Path(finders.find(path)).read_bytes())) for path in scripts) <= JAVASCRIPT_MAX

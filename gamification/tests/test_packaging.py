"""What is shipped, and what it says it needs."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import gamification
from gamification.tests.servers import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENTS_IN = (ROOT / "requirements.in").read_text()
REQUIREMENTS_TXT = (ROOT / "requirements.txt").read_text()

# Modules whose name is not that of what brings them, both in the form that packaging calls normal.
DISTRIBUTION_OF = {
    "csp": "django-csp",
    "django-filters": "django-filter",
    "environ": "django-environ",
    "factory": "factory-boy",
    "packaging": "pytest",
    "pil": "pillow",
    "playwright": "pytest-playwright",
    "rest-framework": "djangorestframework",
    "yaml": "pyyaml",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.lstrip("_")).lower()


def distributions(paths: list[Path]) -> set[str]:
    """Return what has to be installed for the imports in ``paths``, the project's own modules left out."""
    modules = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules.add(node.module.partition(".")[0])
    modules -= sys.stdlib_module_names | {"gamification", "project", "pictures", "benchmarks", "conftest"}
    return {DISTRIBUTION_OF.get(name, name) for name in map(normal, modules)}


def declared(*groups: list[str]) -> dict[str, Requirement]:
    return {normal(requirement.name): requirement for group in groups for requirement in map(Requirement, group)}


def shipped_modules() -> list[Path]:
    return [path for path in (ROOT / "gamification").rglob("*.py") if "tests" not in path.parts]


def wanted() -> dict[str, Requirement]:
    return declared([line for line in REQUIREMENTS_IN.splitlines() if line and not line.startswith("#")])


DEPENDENCIES = declared(PYPROJECT["project"]["dependencies"])
EXTRAS = declared(*PYPROJECT["project"]["optional-dependencies"].values())


def test_the_changelog_tells_of_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert re.search(rf"^## {re.escape(gamification.__version__)} - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE)


def test_the_app_declares_what_it_imports_and_no_more():
    imported = distributions(shipped_modules())

    assert imported <= DEPENDENCIES.keys() | EXTRAS.keys()
    # tzdata is data: Python finds time zones in it where the system has none.
    assert DEPENDENCIES.keys() <= imported | {"tzdata"}


@pytest.mark.parametrize("requirement", [*DEPENDENCIES.values(), *EXTRAS.values()], ids=lambda each: each.name)
def test_requirements_are_floors_without_ceilings(requirement):
    assert [specifier.operator for specifier in requirement.specifier] == [">="]


def test_the_project_installs_all_that_the_app_requires():
    assert DEPENDENCIES.keys() <= wanted().keys()


def test_requirements_in_names_what_code_and_tests_import():
    paths = [*(ROOT / "gamification").rglob("*.py"), *(ROOT / "project").rglob("*.py"), ROOT / "conftest.py"]

    assert distributions(paths) <= wanted().keys()


def test_every_requirement_is_pinned_hashed_and_from_nowhere_in_particular():
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", REQUIREMENTS_TXT, flags=re.MULTILINE).strip())

    names = {normal(re.split(r"[\[=]", entry)[0]) for entry in entries}
    assert wanted().keys() <= names
    assert [
        entry for entry in entries if not re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry, re.DOTALL)
    ] == []
    assert "://" not in REQUIREMENTS_TXT


def test_the_lock_allows_what_requirements_in_allows():
    pins = dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)", REQUIREMENTS_TXT, re.MULTILINE))

    refused = [str(each) for name, each in wanted().items() if not each.specifier.contains(pins[name])]
    assert refused == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, without a network, and return the names of its files and its metadata."""
    copy = tmp_path_factory.mktemp("wheel") / "source"
    copy.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".*cache")
    shutil.copytree(ROOT / "gamification", copy / "gamification", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = "import setuptools.build_meta as b; b.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    (path,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        return names, archive.read(metadata).decode()


def test_the_wheel_holds_all_of_the_app(wheel):
    names, _ = wheel
    source = ROOT / "gamification"

    files = {path.relative_to(ROOT).as_posix() for path in source.rglob("*") if path.is_file()}
    expected = {name for name in files if not re.search(r"/tests/|__pycache__|\.pyc$", name)}
    assert expected - set(names) == set()


def test_the_wheel_holds_nothing_else(wheel):
    names, _ = wheel

    assert [name for name in names if not re.match(r"gamification/(?!tests/)|[\w.-]+\.dist-info/", name)] == []


def test_the_wheel_says_what_it_is(wheel):
    _, metadata = wheel

    assert f"Version: {gamification.__version__}\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert "License-Expression: MIT\n" in metadata


WITHOUT_EXTRAS = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"drf_spectacular", "PIL", "prometheus_client", "redis", "urllib3", "yaml"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from django.conf import settings
settings.configure(
    SECRET_KEY="secret",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "IMMEDIATE"}}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "gamification"],
    ROOT_URLCONF="gamification.api.urls",
)
import django
django.setup()
from django.core.management import call_command
call_command("check", fail_level="WARNING")
"""


def test_the_api_needs_none_of_the_extras_and_not_the_admin():
    done = subprocess.run([sys.executable, "-c", WITHOUT_EXTRAS], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")

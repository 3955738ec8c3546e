"""The catalogues: nothing is missing, nothing is guessed, and what is compiled is what is written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.utils.translation import override

from gamification.domain.activity_types import SHIPPED as KINDS
from gamification.domain.catalogue import CATALOGUE
from gamification.domain.levels import DEFAULT_TITLES
from gamification.engine import texts
from gamification.tests import servers
from gamification.tests.servers import ROOT

FOLDERS = (ROOT / "gamification", ROOT)
CATALOGUES = [folder / "locale/de/LC_MESSAGES/django.po" for folder in FOLDERS]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|</?\w+>")
#: What has no text of the demonstration site; `make messages` leaves out the same.
ELSEWHERE = ("gamification/*", "benchmarks/*", "docs/*", "build/*", "dist/*", "staticfiles/*", ".venv/*", "conftest.py")

each_catalogue = pytest.mark.parametrize("path", CATALOGUES, ids=["app", "site"])


@dataclass(frozen=True)
class Message:
    """A text to translate as it is compiled (context, singular and plural in one), and what it became."""

    key: str
    plural: str
    translations: tuple[str, ...]


def read(path: Path) -> dict[str, Message]:
    """Return the messages of a catalogue by key, without its header."""
    found = {}
    for block in path.read_text().split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            text = line
            if line.startswith("msg"):
                name, _space, text = line.partition(" ")
                fields[name] = ""
            if text.startswith('"'):
                fields[name] += text[1:-1].replace(r"\n", "\n").replace(r"\"", '"').replace("\\\\", "\\")
        if fields.get("msgid"):
            key = fields["msgctxt"] + "\x04" + fields["msgid"] if "msgctxt" in fields else fields["msgid"]
            told = tuple(text for name, text in fields.items() if name.startswith("msgstr"))
            found[key] = Message(key, fields.get("msgid_plural", ""), told)
    return found


def needs_gettext() -> None:
    if shutil.which("xgettext") is None:
        if servers.is_required():
            pytest.fail("xgettext is not installed, and REQUIRE_SERVICES=1 forbids to skip.")
        pytest.skip("xgettext is not installed: apt-get install gettext")


@each_catalogue
def test_nothing_is_empty_or_guessed(path):
    messages = read(path)

    assert len(messages) > 50
    assert [message.key for message in messages.values() if not all(message.translations)] == []
    assert [line for line in path.read_text().splitlines() if line.startswith("#,") and "fuzzy" in line] == []
    assert "\n#~" not in path.read_text(), "what nobody says any more"


@each_catalogue
def test_each_form_of_a_text_has_its_placeholders(path):
    wrong = [
        (message.key, told)
        for message in read(path).values()
        for original, told in zip(
            (message.key, message.plural or message.key), message.translations, strict=len(message.translations) == 2
        )
        if sorted(PLACEHOLDER.findall(original)) != sorted(PLACEHOLDER.findall(told))
    ]

    assert wrong == []


@each_catalogue
def test_german_has_two_forms_of_what_is_counted(path):
    messages = read(path).values()

    assert [each.key for each in messages if len(each.translations) != (2 if each.plural else 1)] == []
    assert r"nplurals=2; plural=(n != 1);" in path.read_text()


@each_catalogue
def test_what_is_compiled_is_what_is_written(path):
    with path.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)._catalog

    written = {}
    for message in read(path).values():
        if message.plural:
            written |= {(message.key, form): told for form, told in enumerate(message.translations)}
        else:
            written[message.key] = message.translations[0]
    assert {key: told for key, told in compiled.items() if key} == written


@pytest.mark.parametrize(
    ("path", "ignored"), list(zip(CATALOGUES, (("tests/*",), (*ELSEWHERE, "*/tests/*")), strict=True))
)
def test_every_text_of_the_source_is_in_the_catalogue(path, ignored, tmp_path):
    needs_gettext()
    folder = path.parents[3]
    for source in ("gamification", "project", "templates", "manage.py"):
        if folder == ROOT or source == "gamification":
            original = ROOT / source
            kept = shutil.ignore_patterns("locale", "tests", "static", "__pycache__")
            copy = tmp_path / source
            shutil.copytree(original, copy, ignore=kept) if original.is_dir() else shutil.copy(original, copy)
    work = tmp_path if folder == ROOT else tmp_path / "gamification"
    (work / "locale/de").mkdir(parents=True)

    skipped = [part for pattern in ignored for part in ("--ignore", pattern)]
    command = [sys.executable, "-m", "django", "makemessages", "--locale=de", "--no-wrap", *skipped]
    without_settings = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=work, env=without_settings, check=True, capture_output=True)

    found = read(work / "locale/de/LC_MESSAGES/django.po")
    assert sorted(found.keys() ^ read(path).keys()) == [], "make messages mends it"


def test_what_ships_is_marked_for_translation():
    shipped = [text for each in CATALOGUE for text in (each.name, each.description)]
    shipped += [title for _level, title in DEFAULT_TITLES] + [kind.label for kind in KINDS]

    assert sorted(texts.SHIPPED) == sorted(shipped)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("Week Warrior", "Wochenheld"), ("Grandmaster", "Großmeister"), ("Our Own Badge", "Our Own Badge"), ("", "")],
)
def test_what_ships_is_translated_and_what_staff_wrote_is_not(stored, shown):
    with override("de"):
        assert texts.translated(stored) == shown

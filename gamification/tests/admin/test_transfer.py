"""Definitions to files and back: nothing lost, what would change shown first, all of it or nothing."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys

import pytest
import yaml
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from gamification.admin.definition_files import FIELDS, values
from gamification.models import Achievement
from gamification.services import achievements
from gamification.tests.admin.conftest import said
from gamification.tests.servers import ROOT

IMPORTERS = ("add_achievement", "change_achievement", "view_achievement")
RULE = {"v": 1, "all": [{"metric": "level", "op": "gte", "value": 3}]}
NEW = {"achievement_id": "new_one", "name": "New one", "category": "special", "conditions": RULE}
NASTY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'=1+1",
    "''-x",
    "'plain",
    " spaced ",
    "a\r\nb\nc",
    '"q",;',
    "é🎉",
    "yes",
    "null",
]


def url(page):
    return reverse(f"admin:gamification_achievement_{page}")


def upload(client, content, name="definitions.json"):
    if not isinstance(content, bytes | str):
        content = json.dumps(content)
    content = content.encode() if isinstance(content, str) else content
    return client.post(url("import"), {"file": SimpleUploadedFile(name, content)})


def confirm(client, response):
    return client.post(url("import"), {"confirmed": response.context["confirmed"]})


def exported(client, file_format, query=""):
    response = client.post(url("export") + query, {"format": file_format})
    assert response.status_code == 200
    return response


def everything():
    return {row.achievement_id: values(row) for row in Achievement.objects.all()}


def problems(response):
    assert response.status_code == 200
    if not response.context.get("plan"):
        return [("file", told) for told in response.context["form"].errors["file"]]
    assert response.context["confirmed"] == ""
    return [(problem.number, problem.field, problem.rule) for problem in response.context["plan"].problems]


# There and back


@pytest.fixture
def nasty(db):
    """Have definitions whose texts a file or a spreadsheet could misread."""
    for number, text in enumerate(NASTY):
        Achievement.objects.create(
            achievement_id=f"nasty_{number}",
            name=text,
            description=text * 2,
            icon=text,
            category="special",
            conditions={"v": 1, "any": [*RULE["all"], {"metric": "languages_practised:=é", "op": "gte", "value": 1}]},
            order=-number,
            is_hidden=number % 2 == 0,
            is_active=number % 3 == 0,
        )


@pytest.mark.parametrize("file_format", ["csv", "json", "yaml"])
def test_an_export_brings_everything_back_to_the_letter(nasty, seeded, root_client, file_format):
    before = everything()
    content = exported(root_client, file_format).content
    Achievement.objects.all().delete()

    response = confirm(root_client, upload(root_client, content, f"all.{file_format}"))

    assert response.status_code == 302
    assert everything() == before


@pytest.mark.parametrize("file_format", ["csv", "json", "yaml"])
def test_an_export_changes_nothing_where_it_comes_from(nasty, seeded, root_client, file_format):
    content = exported(root_client, file_format).content

    response = upload(root_client, content, f"all.{file_format}")

    assert (response.status_code, said(response)) == (302, "Nothing to import: everything is as in the file.")


def test_no_cell_of_an_export_is_a_formula(nasty, root_client):
    rows = list(csv.reader(io.StringIO(exported(root_client, "csv").content.decode("utf-8-sig"), newline="")))

    texts = [cell for row in rows for cell in row if not re.fullmatch(r"-?\d+", cell)]
    assert [cell for cell in texts if re.match(r"[=+\-@\t\r\n]", cell)] == []
    assert {row[rows[0].index("order")] for row in rows[1:]} >= {"0", "-1", "-2"}, "numbers stay numbers"


def test_an_export_holds_what_the_list_shows(seeded, root_client):
    response = exported(root_client, "json", "?category__exact=streaks")

    assert [row["achievement_id"] for row in response.json()] == ["week_warrior", "month_master", "unstoppable_force"]
    assert response["Content-Disposition"].startswith('attachment; filename="achievements-')
    assert list(response.json()[0]) == list(FIELDS)


def test_the_files_are_what_they_say(seeded, root_client):
    assert exported(root_client, "csv").content.startswith(b"\xef\xbb\xbfachievement_id,name")
    assert "🎬" in exported(root_client, "json").content.decode()
    assert yaml.safe_load(exported(root_client, "yaml").content)[0]["conditions"]["v"] == 1


def test_a_spreadsheet_with_semicolons_is_read(seeded, root_client):
    response = upload(root_client, "achievement_id;name\r\npolyglot;Weltenbummler\r\n", "excel.csv")

    assert [change.fields for change in response.context["plan"].changes] == [{"name": ("Polyglot", "Weltenbummler")}]


# The diff


def test_what_would_change_is_shown_and_nothing_done(seeded, root_client):
    before = everything()

    response = upload(
        root_client, [NEW, {"achievement_id": "polyglot", "xp_reward": 201}, {"achievement_id": "centurion"}]
    )

    plan, content = response.context["plan"], response.content.decode()
    assert (plan.created, plan.changed, plan.unchanged) == (1, 1, 1)
    assert plan.changes[1].lines == [("XP", "200", "201")]
    assert "Reach level 3." in content
    assert "1 achievement would be new" in content
    assert everything() == before


def test_what_was_shown_is_done_and_logged(seeded, root_client):
    shown = upload(root_client, [NEW, {"achievement_id": "polyglot", "xp_reward": 201, "name": "Linguist"}])

    response = confirm(root_client, shown)

    assert said(response) == "2 achievements were imported."
    assert Achievement.objects.get(achievement_id="new_one").conditions == RULE
    polyglot = Achievement.objects.get(achievement_id="polyglot")
    assert (polyglot.xp_reward, polyglot.name, polyglot.icon) == (201, "Linguist", "🌍")
    messages = LogEntry.objects.order_by("pk").values_list("object_repr", "action_flag", "change_message")
    assert list(messages) == [("New one", 1, "Imported."), ("Linguist", 2, "Imported: name, XP.")]


def test_an_import_reaches_the_rules_in_force(seeded, root_client):
    revision = Achievement.objects.get(achievement_id="polyglot").revision

    confirm(root_client, upload(root_client, [{"achievement_id": "polyglot", "xp_reward": 201}]))

    assert Achievement.objects.get(achievement_id="polyglot").revision != revision


def test_what_changed_in_the_meantime_is_shown_again(seeded, root_client):
    shown = upload(root_client, [{"achievement_id": "polyglot", "xp_reward": 201}])
    Achievement.objects.filter(achievement_id="polyglot").update(xp_reward=150)

    response = confirm(root_client, shown)

    assert "in the meantime" in said(response)
    assert response.context["plan"].changes[0].lines == [("XP", "150", "201")]
    assert Achievement.objects.get(achievement_id="polyglot").xp_reward == 150
    confirm(root_client, response)
    assert Achievement.objects.get(achievement_id="polyglot").xp_reward == 201


def test_all_is_imported_or_nothing(seeded, root_client, monkeypatch):
    shown = upload(root_client, [{"achievement_id": "polyglot", "xp_reward": 201}, NEW])
    save = Achievement.save

    def fail_for_the_second(row, **kwargs):
        if row.achievement_id == "new_one":
            raise RuntimeError
        save(row, **kwargs)

    monkeypatch.setattr(Achievement, "save", fail_for_the_second)

    with pytest.raises(RuntimeError):
        confirm(root_client, shown)

    assert Achievement.objects.get(achievement_id="polyglot").xp_reward == 200
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("forged", ["", "x", "a:b:c"])
def test_a_confirmation_that_was_made_up_does_nothing(seeded, root_client, forged):
    response = root_client.post(url("import"), {"confirmed": forged})

    assert (response.status_code, said(response)) == (302, "This is too long ago. Choose the file again.")


def test_a_confirmation_of_somebody_else_does_nothing(seeded, root_client, client_with):
    shown = upload(root_client, [{"achievement_id": "polyglot", "xp_reward": 201}])

    response = confirm(client_with(*IMPORTERS), shown)

    assert "too long ago" in said(response)
    assert Achievement.objects.get(achievement_id="polyglot").xp_reward == 200


# What is refused

ONE = json.dumps([NEW])
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", b"\xff\xfe\x00", "not a text in UTF-8"),
        ("a.csv", "é".encode("latin-1"), "not a text in UTF-8"),
        ("a.txt", ONE, "must end in one of .csv, .json, .yaml"),
        ("csv", ONE, "must end in one of"),
        ("a.json", "x" * 500_001, "larger than 500 KB"),
        ("a.json", "", "empty"),
        ("a.json", "[{]", "Line 1, column 3 is not JSON"),
        ("a.json", DEEP, "nested too deep"),
        ("a.json", '[{"achievement_id": "a", "order": %s}]' % ("9" * 5000), "too long a number"),
        ("a.json", "{}", "must be a list of definitions"),
        ("a.json", "null", "must be a list of definitions"),
        ("a.json", "[1]", "must be a list of definitions"),
        ("a.json", json.dumps([{"achievement_id": str(n)} for n in range(1001)]), "at most 1,000 definitions"),
        ("a.json", '[{"achievement_id": "a", "revision": 1}]', "no field 'revision'"),
        ("a.json", '[{"achievement_id": "a", "\\ud800": 1}]', r"no field '\ud800'"),
        ("a.yaml", "a: [", "is not YAML"),
        ("a.yaml", "\x00", "is not YAML"),
        ("a.yaml", "[" * 400_000, "nested too deep"),
        ("a.yaml", "- 1\n" * 120_000, "too many parts"),
        ("a.yaml", "- " + "1:" * 200_000 + "1", "too long a number"),
        ("a.yaml", "- !!python/object/apply:os.system ['true']", "Tags (!name) are not read here"),
        ("a.yaml", "- !!int _" + "1:" * 200_000 + "1", "Tags (!name) are not read here"),
        ("a.yaml", "- !!float " + "1:" * 1_000 + "1.0", "Tags (!name) are not read here"),
        ("a.yaml", "!!pairs [a: 1]", "Tags (!name) are not read here"),
        ("a.yaml", "- &a {achievement_id: a}\n- *a", "References (*name) are not read here"),
        ("a.yaml", "- {achievement_id: 2026-99-99}", "value that cannot be read"),
        ("a.yaml", "- {1: 2}", "no field 1"),
        ("a.yml", "7", "must be a list of definitions"),
        ("a.csv", "", "empty"),
        ("a.csv", "\n\n", "must name the columns"),
        ("a.csv", "name\nx", "must name the columns"),
        ("a.csv", "achievement_id,name,name\na,b,c", "names a column twice"),
        ("a.csv", "achievement_id,name\na", "Row 2 has 1 cells, the first line 2"),
        ("a.csv", 'achievement_id,name\na,"b', "cannot be read"),
        ("a.csv", "achievement_id,name\na," + "b" * 200_000, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(root_client, name, content, told):
    response = upload(root_client, content, name)

    ((_file, said_there),) = problems(response)
    assert told in said_there
    assert not Achievement.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"achievement_id": None}, "achievement_id", "required"),
        ({"achievement_id": 7}, "achievement_id", "required, as a text"),
        ({"achievement_id": "Ä"}, "achievement_id", "required"),
        ({"achievement_id": "Capital"}, "achievement_id", "lower-case"),
        ({"achievement_id": "user"}, "achievement_id", "some words are taken"),
        ({"name": ""}, "name", "required"),
        ({"name": None}, "name", "required"),
        ({"name": True}, "name", "must be a text"),
        ({"name": ["x"]}, "name", "must be a text"),
        ({"name": "x" * 201}, "name", "at most 200 characters"),
        ({"name": "a\x00b"}, "name", "Null characters"),
        ({"name": "\ud800"}, "name", "half a character"),
        ({"icon": "x" * 51}, "icon", "at most 50 characters"),
        ({"category": "x"}, "category", "valid choice"),
        ({"rarity": "mythical"}, "rarity", "valid choice"),
        ({"xp_reward": -1}, "xp_reward", "greater than or equal to 0"),
        ({"xp_reward": 100_001}, "xp_reward", "less than or equal to 100000"),
        ({"xp_reward": 1.5}, "xp_reward", "whole number"),
        ({"xp_reward": True}, "xp_reward", "whole number"),
        ({"xp_reward": "1e3"}, "xp_reward", "whole number"),
        ({"order": 2**70}, "order", "less than or equal"),
        ({"is_active": "maybe"}, "is_active", "true or false"),
        ({"is_active": 1}, "is_active", "true or false"),
        ({"is_hidden": None}, "is_hidden", "true or false"),
        ({"conditions": {"v": 1, "all": []}}, "conditions", "conditions.all: must be a list of at least one clause"),
        ({"conditions": {"v": 1, "all": [{"metric": "gone", "op": "gte", "value": 1}]}}, "conditions", "all[0].metric"),
        ({"conditions": "{"}, "conditions", "is not JSON"),
        ({"conditions": None}, "conditions", "required"),
        ({"conditions": 7}, "conditions", "must be an object"),
        ({"conditions": {"v": 1, "all": ["x" * 9000]}}, "conditions", "longer than a condition may be"),
    ],
)
def test_a_wrong_definition_is_named_with_row_field_and_rule(root_client, changes, field, rule):
    response = upload(root_client, [{**NEW, "achievement_id": "fine"}, {**NEW, **changes}])

    ((number, name, told),) = problems(response)
    assert (number, name) == (2, field)
    assert rule in told
    assert not Achievement.objects.exists()


def test_a_yaml_date_is_no_text(root_client):
    response = upload(
        root_client, f"- {{achievement_id: a, name: 2026-01-01, category: special, conditions: {RULE}}}", "a.yaml"
    )

    assert problems(response) == [(1, "name", "This must be a text; put it in quotes.")]


def test_rows_of_a_csv_are_counted_as_a_spreadsheet_does(root_client):
    response = upload(root_client, 'achievement_id,name\na,"two\nlines"\nb,\n', "a.csv")

    assert {number for number, field, _rule in problems(response) if field == "name"} == {3}


def test_an_id_twice_in_a_file_is_refused(root_client):
    response = upload(root_client, [NEW, NEW])

    assert problems(response) == [(2, "achievement_id", "The same id stands in 1 already.")]


def test_many_problems_are_not_all_shown(root_client):
    response = upload(root_client, [{**NEW, "achievement_id": f"a{n}", "name": ""} for n in range(150)])

    assert response.content.decode().count("<code>name</code>") == 100
    assert "50 more are not shown." in response.content.decode()


def test_texts_of_a_file_are_escaped(root_client):
    content = upload(root_client, [{**NEW, "name": "<script>alert(1)</script>"}]).content.decode()

    assert "<script>alert" not in content


# Who


@pytest.mark.parametrize(
    "permissions", [("view_achievement", "change_achievement"), ("view_achievement", "add_achievement")]
)
def test_to_import_takes_the_permission_to_add_and_to_change(client_with, permissions):
    client = client_with(*permissions)

    assert client.get(url("import")).status_code == 403
    assert upload(client, [NEW]).status_code == 403
    assert "import/" not in client.get(url("changelist")).content.decode()


def test_to_export_takes_the_permission_to_view(client_with):
    client = client_with("view_xptransaction")

    assert client.get(url("export")).status_code == 403
    assert client.post(url("export"), {"format": "csv"}).status_code == 403


def test_a_rule_in_force_is_imported_only_by_who_may_run_back_fills(seeded, client_with):
    client = client_with(*IMPORTERS)
    change = [{"achievement_id": "polyglot", "xp_reward": 99_999, "conditions": RULE, "name": "Linguist"}]

    response = upload(client, change)

    refused = [(field, "run back-fills" in rule) for _number, field, rule in problems(response)]
    assert refused == [("conditions", True), ("xp_reward", True)]


def test_who_may_run_back_fills_imports_it(seeded, client_with):
    client = client_with("run_backfill", *IMPORTERS)

    confirm(client, upload(client, [{"achievement_id": "polyglot", "xp_reward": 99}]))

    assert Achievement.objects.get(achievement_id="polyglot").xp_reward == 99


def test_to_retire_in_the_same_file_is_no_way_round(seeded, client_with):
    response = upload(client_with(*IMPORTERS), [{"achievement_id": "polyglot", "xp_reward": 9, "is_active": False}])

    assert [field for _number, field, _rule in problems(response)] == ["xp_reward"]


def test_what_is_no_rule_is_imported_without(seeded, client_with):
    client = client_with(*IMPORTERS)

    confirm(client, upload(client, [{"achievement_id": "polyglot", "xp_reward": 200, "name": "Linguist"}, NEW]))

    assert Achievement.objects.get(achievement_id="polyglot").name == "Linguist"
    assert Achievement.objects.filter(achievement_id="new_one").exists()


# What it costs, and without YAML


def test_a_preview_takes_as_many_queries_for_many_as_for_one(seeded, root_client, django_assert_max_num_queries):
    many = [{**NEW, "achievement_id": f"n{n}"} for n in range(500)]
    changed = [{"achievement_id": one, "xp_reward": 7} for one in everything()]

    with django_assert_max_num_queries(3):  # session, user, definitions
        response = upload(root_client, many + changed)

    assert len(response.context["plan"].changes) == 527


def test_an_export_takes_four_queries(seeded, root_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(5):  # session, user, and the list: rows, their number
        exported(root_client, "csv")


def test_an_unknown_format_or_filter_is_no_error_of_ours(seeded, root_client):
    assert root_client.post(url("export"), {"format": "xls"}).status_code == 200
    assert root_client.get(url("export") + "?is_active__exact=maybe").status_code == 302


WITHOUT_YAML = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "yaml":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from gamification.tests.admin.host.walk import configure
configure()
from gamification.admin.definition_files import FileProblem, formats, read
print(formats())
try:
    read("a.yaml", "")
except FileProblem as problem:
    print(problem)
"""


def test_without_pyyaml_there_is_csv_and_json():
    done = subprocess.run([sys.executable, "-c", WITHOUT_YAML], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["['csv', 'json']", "The name of the file must end in one of .csv, .json."]


def test_seeding_after_an_import_keeps_what_was_imported(seeded, root_client):
    confirm(root_client, upload(root_client, [{"achievement_id": "polyglot", "name": "Linguist"}]))

    achievements.initialize()

    assert Achievement.objects.get(achievement_id="polyglot").name == "Linguist"

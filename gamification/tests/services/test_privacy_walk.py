"""A person's data, found by walking: each table with a way to the users is exported and erased, or named here."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse
from django.utils.translation import override

from gamification.api.serializers.me import ExportSerializer
from gamification.engine import throttling
from gamification.models import BackfillRun, BoardExclusion, ExcusedDate, Flag, PublicProfile, QueuedActivity
from gamification.services import achievements, activities, integrity, privacy, xp
from gamification.tests.backends.people import person
from gamification.tests.services.lives import NOW, lively

pytestmark = pytest.mark.django_db

CANARY = "canary-7f3a9c"
NAMES = {"email": f"{CANARY}@example.com", "first_name": "Canaria", "last_name": f"O'{CANARY}"}
#: Columns that say who of the staff did something to others: not that person's rows; emptied when they are erased.
ACTED = {
    ("XPTransaction", "actor"),
    ("ExcusedDate", "excused_by"),
    ("ExcusedDate", "undone_by"),
    ("BackfillRun", "started_by"),
    ("BackfillRun", "undone_by"),
    ("VoidedActivity", "actor"),
    ("Flag", "decided_by"),
    ("BoardExclusion", "excluded_by"),
    ("BoardExclusion", "lifted_by"),
}


def models():
    return apps.get_app_config("gamification").get_models()


def relations():
    """Return each column of the app's tables that leads to the users: of tables without one, over another table."""
    users = get_user_model()
    columns = [(model, column) for model in models() for column in model._meta.concrete_fields if column.related_model]
    found = [(model, column.name) for model, column in columns if column.related_model is users]
    is_growing = True
    while is_growing:
        leading = {model for model, _ in found}
        more = [(model, column.name) for model, column in columns if column.related_model in leading]
        more = [(model, name) for model, name in more if model not in leading]
        found, is_growing = [*found, *more], bool(more)
    return found


def of(user, model, name):
    """Return the rows of ``model`` that the column ``name`` leads from to ``user``."""
    target = model._meta.get_field(name).related_model
    if target is get_user_model():
        return model._base_manager.filter(**{name: user})
    ways = [of(user, target, column) for owner, column in relations() if owner is target]
    return model._base_manager.filter(**{f"{name}__in": [row.pk for rows in ways for row in rows]})


def of_a_person():
    return [(model, name) for model, name in relations() if (model.__name__, name) not in ACTED]


@pytest.fixture
def ada():
    achievements.initialize()
    return lively(username=CANARY, **NAMES)


def cells():
    """Yield every cell of every table there is but the users', as text."""
    for model in apps.get_models():
        if model is not get_user_model():
            for row in model._base_manager.all():
                for column in model._meta.concrete_fields:
                    value = column.value_from_object(row)
                    yield model.__name__, column.name, json.dumps(value, cls=DjangoJSONEncoder, default=str)


def holding(text):
    return {(model, column) for model, column, value in cells() if text.casefold() in value.casefold()}


def test_every_table_with_a_way_to_the_users_is_exported_and_erased_or_named_here():
    told = {model for model, _ in privacy.TABLES.values()}

    assert {(model.__name__, name) for model, name in of_a_person() if model not in told} == set()
    assert {(model.__name__, name) for model, name in relations()} >= ACTED
    assert {model.__name__ for model in told} == {model.__name__ for model, _ in of_a_person()}


def test_the_export_holds_each_row_with_each_of_its_columns(ada):
    lively()
    told = privacy.export(ada)
    by_model = {model: name for name, (model, _) in privacy.TABLES.items()}

    for model, name in of_a_person():
        rows = [row for row in of(ada, model, name) if not getattr(row, "is_a_secret", False)]
        columns = {column.name for column in model._meta.concrete_fields} - privacy.INTERNAL
        exported = told[by_model[model]]
        assert rows, f"nothing in {model.__name__} to hold it against: let lives.lively leave some"
        assert len(exported) == len(rows), model.__name__
        assert all(set(row) == columns for row in exported), model.__name__


def test_the_description_of_the_export_is_the_export(ada):
    assert list(ExportSerializer().fields) == list(privacy.export(ada))


def test_after_erasing_no_column_leads_to_the_person_whatever_they_did(ada):
    bob = lively()
    award = xp.award(bob, 10, reason="a prize", key="by-ada", actor=ada, now=NOW)
    xp.reverse(award.transaction, reason="a mistake", actor=ada, now=NOW)
    ExcusedDate.objects.create(date=NOW.date(), reason="an outage", excused_by=ada, undone_by=ada)
    BackfillRun.objects.create(
        achievement_id="polyglot", conditions={}, xp_reward=1, expected=0, started_at=NOW, started_by=ada, undone_by=ada
    )
    Flag.objects.filter(user=bob).update(decided_by=ada)
    BoardExclusion.objects.filter(user=bob).update(excluded_by=ada, lifted_by=ada)
    done = activities.record(bob, "daily_visit", key="voided", now=NOW)
    activities.void(done.activity, reason="a mistake", actor=ada, now=NOW)
    assert [(model.__name__, name) for model, name in relations() if not of(ada, model, name).exists()] == []

    privacy.erase(ada)

    assert {(model.__name__, name) for model, name in relations() if of(ada, model, name).exists()} == set()
    assert list(integrity.verify(users=[bob], now=NOW)) == []


# Canaries


def log(about, text, by):
    content_type = ContentType.objects.get_for_model(type(about))
    return LogEntry.objects.create(
        user=by,
        content_type=content_type,
        object_id=str(about.pk),
        object_repr=text,
        change_message=text,
        action_flag=CHANGE,
    )


def test_after_erasing_none_of_the_words_around_a_person_is_anywhere(ada, client, settings):
    settings.GAMIFICATION = {"ACTIVITY_TYPES": {"note_taken": {"counters": {"notes": 1}}}}
    staff = person(is_staff=True)
    text = f"said to {CANARY}@example.com"
    activities.record(ada, "note_taken", key=CANARY, data={"note": CANARY}, now=NOW)
    xp.award(ada, 5, reason=text, key=f"{CANARY}-award", reference_id=CANARY, metadata={"to": [CANARY]}, now=NOW)
    achievements.unlock(ada, "polyglot", reason=text, actor=staff, now=NOW)
    QueuedActivity.objects.filter(user=ada).update(data=json.dumps({"note": CANARY}), reason=CANARY)
    excused = ExcusedDate.objects.create(date=NOW.date(), reason=text, undo_reason=text.upper(), excused_by=staff)
    about = [ada, excused, *(of(ada, model, name).first() for model, name in of_a_person())]
    entries = [log(row, text, staff) for row in about]
    slug = PublicProfile.objects.get(user=ada).slug
    with override("de"):
        assert client.get(reverse("gamification:card-svg", args=[slug])).status_code == 200
    throttling.seconds_to_wait(throttling.LOGIN_ACCOUNT, throttling.ident_of_account(CANARY))
    assert len(holding(CANARY)) > 10

    privacy.erase(ada, actor=ada)

    assert holding(CANARY) == set()
    for row in (excused, *entries):
        row.refresh_from_db()
    of_others = entries.pop(about.index(excused))
    assert {(entry.object_repr, entry.change_message) for entry in entries} == {("", "")}
    assert {of_others.object_repr, of_others.change_message, excused.reason} == {"said to …"}
    assert excused.undo_reason == "SAID TO …"


def test_the_cards_of_a_person_leave_the_cache_with_them(ada, client, settings, django_capture_on_commit_callbacks):
    settings.GAMIFICATION = {"DISPLAY_NAME": "project.hooks.username"}
    profile = PublicProfile.objects.get(user=ada)
    for name in ("card-svg", "card-png"):
        assert client.get(reverse(f"gamification:{name}", args=[profile.slug])).status_code == 200
    assert CANARY in repr(cache._cache)

    with django_capture_on_commit_callbacks(execute=True):
        privacy.erase(ada)

    assert [key for key in cache._cache if "card" in key] == []


def test_what_staff_wrote_about_others_stays(ada):
    bob, staff = person(f"bob-{CANARY}s"), person()
    said = log(bob, f"a prize for bob-{CANARY}s", staff)
    outage = ExcusedDate.objects.create(date=NOW.date(), reason="the machines stood still", excused_by=ada)

    privacy.erase(ada)

    for row in (said, outage):
        row.refresh_from_db()
    assert said.change_message == f"a prize for bob-{CANARY}s"
    assert (outage.reason, outage.excused_by) == ("the machines stood still", None)


def test_of_a_text_that_names_a_person_only_the_name_goes(ada):
    said = log(person(), f"a prize, thanks to {CANARY}; see {CANARY}2", person())

    privacy.erase(ada)

    said.refresh_from_db()
    assert said.change_message == f"a prize, thanks to …; see {CANARY}2"


def test_of_what_the_admin_writes_itself_only_the_quoted_objects_lose_a_name():
    achievements.initialize()
    said = log(person(), "", person())
    wrote = [
        {"changed": {"fields": ["Reason", "Zoë"]}},
        {"added": {"name": "reason", "object": "the reason of Zoë"}},
        {"changed": {"name": "reason", "object": "of Zoës", "fields": ["Reason"]}},
    ]
    LogEntry.objects.filter(pk=said.pk).update(change_message=json.dumps(wrote))

    privacy.erase(lively(username="reason"))
    privacy.erase(lively(username="zoë"))

    said.refresh_from_db()
    wrote[1]["added"]["object"] = "the … of …"
    assert json.loads(said.change_message) == wrote
    assert "…" in said.get_change_message()


def test_a_name_that_stands_in_every_text_empties_none():
    achievements.initialize()
    al = lively(username="al", first_name="A")
    said = log(person(), "a prize in general", person())

    privacy.erase(al)

    said.refresh_from_db()
    assert said.change_message == "a prize in general"

"""A person's data: to take away, to be forgotten, to be seen by others or not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from gamification.models import (
    Activity,
    ExcusedDate,
    LeaderboardCache,
    RequestCount,
    UserAchievement,
    UserStreak,
    UserXP,
    XPTransaction,
)
from gamification.services import achievements, activities, integrity, leaderboards, privacy, streaks, xp
from gamification.tests.backends.people import ids, person
from gamification.tests.services.lives import NOW, lively, rows

pytestmark = pytest.mark.django_db

PK = 987_654_321
OF_A_PERSON = {
    "BoardExclusion",
    "Flag",
    "UserStreak",
    "UserXP",
    "UserCounter",
    "UserDay",
    "UserAchievement",
    "Activity",
    "VoidedActivity",
    "XPTransaction",
    "QueuedActivity",
    "Notice",
    "BoardReader",
    "PublicProfile",
    "WebhookDelivery",
}


@pytest.fixture
def ada():
    achievements.initialize()
    return lively(pk=PK)


def traces(pk=PK):
    """Return every cell of the app's tables in which the id can be read."""
    return [
        (model.__name__, column.name, row.pk)
        for model in apps.get_app_config("gamification").get_models()
        for row in model._base_manager.all()
        for column in model._meta.concrete_fields
        if str(pk) in json.dumps(column.value_from_object(row), cls=DjangoJSONEncoder, default=str)
    ]


def log(about, text, *, by):
    content_type = ContentType.objects.get_for_model(type(about))
    return LogEntry.objects.create(
        user=by,
        content_type=content_type,
        object_id=str(about.pk),
        object_repr=text,
        change_message=text,
        action_flag=CHANGE,
    )


# To take away


def test_the_export_holds_every_row_of_the_person(ada):
    lively()

    told = privacy.export(ada)

    assert sum(map(len, told.values())) == sum(len(rows(ada)[name]) for name in OF_A_PERSON)
    assert set(rows(ada)) == OF_A_PERSON
    assert {row["key"] for row in told["xp_transactions"]} == set(
        XPTransaction.objects.filter(user=ada).values_list("key", flat=True)
    )
    assert {row["key"] for row in told["activities"]} >= {"scenario-1", "words", "old", "long-ago"}


def test_the_export_can_be_written_as_json_and_says_what_happened(ada):
    told = json.loads(json.dumps(privacy.export(ada), cls=DjangoJSONEncoder))

    (streak,), (total,) = told["streak"], told["xp"]
    assert (streak["timezone"], streak["longest_streak"]) == ("Europe/Berlin", 10)
    assert total["total_xp"] == xp.level(ada).total_xp
    assert {row["name"]: row["value"] for row in told["counters"]}["words_learned"] == 61
    assert any(row["freezes_used"] for row in told["days"])


def test_the_export_keeps_what_is_only_ours_to_itself(ada):
    told = privacy.export(ada)

    names = {name for table in told.values() for row in table for name in row}
    assert not names & {"content_hash", "outcome", "version", "actor"}


def test_whoever_has_nothing_exports_nothing_and_nothing_is_written():
    told = privacy.export(person())

    assert set(map(len, told.values())) == {0}
    assert not UserStreak.objects.exists()


# To be forgotten


def test_erasing_leaves_no_trace_in_any_table(ada):
    for metric in leaderboards.metrics():
        leaderboards.top(metric, viewer=ada, now=NOW)
    for ident in (f"awards:{PK}", f"activities:{PK}"):
        RequestCount.objects.create(ident=ident, ends_at=NOW)
    assert {name for name, _, _ in traces()} == {*OF_A_PERSON, "LeaderboardCache", "RequestCount"}

    privacy.erase(ada)

    assert traces() == []


def test_erasing_whoever_acted_for_others_leaves_no_trace_either(ada):
    bob = lively()
    award = xp.award(bob, 10, reason="a prize", key="by-ada", actor=ada, now=NOW)
    xp.reverse(award.transaction, reason="a mistake", actor=ada, now=NOW)
    achievements.unlock(bob, "polyglot", actor=ada, now=NOW)
    ExcusedDate.objects.create(date=NOW.date(), reason="an outage", excused_by=ada)

    privacy.erase(ada)

    assert traces() == []
    assert list(integrity.verify(users=[bob], now=NOW)) == []


def test_erasing_tells_how_many_rows_of_each_table_it_took(ada):
    expected = {name: len(found) for name, found in rows(ada).items()}

    erased = privacy.erase(ada)

    assert sorted(erased.values()) == sorted(expected.values())
    assert erased["activities"] == expected["Activity"]
    assert erased["xp_transactions"] == expected["XPTransaction"]


def test_erasing_takes_nothing_from_others(ada):
    bob = lively(pk=PK + 1)
    before = rows(bob)
    RequestCount.objects.create(ident=f"awards:{PK + 1}", ends_at=NOW)
    RequestCount.objects.create(ident=f"awards:1{PK}", ends_at=NOW)

    privacy.erase(ada)

    assert rows(bob) == before
    assert RequestCount.objects.count() == 2
    assert get_user_model()._default_manager.filter(pk=ada.pk).exists()


def test_erased_people_are_on_no_board_and_the_rest_move_up(ada):
    bob = lively()
    for metric in leaderboards.metrics():
        leaderboards.top(metric, now=NOW)

    privacy.erase(ada)

    for metric in leaderboards.metrics():
        board = leaderboards.top(metric, viewer=ada, now=NOW)
        assert (ids(board.entries), board.total, board.me.rank, board.me.score) == ([bob.pk], 1, None, 0)
        assert board.entries[0].rank == 1
        assert ada.pk not in str(LeaderboardCache.objects.values_list("data", flat=True)).split()


def test_the_texts_of_log_entries_about_the_person_are_emptied(ada):
    staff, bob = person(), lively()
    about = [
        ada,
        UserXP.objects.get(user=ada),
        UserStreak.objects.get(user=ada),
        *(model.objects.filter(user=ada).first() for model in (XPTransaction, Activity, UserAchievement)),
    ]
    entries = [log(one, "Ada Lovelace got 10 XP", by=staff) for one in about]
    kept = [log(one, "Bob got 10 XP", by=staff) for one in (bob, XPTransaction.objects.filter(user=bob).first())]

    privacy.erase(ada)

    for entry in entries:
        entry.refresh_from_db()
        assert (entry.object_repr, entry.change_message, entry.user_id) == ("", "", staff.pk)
    for entry in kept:
        entry.refresh_from_db()
        assert entry.object_repr == "Bob got 10 XP"


def test_after_erasing_everything_still_adds_up(ada):
    lively()

    privacy.erase(ada)

    assert list(integrity.verify(now=NOW)) == []


def test_erasing_again_and_erasing_nobody_does_nothing(ada):
    privacy.erase(ada)

    assert set(privacy.erase(ada).values()) <= {0, 1}
    privacy.erase(person())
    assert traces() == []
    assert not UserStreak.objects.exists()


def test_an_erased_person_can_begin_anew(ada):
    privacy.erase(ada)

    receipt = activities.record(ada, "words_learned", key="words", quantity=60, now=NOW)

    assert (receipt.is_replay, receipt.streak.current, receipt.streak.action) == (False, 1, "started")
    assert streaks.status(ada, now=NOW).freezes == 3
    assert list(integrity.verify(now=NOW)) == []


def test_an_erasure_that_fails_halfway_erases_nothing(ada, monkeypatch):
    before = rows(ada)

    def fail(self, user_id):
        raise ZeroDivisionError

    monkeypatch.setattr("gamification.backends.database.DatabaseBackend.forget", fail)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        privacy.erase(ada)

    assert rows(ada) == before


# To be seen


def test_everybody_is_visible_until_they_opt_out():
    user = person()

    assert privacy.is_visible(user)
    privacy.set_visibility(user, visible=False)
    assert not privacy.is_visible(user)
    privacy.set_visibility(user, visible=True)
    assert privacy.is_visible(user)


def test_saying_the_same_again_changes_nothing():
    user = person(score=10)
    privacy.set_visibility(user, visible=False)
    before = rows(user, without=())

    privacy.set_visibility(user, visible=False)

    assert rows(user, without=()) == before


def test_opting_out_hides_nothing_from_oneself(ada):
    privacy.set_visibility(ada, visible=False)

    assert leaderboards.rank(ada, "xp_all_time", now=NOW + timedelta(days=1)).rank == 1
    assert xp.level(ada).total_xp > 0
    assert list(integrity.verify(now=NOW)) == []

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from gamification.exceptions import AppendOnly
from gamification.models import (
    Achievement,
    Activity,
    UserAchievement,
    UserCounter,
    UserDay,
    UserStreak,
    UserXP,
    XPTransaction,
)
from gamification.tests import factories
from gamification.tests.servers import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return factories.UserFactory()


# What the database itself refuses


def test_a_key_is_unique_in_the_log_of_a_user(ada):
    factories.ActivityFactory(user=ada, key="a")
    factories.ActivityFactory(key="a")

    with pytest.raises(IntegrityError):
        factories.ActivityFactory(user=ada, key="a")


def test_a_key_is_unique_in_the_ledger_of_a_user_and_a_source(ada):
    factories.XPTransactionFactory(user=ada, key="a")
    factories.XPTransactionFactory(user=ada, key="a", source="streak")

    with pytest.raises(IntegrityError):
        factories.XPTransactionFactory(user=ada, key="a")


def test_a_row_is_reversed_once(ada):
    original = factories.XPTransactionFactory(user=ada)
    factories.XPTransactionFactory(user=ada, reverses=original)

    with pytest.raises(IntegrityError):
        factories.XPTransactionFactory(user=ada, reverses=original)


@pytest.mark.parametrize(
    ("factory", "columns"),
    [
        (factories.UserDayFactory, {"date": date(2026, 6, 1)}),
        (factories.UserCounterFactory, {"name": "words_learned"}),
        (factories.UserStreakFactory, {}),
        (factories.UserXPFactory, {}),
    ],
)
def test_a_fact_is_kept_once_for_each_user(ada, factory, columns):
    factory(user=ada, **columns)
    factory(**columns)

    with pytest.raises(IntegrityError):
        factory(user=ada, **columns)


def test_an_achievement_is_had_once(ada):
    definition = factories.AchievementFactory()
    factories.UserAchievementFactory(user=ada, achievement=definition)

    with pytest.raises(IntegrityError):
        factories.UserAchievementFactory(user=ada, achievement=definition)


@pytest.mark.parametrize(
    ("factory", "columns"),
    [
        (factories.AchievementFactory, {"achievement_id": "one"}),
        (factories.ExcusedDateFactory, {"date": date(2026, 6, 2)}),
        (factories.LeaderboardCacheFactory, {"metric": "xp_weekly"}),
    ],
)
def test_a_name_is_taken_once(factory, columns):
    factory(**columns)

    with pytest.raises(IntegrityError):
        factory(**columns)


@pytest.mark.parametrize(
    ("factory", "columns"),
    [
        (factories.UserXPFactory, {"total_xp": -1}),
        (factories.XPTransactionFactory, {"xp_amount": 0}),
        (factories.ActivityFactory, {"quantity": 0}),
        (factories.UserCounterFactory, {"value": -1}),
        (factories.UserAchievementFactory, {"progress": 101}),
        (factories.UserStreakFactory, {"current_streak": 2, "longest_streak": 1}),
        (factories.UserStreakFactory, {"current_streak": -1}),
        (factories.UserStreakFactory, {"streak_freezes_available": -1}),
        (factories.UserDayFactory, {"status": "asleep"}),
        (factories.AchievementFactory, {"xp_reward": 100_001}),
        (factories.AchievementFactory, {"xp_reward": -1}),
    ],
)
def test_a_number_out_of_bounds_is_refused_by_the_database(factory, columns):
    with pytest.raises(IntegrityError):
        factory(**columns)


def test_a_total_cannot_be_lowered_below_zero_behind_our_back(ada):
    factories.UserXPFactory(user=ada, total_xp=10)

    with pytest.raises(DatabaseError), transaction.atomic():
        UserXP.objects.filter(user=ada).update(total_xp=F("total_xp") - 11)


def test_a_ledger_holds_totals_past_32_bits(ada):
    factories.XPTransactionFactory(user=ada, xp_amount=2**40)
    factories.UserXPFactory(user=ada, total_xp=2**62)
    factories.UserCounterFactory(user=ada, value=2**62)

    assert XPTransaction.objects.get().xp_amount == 2**40
    assert UserXP.objects.get().total_xp == 2**62


def test_every_constraint_and_index_says_whose_it_is():
    for model in (Achievement, Activity, UserAchievement, UserCounter, UserDay, UserStreak, UserXP, XPTransaction):
        for named in (*model._meta.constraints, *model._meta.indexes):
            assert named.name.startswith("gamification_")


def test_the_constraints_are_really_in_the_database():
    with connection.cursor() as cursor:
        found = {
            name
            for table in connection.introspection.table_names(cursor)
            if table.startswith("gamification_")
            for name in connection.introspection.get_constraints(cursor, table)
        }

    assert {
        "gamification_activity_once_per_key",
        "gamification_xp_once_per_key",
        "gamification_xp_not_zero",
        "gamification_total_xp_not_negative",
        "gamification_achievement_once",
        "gamification_day_once",
        "gamification_counter_once_per_name",
        "gamification_streak_longest_is_longest",
    } <= found


# What can be inserted and read only


@pytest.mark.parametrize("factory", [factories.ActivityFactory, factories.XPTransactionFactory])
def test_a_record_is_neither_changed_nor_deleted(factory):
    row = factory()
    model: Any = type(row)
    stored = model.objects.values().get()

    for attempt in (
        row.save,
        row.delete,
        lambda: row.save(update_fields=["key"]),
        lambda: model.objects.update(key="z"),
        lambda: model.objects.filter(pk=row.pk).update(key="z"),
        lambda: model.objects.all().delete(),
        lambda: model.objects.bulk_update([row], ["key"]),
        lambda: model.objects.update_or_create(pk=row.pk, defaults={"key": "z"}),
        lambda: model.objects.newest_first().delete(),
    ):
        with pytest.raises(AppendOnly) as refused, transaction.atomic():
            attempt()
        assert (refused.value.code, refused.value.status_code) == ("append_only", 409)

    assert model.objects.values().get() == stored


@pytest.mark.parametrize("factory", [factories.ActivityFactory, factories.XPTransactionFactory])
def test_a_new_row_under_the_id_of_an_old_one_overwrites_nothing(factory):
    row = factory()
    other = factory.build(pk=row.pk, user=row.user, key="other")

    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()

    assert type(row).objects.get().key == row.key


def test_erasing_a_person_goes_past_it(ada):
    factories.XPTransactionFactory(user=ada)
    factories.XPTransactionFactory()

    assert XPTransaction.objects.filter(user=ada).erase() == 1
    assert XPTransaction.objects.count() == 1


def test_deleting_the_account_takes_its_rows_with_it(ada):
    factories.ActivityFactory(user=ada)
    factories.UserAchievementFactory(user=ada)
    original = factories.XPTransactionFactory(user=ada)
    factories.XPTransactionFactory(user=ada, reverses=original)

    ada.delete()

    assert not XPTransaction.objects.exists()
    assert not Activity.objects.exists()
    assert Achievement.objects.count() == 1


def test_deleting_the_account_of_staff_leaves_what_they_decided(ada):
    staff = factories.UserFactory()
    factories.XPTransactionFactory(user=ada, actor=staff)
    factories.ExcusedDateFactory(excused_by=staff)

    staff.delete()

    assert XPTransaction.objects.get().actor is None


# Definitions


@pytest.mark.parametrize(
    "columns",
    [
        {"achievement_id": "Has Spaces"},
        {"achievement_id": "a\n"},
        {"achievement_id": ""},
        {"achievement_id": "a" * 101},
        {"category": "nonsense"},
        {"rarity": "mythical"},
        {"xp_reward": 100_001},
        {"name": ""},
    ],
    ids=str,
)
def test_a_definition_is_validated_by_its_fields(columns):
    with pytest.raises(ValidationError):
        factories.AchievementFactory.build(**columns).full_clean()


def test_a_condition_is_validated_on_save_and_in_forms():
    wrong = factories.condition("gold", 1)

    with pytest.raises(ValidationError, match=r"conditions.all\[0\].metric"):
        factories.AchievementFactory.build(conditions=wrong).full_clean()
    with pytest.raises(ValidationError, match=r"conditions.all\[0\].metric"):
        factories.AchievementFactory(conditions=wrong)


def test_rows_can_be_told_apart_by_their_text(ada):
    assert str(factories.XPTransactionFactory.build(xp_amount=-1200, reason="contest")) == "-1,200 XP: contest"
    assert str(factories.UserXPFactory.build(user=ada, total_xp=1500, current_level=9)) == "1,500 XP, level 9"
    assert "2026-06-01" in str(factories.UserDayFactory.build(user=ada))
    assert str(factories.AchievementFactory.build(name="First")) == "First"


# Another user model

OTHER_USERS = {
    "people/__init__.py": "",
    "people/models.py": """
        import uuid
        from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
        from django.db import models

        class Person(AbstractBaseUser):
            id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
            email = models.EmailField(unique=True)
            objects = BaseUserManager()
            USERNAME_FIELD = "email"
    """,
    "other_settings.py": """
        SECRET_KEY = "for a test"
        INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "people", "gamification"]
        AUTH_USER_MODEL = "people.Person"
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:",
                                 "OPTIONS": {"transaction_mode": "IMMEDIATE"}}}
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        USE_TZ = True
    """,
    "story.py": """
        import json, sys
        from datetime import datetime, timedelta, timezone
        import django
        django.setup()
        from django.core.management import call_command
        from django.core.serializers.json import DjangoJSONEncoder
        from people.models import Person
        from gamification.models import Activity, UserStreak, XPTransaction
        from gamification.services import achievements, activities, integrity, leaderboards, privacy, streaks, xp

        call_command("check", fail_level="WARNING", verbosity=0)
        call_command("migrate", run_syncdb=True, verbosity=0)
        noon = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
        people = [Person.objects.create(email=f"person{n}@example.com") for n in range(5)]
        ada, ben, eve = people[:3]
        achievements.initialize()

        receipt = activities.record(ada, "scenario_completed", key="s", now=noon,
                                    data={"difficulty": "advanced", "minutes": 50, "perfect": True})
        assert receipt.xp_awarded == 405, receipt
        assert activities.record(ada, "scenario_completed", key="s", now=noon,
                                 data={"difficulty": "advanced", "minutes": 50, "perfect": True}).is_replay
        batch = [activities.Event(person, "words_learned", "w", 60, None, noon) for person in reversed(people)]
        assert len(activities.record_many(batch, now=noon)) == 5
        award = xp.award(ben, 120, reason="gift", key="a", actor=ada, now=noon)
        xp.reverse(award.transaction, reason="mistake", actor=ada, now=noon)
        streaks.touch(eve, now=noon)
        streaks.freeze(eve, now=noon + timedelta(days=1))
        streaks.set_timezone(eve, "Asia/Tokyo", now=noon)
        achievements.unlock(eve, "polyglot", actor=ada, now=noon)
        achievements.revoke(eve, "polyglot", actor=ada, now=noon)

        board = leaderboards.top("xp_all_time", viewer=ben, now=noon)
        assert board.entries[0].user_id == ada.pk and board.entries[0].rank == 1, board
        assert board.total == 5 and not any("example" in entry.name for entry in board.entries), board
        tied = [entry.user_id for entry in board.entries if entry.score == board.entries[-1].score]
        assert tied == sorted(tied), tied
        page, seen = leaderboards.top("xp_all_time", limit=2, now=noon), []
        while True:
            seen += [entry.user_id for entry in page.entries]
            if not page.next:
                break
            page = leaderboards.top("xp_all_time", limit=2, cursor=page.next, now=noon)
        assert sorted(seen) == sorted(person.pk for person in people), seen
        assert leaderboards.rank(ada, "scenarios_completed", now=noon).score == 1
        assert leaderboards.around(ben, "xp_weekly", now=noon)
        privacy.set_visibility(ada, False)
        assert ada.pk not in {entry.user_id for entry in leaderboards.top("xp_all_time", now=noon).entries}

        told = json.loads(json.dumps(privacy.export(ada), cls=DjangoJSONEncoder))
        assert len(told["activities"]) == 2, told
        assert not list(integrity.verify(now=noon)), list(integrity.verify(now=noon))
        privacy.erase(ada, actor=ben)
        assert not Activity.objects.filter(user=ada).exists() and not XPTransaction.objects.filter(user=ada).exists()
        assert not UserStreak.objects.filter(user=ada).exists()
        ada.delete()
        assert not list(integrity.verify(now=noon))
        print("told to the end")
    """,
}


@pytest.mark.slow
def test_any_user_model_will_do_whatever_its_key_and_without_a_username(tmp_path: Path):
    for name, text in OTHER_USERS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "other_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }

    done = subprocess.run(
        [sys.executable, "-W", "error", "story.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.stdout.endswith("told to the end\n"), done.stderr

"""The hot path's own statements do what the ORM's do, in few of them and with little around them."""

from __future__ import annotations

import cProfile
import pstats
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from gamification.engine import players, recording
from gamification.engine.sql import reading, writing
from gamification.engine.sql.cursors import cursor, sent_together
from gamification.models import (
    Achievement,
    Activity,
    ExcusedDate,
    UserAchievement,
    UserCounter,
    UserDay,
    UserStreak,
    UserXP,
    XPTransaction,
)
from gamification.services import achievements, activities, streaks, xp
from gamification.tests.factories import UserFactory, condition

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db import models

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, 0, 0, 250_001, tzinfo=UTC)
TODAY = date(2026, 6, 1)
SCENARIO = {"difficulty": "advanced", "minutes": 30, "perfect": True, "language": "pt"}


def log(user: User) -> list[Activity]:
    common: dict[str, Any] = {"user_id": user.pk, "kind": "visit", "timezone": "Asia/Tokyo", "local_date": TODAY}
    common |= {"occurred_at": NOON, "recorded_at": NOON, "content_hash": "0" * 64}
    return [
        Activity(key="plain", **common),
        Activity(key='"%s" ü', **common, data={"text": "½ %s", "deep": [1, None, {"a": True}]}, is_in_streak=False),
    ]


def ledger(user: User) -> list[XPTransaction]:
    common: dict[str, Any] = {"user_id": user.pk, "source": "client", "created_at": NOON, "reason": "test"}
    return [
        XPTransaction(key="a", xp_amount=2**40, earned_on=TODAY, **common),
        XPTransaction(key="b", xp_amount=-1, metadata={"at": NOON}, actor_id=user.pk, **common),
    ]


def days(user: User) -> list[UserDay]:
    return [
        UserDay(user_id=user.pk, date=TODAY, status="frozen", freezes_used=1, is_night=True, frozen_at=NOON),
        UserDay(user_id=user.pk, date=TODAY + timedelta(days=1), xp=-3),
    ]


def unlocks(user: User) -> list[UserAchievement]:
    Achievement.objects.get_or_create(achievement_id="first", defaults={"conditions": condition("level", 2)})
    row = {"unlocked_at": NOON, "revoked_at": NOON, "unlock_metadata": {"by": "grant", "reason": "ü"}}
    return [UserAchievement(user_id=user.pk, achievement_id="first", progress=100, grants=2, **row)]


def streak(user: User) -> list[UserStreak]:
    return [UserStreak(user_id=user.pk, current_streak=3, longest_streak=9, last_day=TODAY, expires_at=NOON)]


def total(user: User) -> list[UserXP]:
    return [UserXP(user_id=user.pk, total_xp=2**40, level_progress_percentage=Decimal("33.30"), is_visible=False)]


def columns(rows: list[models.Model]) -> list[dict[str, Any]]:
    """Return the values of each column as the ORM reads them again."""
    stored = type(rows[0])._default_manager.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    names = [field.attname for field in rows[0]._meta.concrete_fields if field.attname not in ("id", "user_id")]
    return [{name: getattr(row, name) for name in names if name != "actor_id"} for row in stored]


# Writing


@pytest.mark.parametrize("rows_of", [log, ledger, days, unlocks, streak, total], ids=lambda make: make.__name__)
def test_rows_are_stored_as_the_orm_stores_them(rows_of):
    ours, theirs = rows_of(UserFactory()), rows_of(UserFactory())

    with cursor() as opened:
        writing.insert(opened, ours)
    type(theirs[0])._default_manager.bulk_create(theirs)

    assert columns(ours) == columns(theirs)
    assert len(columns(ours)) == len(ours)


def test_what_is_there_is_overwritten_whole_and_keeps_its_key():
    user = UserFactory()
    first, second = days(user)
    with cursor() as opened:
        writing.upsert(opened, [first, second], "user_id", "date", gives_keys=True)
        keys = first.pk, second.pk
        again = UserDay(user_id=user.pk, date=TODAY, xp=7)
        writing.upsert(opened, [again], "user_id", "date", gives_keys=True)

    stored = UserDay.objects.get(user=user, date=TODAY)
    assert (stored.pk, stored.xp, stored.status, stored.frozen_at) == (keys[0], 7, "", None)
    assert again.pk == keys[0]
    assert UserDay.objects.get(pk=keys[1]).xp == -3


def test_more_rows_than_one_statement_takes_are_written_in_several():
    user = UserFactory()
    rows = [(user.pk, f"counter {number}", number) for number in range(writing.PARAMETERS_MAX // 3 + 5)]

    with CaptureQueriesContext(connection) as captured, cursor() as opened:
        writing.upsert_values(opened, UserCounter, ("user_id", "name", "value"), rows, "user_id", "name")

    assert len(captured) == 2
    assert UserCounter.objects.filter(user=user).count() == len(rows)


def test_a_broken_rule_of_the_database_is_told_as_the_orm_tells_it():
    user = UserFactory()
    wrong = XPTransaction(user_id=user.pk, xp_amount=0, source="client", key="zero", created_at=NOON, reason="test")

    with pytest.raises(IntegrityError), transaction.atomic(), sent_together(), cursor() as opened:
        writing.insert(opened, [wrong])

    assert not XPTransaction.objects.exists()


# Reading


@pytest.fixture
def ada() -> User:
    """Return somebody with unlocks, progress, a revocation, late and future days, and a zone."""
    user = UserFactory()
    achievements.initialize()
    ExcusedDate.objects.create(date=date(2026, 5, 20), reason="outage")
    streaks.set_timezone(user, "Pacific/Auckland", now=NOON - timedelta(days=9))
    for day in (6, 4, 3, 1):
        at = NOON - timedelta(days=day)
        activities.record(user, "scenario_completed", key=f"{day}", data=SCENARIO, now=at)
    activities.record(user, "words_learned", key="late", occurred_at=NOON - timedelta(days=5), now=NOON)
    achievements.revoke(user, "first_scenario", reason="a test", now=NOON)
    xp.award(user, -10, reason="odd", key="k", now=NOON)
    return user


def test_one_reading_finds_what_the_orm_finds(ada):
    found, site = reading.read([ada.pk], date(2026, 5, 1))

    one = found[ada.pk]
    held = UserAchievement.objects.filter(user=ada)
    is_open = {"unlocked_at": None, "revoked_at": None}
    assert one.streak.__dict__.items() >= _values(UserStreak.objects.get(user=ada)).items()
    assert _values(one.xp) == _values(UserXP.objects.get(user=ada))
    assert one.counters == dict(UserCounter.objects.filter(user=ada).values_list("name", "value"))
    assert {name: tuple(row) for name, row in one.open.items()} == {
        row.achievement_id: (row.progress, row.grants) for row in held.filter(**is_open)
    }
    assert one.closed == set(held.exclude(**is_open).values_list("achievement_id", flat=True))
    assert [_values(reading.day_of(values)) for _, values in sorted(one.days.items())] == [
        _values(day) for day in UserDay.objects.filter(user=ada).order_by("date")
    ]
    assert site.excused == {date(2026, 5, 20)}
    assert site.rules_stamp[0] == 27


def test_days_are_read_from_the_last_one_on_and_the_others_when_they_are_needed(ada):
    last_day = UserStreak.objects.get(user=ada).last_day
    with transaction.atomic():
        player = players.lock([ada], date(2026, 6, 20))[ada.pk]

        assert min(player.found_days) == last_day
        assert player.day(date(2026, 5, 28)).activities == 1
        assert player.days_since == date.min


def _values(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


# Locking


def test_a_newcomer_is_locked_before_the_total_is_made():
    """Otherwise one could hold the lock and wait for the total, and another one the other way round."""
    user = UserFactory()
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        players.lock([user])

    texts = [query["sql"] for query in captured]
    first_lock = next(
        n for n, text in enumerate(texts) if text.startswith("SELECT") and '"user_id" IN' in text and n > 1
    )
    total = next(n for n, text in enumerate(texts) if text.startswith("INSERT") and "userxp" in text)
    assert first_lock < total


def test_locking_nobody_asks_nothing():
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        assert players.lock([]) == {}
        assert players.glance([]) == {}

    assert len(captured) <= 2  # a savepoint


def test_a_user_whose_key_is_of_another_type_is_refused_and_not_looked_for_again_and_again():
    user = UserFactory()

    with pytest.raises(RuntimeError, match="cannot be locked"), transaction.atomic():
        players.lock([type(user)(pk=str(user.pk))])


def test_a_driver_without_pipelines_sends_one_statement_after_the_other(ada, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("only psycopg has pipelines")
    monkeypatch.setattr(type(connections["default"]), "Database", SimpleNamespace(), raising=False)

    with sent_together(), cursor() as opened:
        opened.execute("SELECT 1")

        assert connection.connection.pgconn.pipeline_status == 0
        assert opened.fetchall() == [(1,)]


def test_a_replay_is_answered_before_anything_is_computed(ada, monkeypatch):
    first = activities.record(ada, "scenario_completed", key="once", data=SCENARIO, now=NOON)
    monkeypatch.setattr(recording, "record_one", lambda *args: 1 / 0)

    again = activities.record(ada, "scenario_completed", key="once", data=SCENARIO, now=NOON)

    assert (again.is_replay, again.xp_awarded) == (True, first.xp_awarded)


# What it takes, whatever the machine's mood


def test_a_recording_is_one_reading_and_a_statement_for_each_table(ada):
    for number in range(3):
        activities.record(ada, "scenario_completed", key=f"before {number}", data=SCENARIO, now=NOON)

    with CaptureQueriesContext(connection) as captured:
        activities.record(ada, "scenario_completed", key="again", data=SCENARIO, now=NOON)

    statements = [query["sql"].split()[0].upper() for query in captured]
    ours = [verb for verb in statements if verb in {"SELECT", "INSERT", "UPDATE", "DELETE"}]
    locking = int(connection.features.has_select_for_update)
    assert ours == ["SELECT"] * (1 + locking) + ["INSERT"] * 7


def test_a_recording_takes_few_calls_of_functions(ada):
    """Time depends on the machine, calls do not. With a query of the ORM for each table it took 15,000."""
    activities.record(ada, "scenario_completed", key="warm", data=SCENARIO, now=NOON)
    profile = cProfile.Profile()

    profile.enable()
    for number in range(20):
        activities.record(ada, "scenario_completed", key=f"{number}", data=SCENARIO, now=NOON)
    profile.disable()

    allowed = 2_200 if connection.vendor == "sqlite" else 3_000  # the driver's own are counted too
    assert pstats.Stats(profile).total_calls / 20 < allowed

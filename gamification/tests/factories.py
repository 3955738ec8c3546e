"""Rows for tests. What rules decide (streaks, totals, unlocks) is made by the services, not by factories."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import factory
from django.contrib.auth import get_user_model

from gamification import models
from gamification.models.xp import Source

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class UserFactory(factory.django.DjangoModelFactory):
    """Somebody who can sign in only by ``force_login``."""

    class Meta:
        model = get_user_model()
        django_get_or_create = ("username",)

    username = factory.Sequence(lambda number: f"user{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password = "!"


class AchievementFactory(factory.django.DjangoModelFactory):
    """A definition that unlocks when ``metric`` reaches ``value``."""

    class Meta:
        model = models.Achievement

    class Params:
        metric = "scenarios_completed"
        value = 1

    achievement_id = factory.Sequence(lambda number: f"achievement_{number}")
    name = factory.Sequence(lambda number: f"Achievement {number}")
    description = "Something to reach"
    category = "scenarios"
    xp_reward = 50
    order = factory.Sequence(int)
    conditions = factory.LazyAttribute(lambda row: condition(row.metric, row.value))


class UserAchievementFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.UserAchievement

    user = factory.SubFactory(UserFactory)
    achievement = factory.SubFactory(AchievementFactory)


class UserStreakFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.UserStreak

    user = factory.SubFactory(UserFactory)


class UserXPFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.UserXP

    user = factory.SubFactory(UserFactory)


class UserDayFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.UserDay

    user = factory.SubFactory(UserFactory)
    date = date(2026, 6, 1)


class UserCounterFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.UserCounter

    user = factory.SubFactory(UserFactory)
    name = "scenarios_completed"
    value = 1


class ActivityFactory(factory.django.DjangoModelFactory):
    """A row of the log alone, without what recording it would do."""

    class Meta:
        model = models.Activity

    user = factory.SubFactory(UserFactory)
    kind = "daily_visit"
    key = factory.Sequence(lambda number: f"activity-{number}")
    occurred_at = NOON
    recorded_at = NOON
    timezone = "UTC"
    local_date = factory.LazyAttribute(lambda row: row.occurred_at.date())
    content_hash = "0" * 64


class XPTransactionFactory(factory.django.DjangoModelFactory):
    """A row of the ledger alone, without the total that follows from it."""

    class Meta:
        model = models.XPTransaction

    user = factory.SubFactory(UserFactory)
    xp_amount = 10
    reason = "test"
    created_at = NOON
    source = Source.CLIENT
    key = factory.Sequence(lambda number: f"award-{number}")
    earned_on = factory.LazyAttribute(lambda row: row.created_at.date())


class ExcusedDateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.ExcusedDate

    date = date(2026, 6, 2)
    reason = "outage"


class LeaderboardCacheFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.LeaderboardCache

    metric = "xp_all_time"


def condition(metric: str, value: int) -> dict[str, Any]:
    """Return the condition that ``metric`` is at least ``value``."""
    return {"v": 1, "all": [{"metric": metric, "op": "gte", "value": value}]}

"""The dashboard's data in one answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gamification.api.fields import DayField
from gamification.api.schema import describe_field
from gamification.api.serializers import achievements
from gamification.api.serializers.leaderboards import BoardSerializer
from gamification.api.serializers.streaks import (
    DayStatusField,
    FreezeUseSerializer,
    StreakSerializer,
    WeekDaySerializer,
)
from gamification.api.serializers.xp import LevelSerializer, TransactionSerializer
from gamification.services.dashboard import Overview


class CalendarDaySerializer(serializers.Serializer[Any]):
    """A day of the year's calendar."""

    date = DayField()
    status = DayStatusField(allow_null=True)
    activities = serializers.IntegerField()
    xp = serializers.IntegerField()


@describe_field(achievements.LISTED)
class ListedField(serializers.Field[Any, Any, Any, Any]):
    """Achievements as in their list: of a secret nothing but that it is one."""

    def to_representation(self, value: Any) -> list[dict[str, Any]]:
        return [achievements.listed(state) for state in value]


class DashboardSerializer(serializers.Serializer[Overview]):
    """All that the page shows."""

    today = DayField(help_text="The user's local date.")
    timezone = serializers.CharField()
    is_new = serializers.BooleanField(help_text="Nothing was recorded yet.")
    level = LevelSerializer()
    streak = StreakSerializer()
    week = WeekDaySerializer(many=True, help_text="Monday to Sunday.")
    freeze_history = FreezeUseSerializer(source="freeze_days", many=True, help_text="Newest first.")
    achievements = ListedField()
    unlocked_count = serializers.IntegerField()
    visible_count = serializers.IntegerField()
    leaderboard = BoardSerializer(source="board")
    calendar = CalendarDaySerializer(source="days", many=True, help_text="The last 365 days, oldest first.")
    recent_xp = TransactionSerializer(source="recent", many=True, help_text="The newest ten rows of the ledger.")

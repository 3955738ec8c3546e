"""Streaks and the days behind them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gamification.api.fields import DayField, MomentField
from gamification.api.schema import describe_field, one_of
from gamification.domain.days import DayStatus
from gamification.domain.streaks import ACTIONS, StreakState
from gamification.engine.results import StreakChange, WeekDay
from gamification.models import UserDay


@describe_field(one_of(StreakState))
class StateField(serializers.CharField):
    """How a streak reads."""


@describe_field(one_of(ACTIONS))
class ActionField(serializers.CharField):
    """A step that a streak went through."""


@describe_field(one_of(DayStatus))
class DayStatusField(serializers.CharField):
    """What a day is to a streak; null for a day that is no part of one."""

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or None


class StreakSerializer(serializers.Serializer[Any]):
    """How a streak reads now."""

    current_streak = serializers.IntegerField(source="current", help_text="Days; 0 while lapsed.")
    longest_streak = serializers.IntegerField(source="longest")
    streak_freezes_available = serializers.IntegerField(source="freezes")
    status = StateField()
    expires_at = MomentField(allow_null=True)
    last_activity_date = DayField(allow_null=True)
    total_active_days = serializers.IntegerField()


class StreakUpdateSerializer(serializers.Serializer[StreakChange]):
    """What a visit did to the streak."""

    action = ActionField(allow_null=True, help_text="The one of the transitions that matters most.")
    transitions = serializers.ListField(child=ActionField(), help_text="All, in order.")
    xp_awarded = serializers.IntegerField(help_text="The day's bonus.")
    streak = StreakSerializer(source="*")


class FreezeSerializer(serializers.Serializer[StreakChange]):
    """What a freeze did to the streak; asked again on the same day, ``transitions`` is empty."""

    action = ActionField()
    transitions = serializers.ListField(child=ActionField())
    streak = StreakSerializer(source="*")


class WeekDaySerializer(serializers.Serializer[WeekDay]):
    """A day of the current week, Monday to Sunday."""

    date = DayField()
    status = DayStatusField(allow_null=True)
    is_today = serializers.BooleanField()
    is_future = serializers.BooleanField()


class FreezeUseSerializer(serializers.Serializer[UserDay]):
    """A day that a freeze covered; ``is_returned`` when the token was given back."""

    date = DayField()
    reason = serializers.CharField(allow_blank=True)
    is_returned = serializers.SerializerMethodField()

    def get_is_returned(self, day: UserDay) -> bool:
        return day.freezes_returned >= day.freezes_used


class StreakStatusSerializer(StreakSerializer):
    """How a streak reads now, with the week and the freezes used."""

    timezone = serializers.CharField(help_text="The IANA name of the zone that days are counted in.")
    last_at = MomentField(allow_null=True, help_text="The latest activity.")
    week = WeekDaySerializer(many=True)
    freeze_history = FreezeUseSerializer(many=True, help_text="Newest first.")

"""Receipts of activities."""

from __future__ import annotations

from rest_framework import serializers

from gamification.api.fields import DayField, MomentField, ObjectField, UserField
from gamification.api.schema import describe_field, one_of
from gamification.api.serializers.streaks import ActionField, StreakSerializer
from gamification.api.serializers.xp import LevelSerializer
from gamification.domain.limits import LIMITS
from gamification.engine.results import Receipt, Voided
from gamification.models import Activity


class ActivitySerializer(serializers.Serializer[Activity]):
    """An activity as it was recorded."""

    id = serializers.IntegerField()
    user = UserField(source="user_id")
    kind = serializers.CharField()
    key = serializers.CharField()
    quantity = serializers.IntegerField()
    data = ObjectField()  # type: ignore[assignment]
    occurred_at = MomentField()
    timezone = serializers.CharField(help_text="The zone it was counted in.")
    local_date = DayField(help_text="The day it counts for.")


class StreakChangeSerializer(StreakSerializer):
    """What an activity did to the streak; ``action`` null: it was left alone, and ``reason`` may say why."""

    action = ActionField(allow_null=True)
    transitions = serializers.ListField(child=ActionField())
    reason = serializers.CharField(allow_null=True)


@describe_field(one_of(LIMITS))
class LimitField(serializers.CharField):
    """A limit of a kind."""


class ReceiptSerializer(serializers.Serializer[Receipt]):
    """What an activity changed. ``xp_awarded`` is all that it booked, bonus and achievements included."""

    activity = ActivitySerializer()
    is_replay = serializers.BooleanField()
    xp_awarded = serializers.IntegerField()
    streak = StreakChangeSerializer()
    level = LevelSerializer()
    level_up = serializers.BooleanField()
    achievements_unlocked = serializers.ListField(child=serializers.CharField(), help_text="Ids.")
    capped_by = LimitField(
        allow_null=True, help_text="The limit of its kind that made it pay less, or not count, if any did."
    )


class VoidSerializer(serializers.Serializer[Voided]):
    """What voiding an activity took back."""

    activity_id = serializers.IntegerField(source="void.activity_id")
    user = UserField(source="void.user_id")
    voided_at = MomentField(source="void.voided_at")
    reason = serializers.CharField(source="void.reason")
    xp_taken_back = serializers.IntegerField(help_text="XP points, of achievements that were revoked too.")
    achievements_revoked = serializers.ListField(child=serializers.CharField(), help_text="Ids.")
    streak = StreakSerializer()
    level = LevelSerializer()

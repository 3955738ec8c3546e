"""Levels, awards, the ledger."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gamification.api.fields import DayField, MomentField, ObjectField
from gamification.api.schema import describe_field
from gamification.domain.levels import LevelInfo
from gamification.engine.results import Award, XPStats
from gamification.models import XPTransaction


class LevelSerializer(serializers.Serializer[LevelInfo]):
    """What a total of XP amounts to."""

    total_xp = serializers.IntegerField()
    current_level = serializers.IntegerField()
    highest_level = serializers.IntegerField()
    title = serializers.CharField()
    xp_to_next_level = serializers.IntegerField(help_text="XP points; 0 at the top level.")
    level_progress_percentage = serializers.FloatField(help_text="0 to 100, floored to two decimals.")


class AwardSerializer(serializers.Serializer[Award]):
    """What an award changed. ``total_xp`` has the XP of the achievements that it unlocked, ``xp_awarded`` has not."""

    transaction_id = serializers.IntegerField(source="transaction.pk")
    xp_awarded = serializers.IntegerField()
    total_xp = serializers.IntegerField(source="level.total_xp")
    previous_level = serializers.IntegerField()
    current_level = serializers.IntegerField(source="level.current_level")
    level_up = serializers.BooleanField()
    title = serializers.CharField(source="level.title")
    achievements_unlocked = serializers.ListField(child=serializers.CharField(), help_text="Ids.")


class TransactionSerializer(serializers.Serializer[XPTransaction]):
    """A row of the ledger."""

    id = serializers.IntegerField()
    xp_amount = serializers.IntegerField()
    reason = serializers.CharField()
    reference_id = serializers.CharField(allow_blank=True)
    created_at = MomentField()
    earned_on = DayField(allow_null=True, help_text="The local date that it belongs to; null counts in no window.")
    reverses = serializers.IntegerField(
        source="reverses_id", allow_null=True, help_text="The transaction that this one takes back."
    )
    metadata = ObjectField()


@describe_field({"type": "object", "additionalProperties": {"type": "integer"}})
class SumsField(serializers.DictField):
    """XP by name."""


class BestDaySerializer(serializers.Serializer[Any]):
    """The day with the most XP."""

    date = DayField()
    xp = serializers.IntegerField()


class StatsSerializer(serializers.Serializer[XPStats]):
    """Sums of XP over the user's local dates."""

    today = serializers.IntegerField()
    last_7_days = serializers.IntegerField()
    last_30_days = serializers.IntegerField()
    by_reason = SumsField(child=serializers.IntegerField(), help_text="XP of all time, by reason.")
    best_day = BestDaySerializer(allow_null=True, help_text="Null before any XP.")
    daily_average = serializers.FloatField(help_text="Over the last 30 days.")

    def to_representation(self, instance: XPStats) -> dict[str, Any]:
        names = ("today", "last_7_days", "last_30_days", "by_reason", "daily_average")
        best = dict(zip(("date", "xp"), instance.best_day, strict=True)) if instance.best_day else None
        return super().to_representation({**{name: getattr(instance, name) for name in names}, "best_day": best})  # type: ignore[arg-type]

"""Definitions of achievements, as one user sees them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gamification.api.fields import MomentField, ObjectField
from gamification.api.schema import Either, describe_field, one_of
from gamification.domain.catalogue import RARITIES
from gamification.engine.results import AchievementState, Seeded


@describe_field(one_of(RARITIES))
class RarityField(serializers.CharField):
    """How hard an achievement is to get."""


class _NamedSerializer(serializers.Serializer[AchievementState]):
    achievement_id = serializers.CharField(source="achievement.achievement_id")
    name = serializers.CharField(source="achievement.name")


class _DefinitionSerializer(_NamedSerializer):
    description = serializers.CharField(source="achievement.description", allow_blank=True)
    category = serializers.CharField(source="achievement.category")
    rarity = RarityField(source="achievement.rarity")
    icon = serializers.CharField(source="achievement.icon", allow_blank=True)
    xp_reward = serializers.IntegerField(source="achievement.xp_reward")


class _ProgressFields(serializers.Serializer[AchievementState]):
    unlocked = serializers.BooleanField()
    unlocked_at = MomentField(allow_null=True)
    progress = serializers.IntegerField(help_text="Whole percent; it never falls.")
    current = serializers.IntegerField(help_text="What was reached, of `target`.")
    target = serializers.IntegerField()


class AchievementSerializer(_DefinitionSerializer, _ProgressFields):
    """A definition, and how far I am with it. ``is_hidden`` is false: what I may see is not hidden from me."""

    conditions = ObjectField(source="achievement.conditions")
    is_hidden = serializers.BooleanField(source="is_masked")


class MaskedAchievementSerializer(serializers.Serializer[AchievementState]):
    """A secret: ``is_hidden`` is true until I unlock it. ``position`` counts from 1."""

    is_hidden = serializers.BooleanField(source="is_masked")
    position = serializers.IntegerField()


LISTED = Either("ListedAchievement", (AchievementSerializer, MaskedAchievementSerializer), is_list=True)


class AchievementDetailSerializer(AchievementSerializer):
    """A definition, how far I am with it, and how rare it is."""

    unlock_metadata = ObjectField(help_text="How I unlocked it; empty until then.")
    unlocked_percentage = serializers.SerializerMethodField()

    def get_unlocked_percentage(self, state: AchievementState) -> float:
        """Return how many percent of all players have it."""
        share: float = self.context["share_of_holders"]
        return share


class UnlockedAchievementSerializer(_DefinitionSerializer):
    """Something that I have."""

    unlocked_at = MomentField()
    unlock_metadata = ObjectField(help_text="How I unlocked it.")


class ProgressSerializer(_NamedSerializer, _ProgressFields):
    """How far I am with an achievement."""


class UnlockedIdsSerializer(serializers.Serializer[Any]):
    """What was newly unlocked."""

    achievements_unlocked = serializers.ListField(child=serializers.CharField(), help_text="Ids.")


class SeededSerializer(serializers.Serializer[Seeded]):
    """How many of the shipped definitions were created, updated or left as they were."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()


def listed(state: AchievementState) -> dict[str, Any]:
    """Return an item of a list; of a secret nothing but that it is one."""
    serializer = MaskedAchievementSerializer if state.is_masked else AchievementSerializer
    return dict(serializer(state).data)

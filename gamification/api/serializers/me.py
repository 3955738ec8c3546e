"""What users may see and set for themselves."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gamification.api.schema import describe_field
from gamification.services import privacy


class MeSerializer(serializers.Serializer[Any]):
    """My own settings."""

    timezone = serializers.CharField(help_text="The IANA name of the zone that my days are counted in.")
    is_visible = serializers.BooleanField(help_text="Whether others see me on leaderboards.")


@describe_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class RowsField(serializers.ListField):
    """Rows of a table, by column."""


class ExportSerializer(serializers.Serializer[Any]):
    """Everything that is kept about me, by table."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: RowsField() for name in privacy.TABLES}

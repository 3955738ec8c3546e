"""Filters of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters  # type: ignore[import-untyped]
from django import forms
from django_filters.fields import IsoDateTimeField  # type: ignore[import-untyped]

from gamification.api.schema import describe_field
from gamification.models import XPTransaction


class MomentFormField(IsoDateTimeField):  # type: ignore[misc]
    """A moment that a database can compare with: in UTC, and one that can be."""

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        try:
            return moment.astimezone(UTC) if moment else None
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = MomentFormField


class StrictForm(forms.Form):
    """Refuse an empty value: silently, it would mean everything."""

    def clean(self) -> None:
        for name in self.fields:
            if self.data.get(name) == "":
                self.add_error(name, forms.ValidationError("This may not be empty; leave it out.", code="blank"))


class LedgerFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """By reason, by the moment of booking and by the date that the XP belongs to; both ends count."""

    reason = describe_field({"type": "string", "minLength": 1})(django_filters.CharFilter(help_text="Exactly this."))
    created_after = MomentFilter("created_at", "gte", help_text="Booked at this moment or later.")
    created_before = MomentFilter("created_at", "lte", help_text="Booked at this moment or earlier.")
    earned_after = django_filters.DateFilter("earned_on", "gte", help_text="Earned on this date or later.")
    earned_before = django_filters.DateFilter("earned_on", "lte", help_text="Earned on this date or earlier.")

    class Meta:
        model = XPTransaction
        form = StrictForm
        fields: list[str] = []

"""The forms of webhooks: an endpoint, a new secret, sending again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminIntegerFieldWidget, AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gamification.domain.webhooks import EVENT_TYPES
from gamification.engine.posting import HAS_URLLIB3
from gamification.exceptions import InvalidInput
from gamification.models import WebhookEndpoint
from gamification.services import webhooks

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: What each event is, for staff.
MEANINGS: dict[str, _StrPromise] = {
    "activity.recorded": _("somebody did something"),
    "activity.voided": _("an activity was taken back with all that it brought"),
    "xp.awarded": _("XP was booked"),
    "xp.reversed": _("XP was taken back"),
    "level.up": _("a level was reached for the first time"),
    "achievement.unlocked": _("an achievement was unlocked"),
    "achievement.revoked": _("an achievement was taken back"),
    "streak.started": _("a streak began"),
    "streak.increased": _("a streak grew by a day"),
    "streak.broken": _("a streak ended"),
    "streak.frozen": _("a streak was kept by freezes"),
    "freeze.used": _("a freeze covered a day"),
}


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """A URL, and what it is told."""

    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(name, f"{name}: ") for name in EVENT_TYPES],
        widget=forms.CheckboxSelectMultiple,
        initial=list(EVENT_TYPES),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "event_types", "is_active")
        help_texts = {
            "url": _("Where each event is posted to. It begins with https:// and leads to a public address."),
            "description": _("For staff: whose it is, what it is for."),
            "is_active": _("Off, it gets nothing new. What waits for it is sent once it is on again."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "event_types" in self.fields:
            choices = [(name, f"{name}: {MEANINGS[name]}") for name in EVENT_TYPES]
            self.fields["event_types"].choices = choices  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            webhooks.check_url(url)
        except InvalidInput as error:
            raise ValidationError(error.message, code="forbidden") from error
        return url

    def clean(self) -> dict[str, Any] | None:
        if not HAS_URLLIB3:
            raise ValidationError(_("Webhooks need the package urllib3, which is not installed."), code="missing")
        return super().clean()


class RotateForm(forms.Form):
    """How long the old secret goes on signing."""

    overlap_hours = forms.IntegerField(
        label=_("Hours until the old secret ends"),
        min_value=0,
        max_value=webhooks.OVERLAP_HOURS_MAX,
        initial=24,
        widget=AdminIntegerFieldWidget,
        help_text=_("0 ends it now, which is right after a leak: until the receiver knows the new one it refuses all."),
    )


class ReplayForm(forms.Form):
    """From when on everything is sent again."""

    since = forms.SplitDateTimeField(label=_("Since"), widget=AdminSplitDateTime)
    only_failed = forms.BooleanField(label=_("Only what was given up"), required=False)

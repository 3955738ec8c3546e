"""The forms: conditions as text, and what staff may do for users, each with a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib.admin.widgets import (
    AdminDateWidget,
    AdminIntegerFieldWidget,
    AdminTextareaWidget,
    AdminTextInputWidget,
)
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from gamification.admin.pickers import AchievementField, UserField
from gamification.domain import calendar
from gamification.domain.conditions import MAX_BYTES
from gamification.exceptions import IdempotencyConflict
from gamification.models import Achievement
from gamification.models.guards import FlagState

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

    from gamification.exceptions import GamificationError

TEXT_MAX_LENGTH = 255
AMOUNT_MAX = 100_000
#: Sent to see the form again with what was typed.
REOPEN = "_reopen"
EXAMPLE = '{"v": 1, "all": [{"metric": "scenarios_completed", "op": "gte", "value": 5}]}'


class ConditionsField(forms.JSONField):
    """A condition as text. What is no JSON is refused with the line; what was typed comes back as it was typed."""

    widget = AdminTextareaWidget

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            if len(value) > 2 * MAX_BYTES:
                raise ValidationError(_("This is longer than a condition may be."), code="invalid")
            try:
                json.dumps(json.loads(value or "null"))
            except json.JSONDecodeError as error:
                raise ValidationError(
                    _("Line %(line)d, column %(column)d is not JSON: %(reason)s."),
                    code="invalid",
                    params={"line": error.lineno, "column": error.colno, "reason": error.msg},
                ) from error
            except (ValueError, RecursionError) as error:
                raise ValidationError(_("This is JSON that no condition can be."), code="invalid") from error
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial if self.disabled else InvalidJSONInput(data or "")

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(super().has_changed(initial, data))
        except ValidationError:
            return True


class AchievementForm(forms.ModelForm):  # type: ignore[type-arg]
    """A definition. ``locked`` are fields that this person may not change in a rule in force."""

    locked: ClassVar[tuple[str, ...]] = ()

    class Meta:
        model = Achievement
        fields = (
            "achievement_id",
            "name",
            "description",
            "category",
            "rarity",
            "icon",
            "xp_reward",
            "conditions",
            "order",
            "is_active",
            "is_hidden",
        )
        help_texts = {
            "achievement_id": _("What clients know it by. It follows from the name, and cannot be changed later.")
        }

    def is_valid(self) -> bool:
        return REOPEN not in self.data and super().is_valid()

    def clean(self) -> dict[str, Any] | None:
        if any(name in self.data for name in self.locked):
            raise ValidationError(
                _("XP and conditions of a rule in force may only be changed by those who may run back-fills."),
                code="locked",
            )
        return super().clean()


class ReasonForm(forms.Form):
    """Why something is done: kept with what it changes."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=TEXT_MAX_LENGTH,
        widget=AdminTextInputWidget,
        help_text=_("Kept for good. It can be read by staff, and by the user in an export."),
    )

    def refuse(self, error: GamificationError, name: str = "") -> None:
        """Show why nothing was changed, of somebody with a ``name``, beside the field if it was one."""
        message = f"{name}: {error.message}" if name else error.message
        self.add_error(error.field if error.field in self.fields else None, message)


class VoidForm(ReasonForm):
    """Why activities are voided, and what becomes of the achievements that stood on them."""

    achievements = forms.ChoiceField(
        label=_("Achievements that stood on it"),
        required=False,
        choices=[
            ("", _("as the project has it")),
            ("keep", _("keep them")),
            ("revoke", _("revoke them, with their XP")),
        ],
        help_text=_("Those whose condition holds no longer without the activity."),
    )


class TimezoneForm(ReasonForm):
    """The zone in which a user's days are counted."""

    field_order = ("timezone", "reason")

    def __init__(self, *args: Any, current: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"] = forms.ChoiceField(
            label=_("Time zone"),
            choices=[(name, name) for name in sorted(calendar.timezone_names() | {current})],
            initial=current,
            help_text=_("From now on. Past days stay as they were counted."),
        )
        self.order_fields(self.field_order)


class ExcuseForm(ReasonForm):
    """A date that nobody is to miss."""

    field_order = ("date", "reason")

    date = forms.DateField(label=_("Date"), widget=AdminDateWidget)


class DecisionForm(ReasonForm):
    """What staff make of flags."""

    field_order = ("state", "reason")

    state = forms.ChoiceField(
        label=_("Decision"),
        choices=FlagState.choices,
        initial=FlagState.DISMISSED,
        help_text=_("Nobody loses anything by it: XP is reversed and people are excluded on pages of their own."),
    )


class PersonForm(ReasonForm):
    """Somebody, who is picked here unless the address names them."""

    field_order: tuple[str, ...] = ("user", "reason")

    def __init__(self, *args: Any, admin_site: AdminSite, is_user_known: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_user_known:
            self.fields["user"] = UserField(admin_site, label=_("User"))
        self.order_fields(self.field_order)


class GrantForm(PersonForm):
    """Give somebody an achievement."""

    field_order = ("user", "achievement", "reason")

    def __init__(self, *args: Any, admin_site: AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, admin_site=admin_site, **kwargs)
        self.fields["achievement"] = AchievementField(admin_site, label=_("Achievement"))
        self.order_fields(self.field_order)


class AwardForm(PersonForm):
    """Give or take XP. The key is made with the empty form, so that sending it twice pays once."""

    field_order = ("user", "amount", "reason", "reference_id", "key")

    amount = forms.IntegerField(
        label=_("XP"),
        min_value=-AMOUNT_MAX,
        max_value=AMOUNT_MAX,
        widget=AdminIntegerFieldWidget,
        help_text=_("From -100,000 to 100,000. A negative number takes XP away, down to 0 and no further."),
    )
    reference_id = forms.CharField(
        label=_("Reference"), max_length=TEXT_MAX_LENGTH, required=False, widget=AdminTextInputWidget
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=TEXT_MAX_LENGTH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = new_key

    def refuse(self, error: GamificationError, name: str = "") -> None:
        """Make the form, shown again, a new one where its key was used for something else."""
        if isinstance(error, IdempotencyConflict):
            self.data = {**{field: self.data[field] for field in self.data}, "key": new_key()}
            self.add_error(None, _("This form was sent before with other content. Look, then send it again."))
        else:
            super().refuse(error, name)


def new_key() -> str:
    return f"admin:{uuid4()}"

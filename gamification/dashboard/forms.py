"""The forms of the settings page."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from gamification.domain.calendar import timezone_names
from gamification.engine.texts import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AbstractBaseUser

    from gamification.engine.results import AchievementState

PLACES = ("first", "second", "third")
#: Places where people live; the rest of the database are old names for the same zones.
REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


def zone_choices(current: str) -> list[tuple[str, Any]]:
    """Return the zones by region, as a select takes them; ``current`` is always among them."""
    names = {name for name in timezone_names() if name.partition("/")[0] in REGIONS}
    others = sorted({"UTC", current} - names)
    regions = groupby(sorted(names), key=lambda name: name.partition("/")[0])
    grouped = [(region, [(name, _place(name)) for name in group]) for region, group in regions]
    return [*((name, name) for name in others), *grouped]


class PreferencesForm(forms.Form):
    """The time zone that days are counted in, and whether others see me."""

    timezone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("Your days begin and end in this zone. You can change it once in 24 hours."),
    )
    is_visible = forms.BooleanField(
        label=_("Show me on leaderboards"),
        required=False,
        help_text=_("When this is off, you still see your own rank, and nobody else sees you."),
    )

    def __init__(self, *args: Any, current_zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["timezone"]).choices = zone_choices(current_zone)


class ProfileForm(forms.Form):
    """Whether there is a public profile, and the three achievements that it shows first."""

    is_public = forms.BooleanField(
        label=_("Show my profile to everybody who has the link"),
        required=False,
        help_text=_("It shows your name, level, title, these achievements and how active you were each day."),
    )
    first = forms.ChoiceField(label=_("First achievement"), required=False)
    second = forms.ChoiceField(label=_("Second achievement"), required=False)
    third = forms.ChoiceField(label=_("Third achievement"), required=False)

    def __init__(self, *args: Any, unlocked: Iterable[AchievementState], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[tuple[str, Any]] = [("", pgettext("no achievement", "None"))]
        showable = [state.achievement for state in unlocked if not state.achievement.is_hidden]
        choices += [(achievement.achievement_id, translated(achievement.name)) for achievement in showable]
        for place in PLACES:
            cast("forms.ChoiceField", self.fields[place]).choices = choices

    def clean(self) -> dict[str, Any]:
        """Refuse an achievement that was chosen twice, at the second place where it stands."""
        chosen: set[str] = set()
        for place in PLACES:
            name = self.cleaned_data.get(place)
            if name and name in chosen:
                self.add_error(place, _("You chose this one already."))
            chosen.add(name or "")
        return self.cleaned_data

    @property
    def showcase(self) -> list[str]:
        """Return the ids that were chosen, in order."""
        return [name for place in PLACES if (name := self.cleaned_data.get(place))]


class EraseForm(forms.Form):
    """The confirmation before everything is erased: the password, or a word to type for those who have none."""

    confirmation = forms.CharField(max_length=255, strip=False)

    def __init__(self, *args: Any, user: AbstractBaseUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self._wait: int | None = None
        field = self.fields["confirmation"]
        if user.has_usable_password():
            field.label = _("Your password")
            field.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        else:
            field.label = _("Type “%(word)s” to confirm") % {"word": self.word}
            field.widget = forms.TextInput(attrs={"autocomplete": "off"})

    @property
    def word(self) -> str:
        """Return the word that people without a password type."""
        return pgettext("the word to type before erasing", "erase")

    def refuse(self, seconds: int) -> None:
        """Leave what was typed unread, because it was one attempt too many."""
        self._wait = seconds

    def clean_confirmation(self) -> str:
        """Return what was typed, if it confirms."""
        typed: str = self.cleaned_data["confirmation"]
        if self._wait is not None:
            minutes = math.ceil(self._wait / 60)
            said = ngettext(
                "Too many attempts. Nothing was erased. Try again in %(minutes)s minute.",
                "Too many attempts. Nothing was erased. Try again in %(minutes)s minutes.",
                minutes,
            )
            raise forms.ValidationError(said % {"minutes": number_format(minutes)})
        if self.user.has_usable_password():
            if not self.user.check_password(typed):
                raise forms.ValidationError(_("This is not your password. Nothing was erased."))
        elif typed.strip().casefold() != self.word.casefold():
            raise forms.ValidationError(_("The word does not match. Nothing was erased."))
        return typed


def _place(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")

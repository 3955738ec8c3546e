"""What a file of definitions would change, worked out before anything is."""

from __future__ import annotations

import json
from copy import copy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gamification.admin.definition_files import CONDITIONS, FIELDS, NUMBERS, SWITCHES, FileProblem, as_text, values
from gamification.admin.editor import check
from gamification.admin.forms import ConditionsField
from gamification.models import Achievement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gamification.admin.definition_files import Entry

TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")


class SwitchField(forms.CharField):
    """True or false, said so: anything else is refused, not taken for one of them."""

    def clean(self, value: Any) -> bool:
        said = str(value).strip().lower()
        if said not in TRUE + FALSE:
            raise ValidationError(_("This must be true or false."), code="invalid")
        return said in TRUE


class DefinitionForm(forms.Form):
    """One definition of a file: the fields of the model, with texts to the letter.

    A form of the model would ask the database about each.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {CONDITIONS: ConditionsField, **dict.fromkeys(SWITCHES, SwitchField)}
        self.fields.update(forms.fields_for_model(Achievement, FIELDS, field_classes=own))
        for each in self.fields.values():
            if isinstance(each, forms.CharField):
                each.strip = False

    def made_of(self, before: Achievement | None) -> Achievement:
        """Return the definition as the file wants it; what the model refuses is an error of its field."""
        row = copy(before) or Achievement()
        for name, value in self.cleaned_data.items():
            setattr(row, name, value)
        try:
            row.clean_fields(exclude=set(FIELDS) - self.cleaned_data.keys())
        except ValidationError as error:
            self.add_error(None, error)
        return row


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file: the number of the definition, the field and the rule."""

    number: int
    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class Change:
    """A definition that a file would create or change: ``fields`` by name, each with what it is and will be."""

    row: Achievement
    is_new: bool
    fields: dict[str, tuple[str, str]]

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """Return label, before and after of each field."""
        return [(label_of(name), *both) for name, both in self.fields.items()]


@dataclass
class Plan:
    """What a file would do."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unchanged: int = 0

    @property
    def digest(self) -> str:
        """Return a text that is another one when anything of it is: what was, too."""
        facts = [(change.row.achievement_id, change.is_new, change.fields) for change in self.changes]
        return sha256(json.dumps(facts).encode()).hexdigest()

    @property
    def created(self) -> int:
        return sum(change.is_new for change in self.changes)

    @property
    def changed(self) -> int:
        return len(self.changes) - self.created


def label_of(name: str) -> str:
    """Return what people call a field."""
    return str(getattr(Achievement._meta.get_field(name), "verbose_name", name))


def planned(entries: Sequence[Entry], locked: Callable[[Achievement], Sequence[str]], *, is_held: bool = False) -> Plan:
    """Return what ``entries`` would change; ``locked`` says which fields of a definition may not be.

    With ``is_held`` the definitions are locked until the end of the transaction.
    """
    ids = [entry.fields.get("achievement_id") for entry in entries]
    rows = Achievement.objects.select_for_update() if is_held else Achievement.objects.all()
    known = {row.achievement_id: row for row in rows.filter(achievement_id__in=[one for one in ids if _is_id(one)])}
    plan = Plan()
    seen: dict[object, int] = {}
    for entry, one in zip(entries, ids, strict=True):
        if not _is_id(one):
            plan.problems.append(Problem(entry.number, "achievement_id", _("This field is required, as a text.")))
        elif one in seen:
            said = _("The same id stands in {number} already.").format(number=seen[one])
            plan.problems.append(Problem(entry.number, "achievement_id", said))
        else:
            seen[one] = entry.number
            _add(plan, entry, known.get(str(one)), locked)
    return plan


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value.isascii()


def _add(plan: Plan, entry: Entry, before: Achievement | None, locked: Callable[[Achievement], Sequence[str]]) -> None:
    """Add to ``plan`` what one entry would change; fields that it does not have stay as they are."""
    was = values(before or Achievement())
    data, problems = {name: as_text(name, value) for name, value in was.items()}, []
    for name, value in entry.fields.items():
        try:
            data[name] = as_text(name, value)
        except FileProblem as error:
            problems.append(Problem(entry.number, name, str(error)))
    form = DefinitionForm(data)
    form.full_clean()
    row = form.made_of(before)
    if not problems:
        problems = [Problem(entry.number, name, " ".join(map(str, told))) for name, told in form.errors.items()]
    if problems:
        plan.problems += problems
        return
    will = values(row)
    if before is None:
        new = {name: ("", shown(name, will[name])) for name in FIELDS}
        plan.changes.append(Change(row, is_new=True, fields=new))
        return
    changed = {name: (shown(name, was[name]), shown(name, will[name])) for name in FIELDS if was[name] != will[name]}
    if changed:
        if changed.keys() & {"xp_reward", CONDITIONS} and (refused := changed.keys() & set(locked(before))):
            plan.problems += [Problem(entry.number, name, str(LOCKED)) for name in sorted(refused)]
        plan.changes.append(Change(row, is_new=False, fields=changed))
    else:
        plan.unchanged += 1


LOCKED = gettext_lazy("XP and conditions of a rule in force may only be changed by those who may run back-fills.")


def shown(name: str, value: Any) -> str:
    """Return a value as the table of changes shows it."""
    if name in SWITCHES:
        return _("yes") if value else _("no")
    if name == CONDITIONS:
        return f"{check(value).sentence}\n{as_text(name, value)}".strip()
    return str(value) if name in NUMBERS else as_text(name, value)

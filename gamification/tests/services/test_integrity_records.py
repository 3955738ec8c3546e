"""The log and the ledger are append-only, whichever way somebody comes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from gamification.exceptions import AppendOnly
from gamification.models import Activity, VoidedActivity, XPTransaction
from gamification.services import activities
from gamification.tests.backends.people import do, person
from gamification.tests.services.lives import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    user = person(score=10)
    do(user, "scenario_completed")
    faked = do(user, "conversation_completed")
    activities.void(faked.activity, reason="nobody spoke")
    return user


AMOUNTS = {XPTransaction: "xp_amount", Activity: "quantity", VoidedActivity: "reason"}
APPEND_ONLY = pytest.mark.parametrize("model", AMOUNTS)


def amount(model):
    return AMOUNTS[model]


CHANGES = {
    "save": lambda model, row: row.save(),
    "save of some columns": lambda model, row: row.save(update_fields=[amount(model)]),
    "delete": lambda model, row: row.delete(),
    "update": lambda model, row: model.objects.update(**{amount(model): 5}),
    "update of a filtered part": lambda model, row: model.objects.filter(pk=row.pk).update(key="other"),
    "delete of many": lambda model, row: model.objects.all().delete(),
    "bulk_update": lambda model, row: model.objects.bulk_update([row], [amount(model)]),
    "update_or_create": lambda model, row: model.objects.update_or_create(pk=row.pk, defaults={"key": "other"}),
    "a copy that is saved": lambda model, row: copy(model, row).save(),
    "an insert that overwrites": lambda model, row: model.objects.bulk_create(
        [copy(model, row)], update_conflicts=True, unique_fields=["user", *unique(model)], update_fields=[amount(model)]
    ),
}


def unique(model):
    return {XPTransaction: ["source", "key"], Activity: ["key"], VoidedActivity: ["activity"]}[model]


def copy(model, row):
    values = {column.attname: getattr(row, column.attname) for column in model._meta.concrete_fields}
    return model(**{**values, amount(model): 999})


@APPEND_ONLY
@pytest.mark.parametrize("name", CHANGES)
def test_the_records_are_append_only(ada, model, name):
    row, before = model.objects.order_by("pk").first(), rows(ada)[model.__name__]

    with pytest.raises((AppendOnly, IntegrityError)), transaction.atomic():
        CHANGES[name](model, row)

    assert rows(ada)[model.__name__] == before

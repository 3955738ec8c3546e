"""docs/api.md says what is so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from rest_framework.serializers import BaseSerializer

from gamification.api import errors
from gamification.api.schema import ProblemSerializer
from gamification.api.serializers.activities import ReceiptSerializer, VoidSerializer
from gamification.api.serializers.inputs import ActivityInputSerializer
from gamification.api.serializers.leaderboards import BoardSerializer
from gamification.api.serializers.xp import AwardSerializer
from gamification.api.throttles import DEFAULT_RATES
from gamification.exceptions import GamificationError
from gamification.tests.api.table import TABLE
from gamification.tests.servers import ROOT

TEXT = (ROOT / "docs" / "api.md").read_text()
BODIES: list[Any] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]


def names_in(body: Any) -> Any:
    """Return the names of a body, nested as they are; of a list those of its first item."""
    if isinstance(body, list):
        return names_in(body[0]) if body else None
    return {name: names_in(inner) for name, inner in body.items()} if isinstance(body, dict) else None


def names_of(serializer: Any) -> Any:
    serializer = getattr(serializer, "child", serializer)
    if not isinstance(serializer, BaseSerializer):
        return None
    return {name: names_of(field) for name, field in serializer.fields.items()}  # type: ignore[attr-defined]


def test_the_reference_lists_every_route_and_method():
    listed = re.findall(r"^\| (GET|POST|PATCH|DELETE) `([^`]+)` \|", TEXT, re.MULTILINE)

    assert listed == [(row.method, row.route) for row in TABLE]


def test_the_reference_lists_every_scope_with_its_rate():
    assert dict(re.findall(r"^\| `(gamification_\w+)` \| (\S+) \|", TEXT, re.MULTILINE)) == DEFAULT_RATES


@pytest.mark.parametrize(
    ("number", "serializer"),
    [
        (0, AwardSerializer),
        (2, ReceiptSerializer),
        (3, VoidSerializer),
        (4, ProblemSerializer),
        (5, BoardSerializer),
    ],
)
def test_bodies_have_the_names_that_answers_have(number: int, serializer: Any):
    shown = names_in(BODIES[number])
    for free in (shown, shown.get("activity", {})):
        if "data" in free:
            free["data"] = None

    assert shown == names_of(serializer())


def test_an_activity_is_shown_as_it_is_read():
    assert ActivityInputSerializer().run_validation({**BODIES[1], "user": 7})["kind"] == "scenario_completed"


def test_every_code_that_the_api_can_refuse_with_is_listed():
    elsewhere = {"error", "invalid_condition", "not_unlocked", "achievement_in_use", "append_only", "failed"}
    elsewhere |= {"rule_not_active", "rule_in_force", "backfill_open", "backfill_undone"}
    elsewhere |= {"already_excused", "not_excused", "already_excluded", "not_excluded", "secret_already_shown"}
    raised = {each.code for each in (*GamificationError.__subclasses__(),)} | {errors.KeyMismatch.code}

    listed = set(re.findall(r"`([a-z_]+)`", TEXT.partition("| Status | Codes |")[2].partition("\n\n")[0]))

    assert raised - elsewhere <= listed

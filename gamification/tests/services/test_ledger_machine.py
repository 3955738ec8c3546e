"""Whatever is done to somebody, in whatever order: nothing of the ledger's promises breaks."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from gamification.services import achievements
from gamification.tests.services.ledger_machine import LedgerMachine

pytestmark = pytest.mark.django_db

FEW = settings(
    deadline=None,
    max_examples=25,
    stateful_step_count=10,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_no_promise_of_the_ledger_breaks():
    achievements.initialize()

    run_state_machine_as_test(LedgerMachine, settings=FEW)

"""How many examples a property is tried on, and by what: nothing here depends on how fast the machine is."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

PURE = settings(deadline=None, max_examples=100)
#: A database test keeps its fixtures for all examples, so each example makes rows of its own.
DATABASE = settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

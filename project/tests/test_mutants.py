"""The mistakes that the tests have to catch can still be made: the code that each of them changes is there."""

from __future__ import annotations

import pytest

from benchmarks.faults.mutants import MUTANTS, mutated
from gamification.tests.servers import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_changes_the_code_as_it_is_and_leaves_it_readable(mutant):
    compile(mutated(mutant, ROOT), mutant.file, "exec")

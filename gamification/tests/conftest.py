"""What the app's own tests share; servers and browser are in the conftest of the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamification.tests.servers import ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of worked examples that may lie beside the checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("There is no folder `shared` beside the checkout.")
    return folder

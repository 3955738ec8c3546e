"""What every backend of leaderboards must do. A backend's test module subclasses :class:`BackendContract`."""

from __future__ import annotations

import pytest

from gamification.tests.backends.contract.freshness import Freshness
from gamification.tests.backends.contract.neighbours import Neighbours
from gamification.tests.backends.contract.pages import Pages
from gamification.tests.backends.contract.populations import Populations
from gamification.tests.backends.contract.ranking import Ranking
from gamification.tests.backends.contract.visibility import Visibility


@pytest.mark.django_db
class BackendContract(Ranking, Neighbours, Visibility, Pages, Freshness, Populations):
    """``backend`` is the dotted path that the settings take."""

    backend = ""

    @pytest.fixture(autouse=True)
    def _backend(self, settings):
        settings.GAMIFICATION = {"LEADERBOARD_BACKEND": self.backend}

    def catch_up(self):
        """Do at once what the backend does by itself within the time to live: notice what the host did to its users."""

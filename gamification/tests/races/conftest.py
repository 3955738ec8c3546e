"""What races share: a database of their own, and the processes on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from gamification.services import integrity
from gamification.tests.races import processes
from gamification.tests.races.workers import NOW

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Race:
    """A database and those who race on it; the test itself is on the same one."""

    url: str

    def __call__(self, target: Callable[[int], Any], number: int = 8) -> list[Any]:
        """Return what ``target`` returned in each process; none may fail, and none may log an error."""
        outcomes = self.run(target, number)
        assert [outcome.error for outcome in outcomes] == [""] * number
        assert [text for outcome in outcomes for text in outcome.logged] == []
        return [outcome.value for outcome in outcomes]

    def run(self, target: Callable[[int], Any], number: int = 8) -> list[processes.Outcome]:
        return processes.race(target, self.url, number)

    def start(self, target: Callable[[], Any]) -> Any:
        return processes.start(target, self.url)

    def drifts(self) -> list[str]:
        return [str(drift) for drift in integrity.verify(now=NOW)]


@pytest.fixture
def postgres_race(postgres_url, django_db_blocker):
    with django_db_blocker.unblock(), processes.database(postgres_url):
        yield Race(postgres_url)


@pytest.fixture
def sqlite_race(sqlite_url, django_db_blocker):
    with django_db_blocker.unblock(), processes.database(sqlite_url):
        yield Race(sqlite_url)


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"])
def race(request):
    return request.getfixturevalue(f"{request.param}_race")


def pytest_collection_modifyitems(config, items):
    """Race once, in the run on SQLite: the databases here are their own, whatever the other tests run on."""
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        return
    folder = Path(__file__).parent
    again = [item for item in items if folder in item.path.parents]
    items[:] = [item for item in items if item not in again]
    config.hook.pytest_deselected(items=again)

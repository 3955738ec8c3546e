"""Databases for scripts: each fresh, a copy of one that was migrated once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from gamification.tests import servers
from gamification.tests.races import processes

#: Makes a database, lets the default connection lead there, and gives its URL.
Fresh = Callable[[], AbstractContextManager[str]]


@contextmanager
def sqlite() -> Iterator[Fresh]:
    with tempfile.TemporaryDirectory(prefix="gamification-faults-") as folder:
        template = Path(folder, "template.sqlite3")
        migrate(f"sqlite:///{template}")

        @contextmanager
        def fresh() -> Iterator[str]:
            url = f"sqlite:///{shutil.copy(template, Path(folder, f'{uuid4().hex}.sqlite3'))}"
            with processes.database(url):
                yield url

        yield fresh


@contextmanager
def postgresql() -> Iterator[Fresh]:
    with servers.postgresql() as server, servers.postgresql_database(server) as template:
        migrate(template)

        @contextmanager
        def fresh() -> Iterator[str]:
            name = template.rpartition("/")[2]
            with servers.postgresql_database(server, template=name) as url, processes.database(url):
                yield url

        yield fresh


PLACES: dict[str, Callable[[], AbstractContextManager[Fresh]]] = {"SQLite": sqlite, "PostgreSQL": postgresql}


def migrate(url: str) -> None:
    servers.manage("migrate", "--skip-checks", "--verbosity=0", env={"DATABASE_URL": url})

"""A disk of a few megabytes that can be filled, for databases that are to run out of room."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gamification.tests.servers import MissingServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

BALLAST = "ballast"


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Yield a folder with so much room.

    Raises:
        MissingServiceError: who runs this may not mount one.
    """
    with tempfile.TemporaryDirectory(prefix="gamification-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", folder]
        if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
            raise MissingServiceError("A small disk cannot be mounted here: that takes root.")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> None:
    """Leave no room on a disk."""
    with (disk / BALLAST).open("ab", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def make_room(disk: Path) -> None:
    """Give back what :func:`fill` took."""
    (disk / BALLAST).unlink()

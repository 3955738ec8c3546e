"""What a script of this package found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fault or attack, as it went in one place.

    ``where`` is what it was tried on (``SQLite``, ``PostgreSQL``, ``Redis`` ...), ``tried`` how often, ``lost`` how
    many of those went wrong, which should be 0. ``figures`` holds whatever else was measured, by name with its unit.
    """

    fault: str
    where: str
    tried: int
    lost: int
    figures: dict[str, Any] = field(default_factory=dict)

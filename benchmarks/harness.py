"""Rounds, ratios and the row that each comparison becomes."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from gamification.services import integrity

Work = Callable[[], object]
HOLDS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the table: how a piece of work compares with its floor, measured in turns within one run.

    ``against`` names the floor; ``ratio`` is the median of the rounds, ``low`` and ``high`` the least and the greatest
    of them. ``goal`` is a sign and a number, such as ``>= 0.6``, or empty. Microseconds (for one operation) are for
    orientation only.
    """

    work: str
    database: str
    ratio: float
    low: float
    high: float
    goal: str = ""
    against: str = ""
    floor_us: float = 0
    product_us: float = 0
    rounds: int = 1
    note: str = ""

    @property
    def is_reached(self) -> bool | None:
        """Tell whether the goal was reached; None where there is none."""
        if not self.goal:
            return None
        sign, number = self.goal.split()
        return bool(HOLDS[sign](self.ratio, float(number)))

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "is_reached": self.is_reached}


def speed(work: str, database: str, floor: Work, product: Work, **options: Any) -> Measurement:
    """Compare throughput: 1.0 is as fast as the floor, 0.5 half as fast."""
    return _compare(work, database, floor, product, is_speed=True, **options)


def cost(work: str, database: str, floor: Work, product: Work, **options: Any) -> Measurement:
    """Compare cost: 1.0 costs as much as the floor, 2.0 twice as much."""
    return _compare(work, database, floor, product, is_speed=False, **options)


def seconds(work: Work) -> float:
    """Return how long ``work`` took."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def median_of(work: Work, rounds: int) -> float:
    """Return how long ``work`` took in the median of some rounds, in seconds."""
    return median(seconds(work) for _ in range(rounds))


def verified() -> None:
    """Stop the run when anything that is derived differs from the log and the ledger."""
    drifts = list(integrity.verify())
    if drifts:
        raise SystemExit(f"{len(drifts)} drifts after the run; the first: {drifts[0]}")


def _compare(
    work: str,
    database: str,
    floor: Work,
    product: Work,
    *,
    is_speed: bool,
    rounds: int = 7,
    operations: int = 1,
    **labels: str,
) -> Measurement:
    """Let floor and product take turns; ``operations`` is how many each does in a round."""
    pairs = [(seconds(floor) / operations, seconds(product) / operations) for _ in range(rounds)]
    ratios = [mine / own if is_speed else own / mine for mine, own in pairs]
    return Measurement(
        work,
        database,
        round(median(ratios), 3),
        round(min(ratios), 3),
        round(max(ratios), 3),
        floor_us=round(median(mine for mine, _ in pairs) * 1e6, 1),
        product_us=round(median(own for _, own in pairs) * 1e6, 1),
        rounds=rounds,
        **labels,
    )

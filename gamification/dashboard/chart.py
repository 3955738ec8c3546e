"""The line of XP over the last 30 days: drawn on the server, with every number beside it in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from gamification.engine.results import CalendarDay

DAYS = 30
#: The drawing's own units; it is stretched to its place, and words stand beside it in HTML.
WIDTH, HEIGHT = 290, 100
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across: ``y`` from the top in the drawing's units, and the XP that it stands for."""

    y: str
    xp: int


@dataclass(frozen=True, slots=True)
class Point:
    """A day: where its dot is, the left edge of what is hovered over, and what is said of it."""

    x: str
    y: str
    left: str
    on: date
    xp: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The last 30 days. ``line`` and ``area`` are paths of an SVG; amounts are XP points."""

    points: tuple[Point, ...]
    ticks: tuple[Tick, ...]
    line: str
    area: str
    total: int
    average: int
    best: Point | None

    @property
    def first(self) -> date:
        return self.points[0].on

    @property
    def middle(self) -> date:
        return self.points[len(self.points) // 2].on

    @property
    def last(self) -> date:
        return self.points[-1].on


def build(days: Sequence[CalendarDay]) -> Chart:
    """Return the chart of the last 30 of ``days``, which are in order, without gaps, and at least as many."""
    shown = days[-DAYS:]
    amounts = [day.xp for day in shown]
    step = _step(max(amounts, default=0), min(amounts, default=0))
    top, bottom = _up(max(1, *amounts), step), -_up(max(0, *(-amount for amount in amounts)), step)
    scale = HEIGHT / (top - bottom)
    gap = WIDTH / (len(shown) - 1)
    points = tuple(
        Point(
            x=_unit(number * gap),
            y=_unit((top - day.xp) * scale),
            left=_unit((number - 0.5) * gap),
            on=day.date,
            xp=day.xp,
            text=_("%(date)s: %(xp)s XP")
            % {"date": date_format(day.date, "DATE_FORMAT"), "xp": number_format(day.xp, force_grouping=True)},
        )
        for number, day in enumerate(shown)
    )
    ticks = tuple(Tick(_unit((top - amount) * scale), amount) for amount in range(top, bottom - 1, -step))
    line = "M" + "L".join(f"{point.x} {point.y}" for point in points)
    zero = _unit(top * scale)
    best = max(points, key=lambda point: point.xp)
    return Chart(
        points=points,
        ticks=ticks,
        line=line,
        area=f"{line}L{points[-1].x} {zero}L{points[0].x} {zero}Z",
        total=sum(amounts),
        average=round(sum(amounts) / len(amounts)),
        best=best if best.xp > 0 else None,
    )


def _step(highest: int, lowest: int) -> int:
    """Return a round number of which two to four reach from the lowest to the highest amount."""
    span = max(highest, 0) - min(lowest, 0)
    power = 1
    while True:
        for factor in STEPS:
            if factor * power * 3 >= span:
                return factor * power
        power *= 10


def _up(amount: int, step: int) -> int:
    """Return the next multiple of ``step``, at least ``amount``."""
    return -(-amount // step) * step


def _unit(value: float) -> str:
    """Return a number as an SVG wants it, whatever the language."""
    return f"{value:.1f}".removesuffix(".0")

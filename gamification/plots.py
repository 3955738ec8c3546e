"""Line and bar plots that the server draws: SVG without a script, and the same numbers as a table.

``{% include "gamification/plot.html" with plot=... %}`` shows one; it needs ``gamification/css/plots.css``. Text keeps
its size at every width, because places across are in percent and only the curves are stretched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

#: In pixels: the whole, and the part that is drawn in, above which the first label of the scale needs room.
HEIGHT, TOP, BOTTOM = 210, 22, 180
#: What curves are measured in across, before they are stretched.
ACROSS = 1000
STEPS = 4
#: How many labels there is room for below the narrowest plot: short ones and long ones.
LABELS, LONG_LABELS, LONG = 6, 3, 4
#: What a character of the scale takes, and the space beside it, in pixels.
CHARACTER, GAP = 8, 8
BAR_SHARE = 0.8
#: Styles that can be told apart; further lines begin anew.
STYLES = 6

Show = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """A line: one value for each label of the plot, None where there is none."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A text beside an axis; ``across`` in percent, ``down`` in pixels."""

    text: str
    across: str
    down: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Curve:
    """A line as drawn, in pieces between its gaps; ``style`` is from 1 to ``STYLES``."""

    label: str
    style: int
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar as drawn: left edge and width in percent, upper edge and height in pixels."""

    across: str
    width: str
    down: str
    height: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What the template draws; ``summary`` is for those who do not see it, ``rows`` are the table's, label first."""

    title: str
    summary: str
    grid: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    curves: tuple[Curve, ...] = ()
    bars: tuple[Bar, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    box: str = f"0 0 {ACROSS} {BOTTOM - TOP}"
    scale: str = "0"
    height: str = str(HEIGHT)
    top: str = str(TOP)
    inner: str = str(BOTTOM - TOP)


def whole(value: float) -> str:
    """Return a number as people write it, without decimals."""
    return number_format(round(value), force_grouping=True)


def lines(
    title: str, over: str, labels: Sequence[str], series: Sequence[Series], *, show: Show = whole, least: float = 4
) -> Plot:
    """Return a plot of lines; ``over`` names what the labels are, ``least`` is what the scale reaches at least."""
    scale = _Scale([value for each in series for value in each.values], least)
    places = [index * ACROSS / max(1, len(labels) - 1) for index in range(len(labels))]
    grid = scale.grid(show)
    curves = tuple(
        Curve(each.label, number % STYLES + 1, tuple(_pieces(places, each.values, scale)))
        for number, each in enumerate(series)
    )
    shares = [100 * place / ACROSS for place in places]
    return Plot(
        title, _summary(title, labels, series, show), grid, _labels(labels, shares), curves, scale=_width(grid),
        head=(over, *(each.label for each in series)), rows=_rows(labels, series, show)[::-1],
    )  # fmt: skip


def bars(title: str, over: str, labels: Sequence[str], series: Series, *, show: Show = whole, least: float = 4) -> Plot:
    """Return a plot of bars, one for each label; ``over`` names what the labels are."""
    scale = _Scale(series.values, least)
    share = 100 / max(1, len(labels))
    drawn = tuple(
        Bar(
            _text(index * share + share * (1 - BAR_SHARE) / 2),
            _text(share * BAR_SHARE),
            _text(scale.down(value)),
            _text(max(1, scale.down(0) - scale.down(value))),
        )
        for index, value in enumerate(series.values)
        if value
    )
    grid = scale.grid(show)
    middles = [(index + 0.5) * share for index in range(len(labels))]
    return Plot(
        title, _summary(title, labels, [series], show), grid, _labels(labels, middles), bars=drawn,
        scale=_width(grid), head=(over, series.label), rows=_rows(labels, [series], show),
    )  # fmt: skip


class _Scale:
    """From values to pixels from the top, with round steps that hold 0 and all values."""

    def __init__(self, values: Sequence[float | None], least: float) -> None:
        known = [value for value in values if value is not None]
        high, low = max([least, *known]), min([0, *known])
        exact = (high - low) / STEPS
        power = 10.0 ** math.floor(math.log10(exact))
        self.step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= exact * 0.999)
        self.low = math.floor(low / self.step) * self.step
        self.high = math.ceil(high / self.step - 0.001) * self.step

    def down(self, value: float) -> float:
        return TOP + (BOTTOM - TOP) * (self.high - value) / (self.high - self.low)

    def grid(self, show: Show) -> tuple[Mark, ...]:
        number = round((self.high - self.low) / self.step)
        steps = (self.low + index * self.step for index in range(number + 1))
        return tuple(Mark(show(value), "0", _text(self.down(value))) for value in steps)


def _pieces(places: Sequence[float], values: Sequence[float | None], scale: _Scale) -> Iterator[str]:
    """Yield the points of each stretch without a gap; a lone point twice, so that its round ends show."""
    piece: list[str] = []
    for place, value in [*zip(places, values, strict=True), (0.0, None)]:
        if value is not None:
            piece.append(f"{_text(place)},{_text(scale.down(value) - TOP)}")
        elif piece:
            yield " ".join(piece if len(piece) > 1 else piece * 2)
            piece = []


def _width(grid: Sequence[Mark]) -> str:
    return str(GAP + CHARACTER * max(len(mark.text) for mark in grid))


def _labels(labels: Sequence[str], shares: Sequence[float]) -> tuple[Mark, ...]:
    """Return a few of the labels, the first and the last among them, where they belong."""
    number = min(LONG_LABELS if max(map(len, labels), default=0) > LONG else LABELS, len(labels))
    chosen = sorted({round(index * (len(labels) - 1) / max(1, number - 1)) for index in range(number)})
    anchors = {index: "start" if shares[index] < 5 else "end" if shares[index] > 95 else "middle" for index in chosen}
    return tuple(Mark(labels[index], _text(shares[index]), _text(HEIGHT - 8), anchors[index]) for index in chosen)


def _summary(title: str, labels: Sequence[str], series: Sequence[Series], show: Show) -> str:
    """Return the gist in words: for each line its range, and where it ends."""
    said = []
    for each in series:
        known = [(label, value) for label, value in zip(labels, each.values, strict=True) if value is not None]
        if not known:
            said.append(_("{name}: nothing").format(name=each.label))
            continue
        numbers = [value for _label, value in known]
        said.append(
            _("{name}: from {low} to {high}, {value} at {label}").format(
                name=each.label, low=show(min(numbers)), high=show(max(numbers)), value=show(known[-1][1]),
                label=known[-1][0],
            )
        )  # fmt: skip
    return f"{title}. {'; '.join(said)}." if said else f"{title}."


def _rows(labels: Sequence[str], series: Sequence[Series], show: Show) -> tuple[tuple[str, ...], ...]:
    values = ([each.values[index] for each in series] for index in range(len(labels)))
    return tuple(
        (label, *("-" if value is None else show(value) for value in row))
        for label, row in zip(labels, values, strict=True)
    )


def _text(number: float) -> str:
    """Return a number for SVG, which knows no languages."""
    return f"{number:.1f}".rstrip("0").rstrip(".")

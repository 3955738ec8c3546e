"""Measurements as a table of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = ("work", "database", "against", "goal", "reached", "spread", "floor us", "product us")


def print_table(name: str, figures: Iterable[Mapping[str, Any]]) -> None:
    """Print one benchmark's measurements; a goal that was missed is marked."""
    rows = [COLUMNS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    print(f"\n{name}")
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    mark = {True: "", False: " MISSED", None: ""}[figure["is_reached"]]
    return (
        figure["work"],
        figure["database"],
        figure["against"],
        figure["goal"],
        f"{figure['ratio']:g}{mark}",
        f"{figure['low']:g} to {figure['high']:g}",
        f"{figure['floor_us']:,.0f}",
        f"{figure['product_us']:,.0f}",
    )

"""The latest figures as a page of the documentation, with plots."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE, IMAGES = Path(__file__).parent / "results.json", ROOT / "docs/benchmarks.md", ROOT / "docs/images"
COLOURS = {"sqlite": "#0f7b6c", "postgresql": "#3b5bdb", "redis": "#c92a2a", "none": "#868e96"}
GROWTH = re.compile(r"(?P<work>.+), (?P<people>[\d,]+) people")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def main() -> None:
    figures: dict[str, list[dict[str, Any]]] = json.loads(RESULTS.read_text())
    text = PAGE.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{''.join(_section(*item) for item in figures.items())}{END}{after}")
    mpl.rcParams.update({"svg.hashsalt": "gamification", "figure.constrained_layout.use": True})
    goals = [row for rows in figures.values() for row in rows if row["goal"]]
    _plot_goals(goals)
    _plot_growth(figures.get("growth", ()))


def _section(name: str, rows: list[dict[str, Any]]) -> str:
    lines = [
        f"### {name}\n",
        "| work | database | against | goal | reached | spread | µs there | µs here | |",
        "| --- | --- | --- | --- | ---: | --- | ---: | ---: | --- |",
        *(_line(row) for row in rows),
    ]
    return "\n".join(lines) + "\n\n"


def _line(row: dict[str, Any]) -> str:
    mark = {True: " ✓", False: " missed", None: ""}[row["is_reached"]]
    spread = "" if row["low"] == row["high"] else f"{row['low']:g} to {row['high']:g}"
    times = (f"{row[name]:,.0f}" if row[name] >= 10 else f"{row[name]:.2g}" for name in ("floor_us", "product_us"))
    cells = (row["work"], row["database"], row["against"], row["goal"], f"{row['ratio']:g}{mark}", spread, *times)
    return f"| {' | '.join((*cells, row['note']))} |"


def _plot_goals(rows: list[dict[str, Any]]) -> None:
    """Draw how far each goal was reached: 1 is the goal, to the right is better."""
    figure, axes = plt.subplots(figsize=(11, 0.28 * len(rows) + 1))
    for place, row in enumerate(reversed(rows)):
        sign, number = row["goal"].split()
        share = row["ratio"] / float(number) if sign == ">=" else float(number) / max(row["ratio"], 1e-9)
        axes.barh(place, share, color=COLOURS.get(row["database"], "#868e96"))
    labels = [f"{row['work']} / {row['against']} ({row['database']})" for row in reversed(rows)]
    axes.set_yticks(range(len(rows)), labels, fontsize=7)
    axes.margins(y=0.01)
    axes.axvline(1, color="#212529", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("reached, as a multiple of the goal (1 is the goal, further right is better)")
    _keep(figure, "benchmarks-goals.svg")


def _plot_growth(rows: Iterable[dict[str, Any]]) -> None:
    """Draw what each piece of work costs as a site grows."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
    for panel, database in zip(axes, ("sqlite", "postgresql"), strict=True):
        lines: dict[str, list[tuple[int, float]]] = {}
        for row in rows:
            if row["database"] == database and (found := GROWTH.fullmatch(row["work"])):
                people = int(found["people"].replace(",", ""))
                lines.setdefault(found["work"], []).append((people, row["product_us"] / 1000))
        for work, points in lines.items():
            panel.plot(*zip(*points, strict=True), marker="o", label=work)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel("people")
        panel.set_title(database)
        panel.grid(visible=True, alpha=0.3)
    axes[0].set_ylabel("ms")
    axes[1].legend(fontsize=8)
    _keep(figure, "benchmarks-growth.svg")


def _keep(figure: Any, name: str) -> None:
    figure.savefig(IMAGES / name, metadata={"Date": None})
    plt.close(figure)
    print(f"{name} is drawn ({platform.machine()}).")


if __name__ == "__main__":
    main()

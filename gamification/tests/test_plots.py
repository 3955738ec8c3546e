"""Plots that the server draws: scales, gaps, and the same numbers in words and in a table."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from gamification.plots import BOTTOM, TOP, Series, bars, lines, whole

DAYS = ["June 1", "June 2", "June 3", "June 4", "June 5"]


def drawn(plot):
    """Return the plot as the template draws it, which has to be well-formed."""
    return ET.fromstring(render_to_string("gamification/plot.html", {"plot": plot}).strip())


def points(piece):
    return [tuple(map(float, point.split(","))) for point in piece.split()]


def test_a_line_goes_from_edge_to_edge_with_zero_at_the_bottom():
    plot = lines("XP", "Date", DAYS, [Series("All", [0, 50, 100, 25, 0])])

    (curve,) = plot.curves
    found = points(curve.pieces[0])
    assert [across for across, _ in found] == [0, 250, 500, 750, 1000]
    assert (found[0][1], found[2][1]) == (BOTTOM - TOP, 0)
    assert [mark.text for mark in plot.grid] == ["0", "50", "100"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0, 0, 0], ["0", "1", "2", "3", "4"]),
        ([1, 2, 3], ["0", "1", "2", "3", "4"]),
        ([0, 9, 4], ["0", "5", "10"]),
        ([-30, 0, 120], ["-50", "0", "50", "100", "150"]),
        ([0, 1_234_567, 5], ["0", "500,000", "1,000,000", "1,500,000"]),
    ],
)
def test_the_scale_has_a_few_round_steps_that_hold_zero_and_all_values(values, scale):
    assert [mark.text for mark in lines("XP", "Date", DAYS[:3], [Series("All", values)]).grid] == scale


@pytest.mark.parametrize("values", [[0.001] * 3, [10**15, 1, 2], [-7, -3, -1], [None] * 3, [3.7, 99.9, 100]])
def test_every_value_lies_within_the_scale(values):
    plot = lines("XP", "Date", DAYS[:3], [Series("All", values)], least=0.1)

    heights = [down for curve in plot.curves for piece in curve.pieces for _, down in points(piece)]
    assert all(0 <= down <= BOTTOM - TOP for down in heights)


def test_a_gap_parts_the_line_and_a_lone_point_shows():
    plot = lines("XP", "Date", DAYS, [Series("All", [1, 2, None, 4, None])])

    (curve,) = plot.curves
    assert [len(points(piece)) for piece in curve.pieces] == [2, 2]
    assert len(set(points(curve.pieces[1]))) == 1


def test_the_gist_names_range_and_end_of_each_line():
    plot = lines("XP", "Date", DAYS, [Series("Awarded", [1000, 50, 7, 25, None]), Series("Taken", [None] * 5)])

    assert plot.summary == "XP. Awarded: from 7 to 1,000, 25 at June 4; Taken: nothing."


def test_the_table_has_a_row_for_each_date_newest_first():
    plot = lines("XP", "Date", DAYS[:2], [Series("Awarded", [1000, None]), Series("Taken", [-5, 0])])

    assert (plot.head, plot.rows) == (("Date", "Awarded", "Taken"), (("June 2", "-", "0"), ("June 1", "1,000", "-5")))


def test_a_plot_without_lines_still_has_its_dates():
    plot = lines("XP", "Date", DAYS, [])

    assert [row[0] for row in plot.rows] == DAYS[::-1]
    assert plot.summary == "XP."


def test_bars_stand_side_by_side_and_nothing_stands_for_nothing():
    plot = bars("Levels", "Level", ["1", "2", "3", "4"], Series("People", [2, 0, 4, 1]))

    assert [(bar.across, bar.width, bar.height) for bar in plot.bars] == [
        ("2.5", "20", "79"),
        ("52.5", "20", "158"),
        ("77.5", "20", "39.5"),
    ]
    assert plot.rows == (("1", "2"), ("2", "0"), ("3", "4"), ("4", "1"))


def test_few_labels_are_written_and_none_beyond_the_edges():
    many = [f"June {day}" for day in range(1, 31)]

    plot = lines("XP", "Date", many, [Series("All", [1] * 30)])

    assert [(mark.text, mark.anchor) for mark in plot.labels] == [
        ("June 1", "start"),
        ("June 15", "middle"),
        ("June 30", "end"),
    ]


def test_what_is_drawn_is_well_formed_has_no_style_and_says_what_it_shows():
    figure = drawn(lines("<XP> & more", "Date", DAYS, [Series("A", [1, 2, 3, 4, 5]), Series('"B"', [5, 4, 3, 2, 1])]))

    attributes = {name for element in figure.iter() for name in element.attrib}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}
    assert figure.find(".//*[@role='img']").attrib["aria-label"].startswith("<XP> & more. A: from 1 to 5")
    assert len(figure.findall(".//polyline")) == 2
    assert len(figure.findall(".//tbody/tr")) == 5
    assert [line.attrib["class"][-1] for line in figure.findall(".//li/svg/line")] == ["1", "2"]


def test_one_line_needs_no_legend():
    assert drawn(lines("XP", "Date", DAYS, [Series("All", [1, 2, 3, 4, 5])])).find(".//li") is None


def test_numbers_are_written_in_the_readers_language_and_places_in_none():
    with translation.override("de"):
        plot = lines("XP", "Datum", DAYS, [Series("All", [1234.5, 7, 3, 1, 1000])])
        text = render_to_string("gamification/plot.html", {"plot": plot})

    assert ("Datum", plot.rows[0][1]) == (plot.head[0], "1.000")
    places = re.findall(r'(?:x|y|width|height|points)\d?="([^"]*)"', text)
    assert all(re.fullmatch(r"[\d.%, -]*", place) for place in places)
    assert all(float(number) < 3000 for place in places for number in re.findall(r"[\d.]+", place))


def test_whole_numbers_are_grouped():
    assert whole(1234567.4) == "1,234,567"

"""The line of XP over the last 30 days."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils.translation import override

from gamification.dashboard import chart
from gamification.engine.results import CalendarDay
from gamification.tests.dashboard.conftest import section, words

TODAY = date(2026, 6, 30)


def days(*amounts: int, number: int = 365) -> list[CalendarDay]:
    """Return days that end with TODAY, the last of them with these amounts of XP."""
    padded = [0] * (number - len(amounts)) + list(amounts)
    return [CalendarDay(TODAY - timedelta(days=number - 1 - at), xp=xp) for at, xp in enumerate(padded)]


def test_it_holds_the_last_30_days_and_what_they_add_up_to():
    built = chart.build(days(1_000, *[10] * 29, 40))

    assert (len(built.points), built.first, built.last) == (30, date(2026, 6, 1), TODAY)
    assert (built.total, built.average) == (330, 11)
    assert built.best.text == "June 30, 2026: 40 XP"


@pytest.mark.parametrize(
    ("best", "ticks"),
    [(0, [1, 0]), (1, [1, 0]), (3, [3, 2, 1, 0]), (10, [10, 5, 0]), (542, [600, 400, 200, 0]), (10**9, None)],
)
def test_the_scale_has_round_numbers(best, ticks):
    built = chart.build(days(best))

    amounts = [tick.xp for tick in built.ticks]
    assert amounts == (ticks or amounts)
    assert 2 <= len(amounts) <= 5
    assert amounts[0] >= best
    assert (built.ticks[0].y, built.ticks[-1].y) == ("0", "100")


def test_days_that_took_xp_back_lie_below_zero():
    built = chart.build(days(100, -40))

    zero = next(tick for tick in built.ticks if tick.xp == 0)
    assert 0 < float(zero.y) < 100
    assert float(built.points[-1].y) > float(zero.y) > float(built.points[-2].y)
    assert built.points[-1].text == "June 30, 2026: -40 XP"


def test_a_quiet_month_is_a_flat_line_without_a_best_day():
    built = chart.build(days())

    assert {point.y for point in built.points} == {"100"}
    assert built.best is None


def test_paths_have_points_whatever_the_language():
    with override("de"):
        built = chart.build(days(7, 1_234, 3))

    assert re.fullmatch(r"M[\d. L]+", built.line)
    assert re.fullmatch(r"M[\d. L]+Z", built.area)
    assert built.points[-2].text.endswith("1.234 XP")


def test_the_card_says_in_words_what_it_draws(read, lively):
    card = section(read(lively).html(), "gx-chart-title")

    assert re.search(r'role="img" aria-labelledby="gx-chart-words"', card)
    assert "A line of the XP of each of the last 30 days:" in words(card)
    assert "The best day was" in words(card)
    assert card.count('<th scope="row">') == 30
    assert "style=" not in card


def test_a_first_visit_has_no_line(read, ada):
    assert "gx-chart" not in read(ada).html()
